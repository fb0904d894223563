// Where the lines go: to stderr through spdlog, or to the Capture of a test.
//
// The level is read without a lock, since most lines are not written at all. A flood of
// warnings or errors of one kind is cut to a few lines a second, and told by its number.
#include "troupe/base/log.h"

#include "troupe/base/log_flood.h"
#include "troupe/base/log_level.h"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace troupe::base::log {
namespace {

constexpr std::size_t queue_lines = 2048;          // at 400 bytes each, which are there from the start
constexpr std::chrono::seconds flush_patience{2};  // more than any reader of the log needs that is there

struct Output {
  std::mutex mutex;
  std::shared_ptr<spdlog::details::thread_pool> background;
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<Level> level{Level::info};
  std::atomic<Format> format{Format::text};
  std::atomic<bool> capturing{false};
  std::atomic<bool> is_stuck{false};  // nobody reads what was written: a further line would wait for it
  std::vector<std::string> captured;  // guarded by mutex
  FloodGate gate;                     // guarded by mutex
};

/// Never destroyed: a line may be written while the process ends.
Output& output() {
  static Output& it = *new Output;
  return it;
}

/// Writes to the descriptor: whoever waits there for a reader would, by stdio, hold the lock that `exit` wants.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view rest{line.data(), line.size()};
    while (!rest.empty()) {
      const auto written = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // there is nowhere to tell of it
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void flush_() override {}
};

std::shared_ptr<spdlog::details::thread_pool> make_background() {
  try {
    return std::make_shared<spdlog::details::thread_pool>(queue_lines, 1);
  } catch (const std::system_error& error) {
    throw std::system_error{error.code(), "no thread can be made that writes the log"};
  }
}

std::shared_ptr<spdlog::logger> make_logger(const std::shared_ptr<spdlog::details::thread_pool>& background) {
  auto sink = std::make_shared<StandardError>();
  std::shared_ptr<spdlog::logger> logger;
  if (background) {
    logger = std::make_shared<spdlog::async_logger>("troupe", std::move(sink), background,
                                                    spdlog::async_overflow_policy::overrun_oldest);
  } else {
    logger = std::make_shared<spdlog::logger>("troupe", std::move(sink));
  }
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

/// Where this line goes, whether it does, and what floods that are over have swallowed.
struct Passage {
  std::shared_ptr<spdlog::logger> logger;
  bool admitted = false;
  std::vector<FloodGate::LeftOut> left_out;
};

Passage pass(Output& out, Level level, std::string_view component, std::string_view message) {
  const Instant now = system_clock().now();
  const std::lock_guard lock{out.mutex};
  if (!out.logger) out.logger = make_logger(nullptr);
  auto left_out = out.gate.take_left_out(now);
  return {out.logger, out.gate.admits(level, component, message, now), std::move(left_out)};
}

void print(spdlog::logger& logger, Level level, std::string_view component, std::string_view message, Fields fields) {
  logger.log(spdlog::level::info,
             spdlog::string_view_t{render(output().format.load(std::memory_order_relaxed), system_clock().wall(), level,
                                          component, message, fields)});
}

void print(spdlog::logger& logger, const std::vector<FloodGate::LeftOut>& left_out) {
  for (const auto& each : left_out) {
    print(logger, each.level, each.component, "lines like one that came too often were left out",
          {{"lines", each.lines}, {"like", each.message}});
  }
}

}  // namespace

void configure(const Options& options) {
  Output& out = output();
  out.level = options.level;
  out.format = options.format;
  out.is_stuck = false;
  const std::lock_guard lock{out.mutex};
  out.background = options.in_background ? make_background() : nullptr;
  out.logger = make_logger(out.background);
}

void change_level(Level level) noexcept { output().level = level; }

bool enabled(Level level) noexcept {
  const Output& out = output();
  return level >= out.level.load(std::memory_order_relaxed) || out.capturing.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view component, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  Output& out = output();
  if (out.is_stuck.load(std::memory_order_relaxed)) return;
  if (out.capturing.load(std::memory_order_acquire)) {
    std::string line = render(Format::text, UnixTime{}, level, component, message, fields);
    line.erase(0, line.find(' ') + 1);
    const std::lock_guard lock{out.mutex};
    out.captured.push_back(std::move(line));
    return;
  }
  const Passage passage = pass(out, level, component, message);
  print(*passage.logger, passage.left_out);
  if (passage.admitted) print(*passage.logger, level, component, message, fields);
}

namespace {

/// The pool's destructor writes what still waits, and joins its thread. Where nobody reads what that one writes it
/// never ends, and the process is not to wait for it.
void end_in_time(std::shared_ptr<spdlog::details::thread_pool> pool) {
  const auto over = std::make_shared<std::promise<void>>();
  std::future<void> is_over = over->get_future();
  try {
    std::thread{[pool = std::move(pool), over]() mutable {
      pool = nullptr;
      over->set_value();
    }}.detach();
  } catch (const std::system_error&) {
    return;  // there is no other thread to be had: it was waited for here
  }
  const bool is_stuck = is_over.wait_for(flush_patience) != std::future_status::ready;
  output().is_stuck = is_stuck;
}

}  // namespace

void flush() noexcept {
  Output& out = output();
  const std::lock_guard lock{out.mutex};
  if (out.logger) {
    print(*out.logger, out.gate.take_left_out(Instant::never()));
    out.logger->flush();
  }
  if (!out.background) return;
  out.logger = nullptr;  // later lines are written at once
  end_in_time(std::exchange(out.background, nullptr));
}

Capture::Capture() {
  Output& out = output();
  const std::lock_guard lock{out.mutex};
  out.captured.clear();
  out.capturing = true;
}

Capture::~Capture() { output().capturing = false; }

std::vector<std::string> Capture::lines() const {
  Output& out = output();
  const std::lock_guard lock{out.mutex};
  return out.captured;
}

bool Capture::contains(std::string_view text) const {
  return std::ranges::any_of(lines(), [&](const std::string& line) { return line.contains(text); });
}

}  // namespace troupe::base::log
