// IdempotencyWindow: how long keys are remembered, and who makes whose be forgotten.
#include "troupe/realtime/topic/idempotency.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

IdempotencyKey key(std::string_view user, int number) {
  return {UserId{std::string{user}}, KeyedOperation::publish, TopicName::parse("a").value(), std::to_string(number)};
}

struct Window : IdempotencyWindow<int> {
  explicit Window(IdempotencyOptions options) : IdempotencyWindow(options) {}
  void add_all(std::string_view user, int from, int to) {
    for (int i = from; i <= to; ++i) add(key(user, i), 0, now);
  }
  bool knows(std::string_view user, int number) { return find(key(user, number), now) != nullptr; }
  base::Instant now{};
};

TEST_CASE("a key is remembered for its time") {
  Window window{{.window = 10s}};
  window.add_all("ada", 1, 2);
  window.now = window.now + 9s;
  CHECK(window.knows("ada", 1));
  window.now = window.now + 1s;
  CHECK_FALSE(window.knows("ada", 1));
  CHECK_EQ(window.size(), 0);
}

TEST_CASE("a user who uses many keys makes his own be forgotten, and nobody else's") {
  Window window{{.keys_max = 100, .keys_of_user_max = 3}};
  window.add_all("bob", 1, 1);
  window.add_all("ada", 1, 5);
  CHECK_FALSE(window.knows("ada", 2));
  CHECK(window.knows("ada", 3));
  CHECK(window.knows("ada", 5));
  CHECK(window.knows("bob", 1));
  CHECK_EQ(window.size(), 4);
}

TEST_CASE("past the bound the oldest of all is forgotten, also where its user comes with the next") {
  Window window{{.keys_max = 3, .keys_of_user_max = 3}};
  window.add_all("ada", 1, 1);
  window.add_all("bob", 1, 2);
  window.add_all("ada", 2, 2);
  CHECK_FALSE(window.knows("ada", 1));
  CHECK(window.knows("ada", 2));
  CHECK(window.knows("bob", 1));
  CHECK_EQ(window.size(), 3);
}

}  // namespace
}  // namespace troupe::realtime
