// Tests of INVARIANT. The broken ones die in a child process, so that we live to see it.
#include "troupe/base/check.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>

#include "troupe/base/testing/ending.h"

TEST_CASE("an invariant that holds does nothing") {
  int evaluated = 0;
  INVARIANT(++evaluated == 1, "the condition is evaluated once");
  CHECK_EQ(evaluated, 1);
}

TEST_CASE("a broken invariant says where and why, and ends the process") {
  const auto ending = troupe::base::testing::ending_of([] {
    int apples = 2;
    INVARIANT(apples == 3, "apples are counted twice");
  });
  CHECK(WIFSIGNALED(ending.status));
  CHECK_EQ(WTERMSIG(ending.status), SIGABRT);
  CHECK(ending.said.find("check_test.cc") != std::string::npos);
  CHECK(ending.said.find("apples == 3") != std::string::npos);
  CHECK(ending.said.find("apples are counted twice") != std::string::npos);
}
