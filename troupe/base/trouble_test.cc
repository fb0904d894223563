// Trouble: when there is something to say.
#include "troupe/base/trouble.h"

#include <doctest/doctest.h>

namespace troupe::base {
namespace {

using namespace std::chrono_literals;

Instant at(Duration since_start) { return Instant{} + since_start; }

}  // namespace

TEST_CASE("a trouble is told when it begins, once a minute while it lasts, and when it is over with how long") {
  Trouble trouble;
  CHECK(trouble.failed(at(1s)));
  CHECK_FALSE(trouble.failed(at(60s)));
  CHECK(trouble.failed(at(61s)));
  CHECK_FALSE(trouble.failed(at(62s)));
  CHECK(trouble.worked(at(71s)) == Duration{70s});
}

TEST_CASE("what works is not spoken of") {
  Trouble trouble;
  CHECK_FALSE(trouble.worked(at(1s)).has_value());
  CHECK(trouble.failed(at(2s)));
  CHECK(trouble.worked(at(3s)).has_value());
  CHECK_FALSE(trouble.worked(at(4s)).has_value());
}

TEST_CASE("what fails and works by turns is told once a minute, and its end only where its begin was") {
  Trouble trouble;
  CHECK(trouble.failed(at(0s)));
  CHECK(trouble.worked(at(1s)).has_value());
  CHECK_FALSE(trouble.failed(at(2s)));
  CHECK_FALSE(trouble.worked(at(3s)).has_value());
  CHECK_FALSE(trouble.failed(at(30s)));
  CHECK(trouble.failed(at(60s)));
  CHECK(trouble.worked(at(61s)) == Duration{31s});
}

}  // namespace troupe::base
