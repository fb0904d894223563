// Ending: how a process ends that does what it must not, and its last words. It is a child, so that we live to see it.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>

namespace troupe::base::testing {

struct Ending {
  int status = 0;    // of waitpid(2)
  std::string said;  // on its error stream
};

/// Of a child of this process that does `act` and then ends well, if it can.
template <class F>
Ending ending_of(F&& act) {
  std::array<int, 2> ends{};
  REQUIRE_EQ(::pipe(ends.data()), 0);
  std::fflush(nullptr);
  const pid_t process = ::fork();
  REQUIRE_GE(process, 0);
  if (process == 0) {
    std::signal(SIGABRT, SIG_DFL);  // doctest would tell of it
    ::dup2(ends[1], STDERR_FILENO);
    act();
    ::_exit(0);
  }
  ::close(ends[1]);
  Ending ending;
  std::array<char, 4096> bytes{};
  for (ssize_t n = 0; (n = ::read(ends[0], bytes.data(), bytes.size())) > 0;)
    ending.said.append(bytes.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(process, &ending.status, 0);
  return ending;
}

}  // namespace troupe::base::testing
