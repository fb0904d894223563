// Checks: what a test framework lets `explore` know, so that a failed check fails the schedule in which it happened.
//
// tests/main.cc fills it in for doctest. Without a framework only exceptions fail a schedule.
#pragma once

#include <cstddef>
#include <string>

namespace troupe::actor::test {

struct Checks {
  std::size_t failed = 0;          // so far
  void (*on_failure)() = nullptr;  // called at each
  std::string test_name;           // of the running test; empty outside of tests
  bool test_is_skipped = false;    // unless the command line asks for it
  std::size_t explorations = 0;    // begun in it
};

inline Checks& checks() {
  static Checks the_checks;
  return the_checks;
}

}  // namespace troupe::actor::test
