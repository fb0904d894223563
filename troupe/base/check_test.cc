// Tests of INVARIANT. The broken ones die in a child process, so that we live to see it.
#include "troupe/base/check.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

namespace {

struct Ending {
  int status = 0;
  std::string said;
};

/// Breaks an invariant in a child and gives how it ended and what it wrote to its error stream.
Ending break_invariant() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(ends[1], STDERR_FILENO);
    int apples = 2;
    INVARIANT(apples == 3, "apples are counted twice");
    ::_exit(0);
  }
  ::close(ends[1]);
  Ending ending;
  std::array<char, 4096> bytes{};
  for (ssize_t n = 0; (n = ::read(ends[0], bytes.data(), bytes.size())) > 0;)
    ending.said.append(bytes.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(child, &ending.status, 0);
  return ending;
}

}  // namespace

TEST_CASE("an invariant that holds does nothing") {
  int evaluated = 0;
  INVARIANT(++evaluated == 1, "the condition is evaluated once");
  CHECK_EQ(evaluated, 1);
}

TEST_CASE("a broken invariant says where and why, and ends the process") {
  Ending ending = break_invariant();
  CHECK(WIFSIGNALED(ending.status));
  CHECK_EQ(WTERMSIG(ending.status), SIGABRT);
  CHECK(ending.said.find("check_test.cc") != std::string::npos);
  CHECK(ending.said.find("apples == 3") != std::string::npos);
  CHECK(ending.said.find("apples are counted twice") != std::string::npos);
}
