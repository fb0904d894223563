// A flood of one fault fills no disk, and is told of.
#include "troupe/base/log_flood.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

using namespace troupe::base;
using log::FloodGate;
using log::Level;

namespace {

constexpr Instant start{100'000'000'000};
constexpr Duration second = std::chrono::seconds{1};

int admitted(FloodGate& gate, int lines, Instant now, Level level = Level::error) {
  int count = 0;
  for (int i = 0; i < lines; ++i) {
    count += gate.admits(level, "web", "request " + std::to_string(i) + " failed", now) ? 1 : 0;
  }
  return count;
}

/// What goes to the standard error of this process while it lives.
class StandardError {
 public:
  StandardError() : file_(memfd_create("stderr", MFD_CLOEXEC)), before_(dup(STDERR_FILENO)) {
    REQUIRE_GE(dup2(file_, STDERR_FILENO), 0);
  }
  ~StandardError() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(file_);
  }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;

  std::string text() const {
    std::array<char, 64 * 1024> buffer{};
    const auto size = pread(file_, buffer.data(), buffer.size(), 0);
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  int file_;
  int before_;
};

int count(std::string_view text, std::string_view part) {
  int found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace

TEST_CASE("of lines that differ in their numbers alone a few are written a second, and the rest is told as one") {
  FloodGate gate;
  CHECK_EQ(admitted(gate, 500, start), FloodGate::lines_max);
  CHECK(gate.take_left_out(start + second / 2).empty());

  const auto left_out = gate.take_left_out(start + second);
  REQUIRE_EQ(left_out.size(), 1);
  CHECK_EQ(left_out[0].lines, 500 - FloodGate::lines_max);
  CHECK_EQ(left_out[0].level, Level::error);
  CHECK_EQ(left_out[0].component, "web");
  CHECK_EQ(left_out[0].message, "request 499 failed");
  CHECK(gate.take_left_out(start + second).empty());
  CHECK_EQ(admitted(gate, 1, start + second), 1);
}

TEST_CASE("a flood of one kind keeps no line of another kind, component or level out") {
  FloodGate gate;
  admitted(gate, 500, start);
  CHECK(gate.admits(Level::error, "web", "the disk is full", start));
  CHECK(gate.admits(Level::error, "oauth", "request 1 failed", start));
  CHECK(gate.admits(Level::warning, "web", "request 1 failed", start));
}

TEST_CASE("what is no warning is written as often as it is said") {
  FloodGate gate;
  CHECK_EQ(admitted(gate, 500, start, Level::info), 500);
}

TEST_CASE("kinds without end take no memory without end, and what was silent makes room again") {
  FloodGate gate;
  int written = 0;
  for (std::size_t i = 0; i < 10 * FloodGate::kinds_max; ++i) {
    written += gate.admits(Level::error, "web", "path " + std::string(i, 'x'), start) ? 1 : 0;
  }
  CHECK_EQ(written, FloodGate::kinds_max + FloodGate::lines_max);
  CHECK_EQ(gate.take_left_out(start + second).size(), 1);
  for (std::size_t i = 0; i < FloodGate::kinds_max; ++i) {
    CHECK(gate.admits(Level::error, "web", "other " + std::string(i, 'x'), start + second));
  }
}

TEST_CASE("what the log left out is told at the latest when the process ends") {
  const StandardError standard_error;
  for (int i = 0; i < 100; ++i) log::error("base", "flooded " + std::to_string(i));
  log::flush();
  const auto text = standard_error.text();
  CHECK_GE(count(text, "message=\"flooded "), FloodGate::lines_max);
  CHECK_LT(count(text, "message=\"flooded "), 100);
  CHECK_GE(count(text, "lines like one that came too often were left out"), 1);
}

TEST_CASE("a reader of the log that has stopped reading does not keep the process from its end") {
  std::array<int, 2> ends{};
  REQUIRE_EQ(::pipe(ends.data()), 0);
  ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  log::configure({.level = Level::info, .in_background = true});
  for (int i = 0; i < 200; ++i) log::info("base", "nobody reads", {{"line", i}});
  log::flush();  // comes back
  log::info("base", "and this one waits for nobody");
  ::dup2(before, STDERR_FILENO);
  std::array<char, 4096> bytes{};
  int lines = 0;
  pollfd readable{.fd = ends[0], .events = POLLIN, .revents = 0};
  while (::poll(&readable, 1, 200) == 1) {  // so that the thread that waited ends before the next test
    const auto size = ::read(ends[0], bytes.data(), bytes.size());
    lines += static_cast<int>(std::count(bytes.begin(), bytes.begin() + size, '\n'));
  }
  CHECK_GT(lines, 0);
  for (const int each : {ends[0], ends[1], before}) ::close(each);
  log::configure({});
}
