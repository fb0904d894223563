// Lines of a pipe, and what becomes of a write that nobody reads.
#include "troupe/app/client/terminal_output.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ostream>

#include "troupe/net/descriptor.h"

using namespace troupe;
using namespace troupe::app;
using End = LineReader::End;

namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE_EQ(::pipe(ends.data()), 0);
    out = net::Descriptor{ends[0]};
    in = net::Descriptor{ends[1]};
  }
  net::Descriptor out, in;
};

}  // namespace

TEST_CASE("lines come one by one, the last one also without a line break") {
  Pipe pipe;
  CHECK_FALSE(write_to(pipe.in.get(), "one\n\ntwo\nthree"));
  pipe.in.reset();
  LineReader lines{pipe.out.get(), -1};
  CHECK_EQ(lines.next(), "one");
  CHECK_EQ(lines.next(), "");
  CHECK_EQ(lines.next(), "two");
  CHECK_EQ(lines.next(), "three");
  CHECK_EQ(lines.next().error(), End::of_input);
  CHECK_EQ(lines.next().error(), End::of_input);
}

TEST_CASE("all that is left comes as it is") {
  Pipe pipe;
  CHECK_FALSE(write_to(pipe.in.get(), "one\ntwo\n"));
  pipe.in.reset();
  LineReader lines{pipe.out.get(), -1};
  CHECK_EQ(lines.next(), "one");
  CHECK_EQ(lines.rest(), "two\n");
}

TEST_CASE("who waits for a line is interrupted") {
  Pipe pipe, interrupt;
  CHECK_FALSE(write_to(interrupt.in.get(), "!"));
  LineReader lines{pipe.out.get(), interrupt.out.get()};
  CHECK_EQ(lines.next().error(), End::interrupted);
}

TEST_CASE("a write says when nobody reads it any more") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  CHECK_FALSE(write_to(pipe.in.get(), "x"));
  pipe.out.reset();
  CHECK_EQ(write_to(pipe.in.get(), "x"), std::errc::broken_pipe);
  ::signal(SIGPIPE, before);
  CHECK_FALSE(terminal_width(pipe.in.get()).has_value());
}

TEST_CASE("a write says why it fails") {
  const net::Descriptor full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  CHECK_EQ(write_to(full.get(), "x"), std::errc::no_space_on_device);
}

TEST_CASE("what cannot be read is not taken for the end of the input") {
  const net::Descriptor folder{::open("/", O_RDONLY | O_CLOEXEC)};
  CHECK_EQ(LineReader(folder.get(), -1).next().error(), End::unreadable);
  CHECK_EQ(LineReader(folder.get(), -1).rest().error(), End::unreadable);
}
