// LoginThrottle: mistakes are free at first, then dear, and never forever.
#include "troupe/oauth/actor/login_throttle.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the first mistakes cost nothing, each further one doubles the wait up to a minute") {
  LoginThrottle throttle;
  base::Instant now{};
  for (int i = 0; i < 4; ++i) {
    throttle.failed("alice", "10.0.0.1", now);
    CHECK_EQ(throttle.wait_for("alice", "10.0.0.1", now), 0s);
  }
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    throttle.failed("alice", "10.0.0.1", now);
    CHECK_EQ(throttle.wait_for("alice", "10.0.0.1", now), wait);
    now = now + wait;
    CHECK_EQ(throttle.wait_for("alice", "10.0.0.1", now), 0s);
  }
}

TEST_CASE("once there is a wait, a second attempt waits for the first, whose mistake is not counted yet") {
  LoginThrottle throttle;
  const auto wait = [&](std::string_view account, std::string_view address) {
    return throttle.wait_for(account, address, base::Instant{} + 1s);
  };
  for (int i = 0; i < 4; ++i) throttle.failed("alice", "10.0.0.1", {});
  {
    const auto free = throttle.begin("alice", "10.0.0.1");
    CHECK_EQ(wait("alice", "10.0.0.1"), 0s);
  }
  throttle.failed("alice", "10.0.0.1", {});
  {
    const auto first = throttle.begin("alice", "10.0.0.1");
    CHECK_EQ(wait("alice", "10.0.0.2"), 1s);
    CHECK_EQ(wait("bob", "10.0.0.1"), 0s);
  }
  CHECK_EQ(wait("alice", "10.0.0.2"), 0s);
  for (int i = 0; i < 5; ++i) throttle.device_failed("phone", "10.0.0.1", {});
  const auto by_device = throttle.begin_by_device("phone");
  CHECK_EQ(throttle.wait_for_device("phone", base::Instant{} + 1s), 1s);
}

TEST_CASE("an account is slowed down wherever the guesses come from, and others are not") {
  LoginThrottle throttle;
  for (int i = 0; i < 10; ++i) throttle.failed("alice", "10.0.0." + std::to_string(i), {});
  CHECK(throttle.wait_for("alice", "192.0.2.1", {}) > 0s);
  CHECK_EQ(throttle.wait_for("bob", "192.0.2.1", {}), 0s);
}

TEST_CASE("an address that tries many accounts is slowed down for all of them") {
  LoginThrottle throttle;
  for (int i = 0; i < 25; ++i) throttle.failed("user" + std::to_string(i), "10.0.0.1", {});
  CHECK(throttle.wait_for("somebody", "10.0.0.1", {}) > 0s);
  CHECK_EQ(throttle.wait_for("somebody", "10.0.0.2", {}), 0s);
}

TEST_CASE("a success clears the account and not the address") {
  LoginThrottle throttle{{.account_mistakes_free = 1, .address_mistakes_free = 1}};
  throttle.failed("alice", "10.0.0.1", {});
  throttle.failed("alice", "10.0.0.1", {});
  throttle.succeeded("alice");
  CHECK_EQ(throttle.wait_for("alice", "10.0.0.2", {}), 0s);
  CHECK(throttle.wait_for("alice", "10.0.0.1", {}) > 0s);
}

TEST_CASE("a known device waits for its own mistakes alone, and clears nobody else's (T64)") {
  LoginThrottle throttle;
  for (int i = 0; i < 40; ++i) throttle.failed("alice", "10.0.0.1", {});
  CHECK_EQ(throttle.wait_for_device("laptop", {}), 0s);
  throttle.device_succeeded("laptop");
  CHECK(throttle.wait_for("alice", "10.0.0.2", {}) > 0s);
  for (int i = 0; i < 5; ++i) throttle.device_failed("laptop", "10.0.0.3", {});
  CHECK_EQ(throttle.wait_for_device("laptop", {}), 1s);
  CHECK_EQ(throttle.wait_for_device("phone", {}), 0s);
  CHECK_EQ(throttle.wait_for("bob", "10.0.0.3", {}), 0s);
  for (int i = 0; i < 15; ++i) throttle.device_failed("laptop", "10.0.0.3", {});
  CHECK(throttle.wait_for("bob", "10.0.0.3", {}) > 0s);
  throttle.device_succeeded("laptop");
  CHECK_EQ(throttle.wait_for_device("laptop", {}), 0s);
}

TEST_CASE("mistakes are forgotten after a quarter of an hour") {
  LoginThrottle throttle{{.account_mistakes_free = 1}};
  base::Instant now{};
  for (int i = 0; i < 30; ++i) throttle.failed("alice", "10.0.0.1", now);
  now = now + 15min;
  CHECK_EQ(throttle.wait_for("alice", "10.0.0.1", now), 0s);
  throttle.failed("alice", "10.0.0.1", now);
  CHECK_EQ(throttle.wait_for("alice", "10.0.0.1", now), 1s);
}

TEST_CASE("memory is bounded, and the oldest mistakes go first") {
  LoginThrottle throttle{{.account_mistakes_free = 1, .entries_max = 10}};
  base::Instant now{};
  for (int i = 0; i < 100; ++i) {
    throttle.failed("user" + std::to_string(i), "10.0.0.1", now);
    now = now + 1ms;
  }
  CHECK_EQ(throttle.wait_for("user0", "192.0.2.1", now), 0s);
  CHECK(throttle.wait_for("user99", "192.0.2.1", now) > 0s);
}

}  // namespace
}  // namespace troupe::oauth
