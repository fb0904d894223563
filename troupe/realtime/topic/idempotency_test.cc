// IdempotencyWindow: how long keys are remembered, and who makes whose be forgotten.
#include "troupe/realtime/topic/idempotency.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

IdempotencyKey key(std::string_view user, int number) {
  return {UserId{std::string{user}}, KeyedOperation::publish, TopicName::parse("a").value(), std::to_string(number)};
}

struct Window : IdempotencyWindow<DirectAck> {
  explicit Window(IdempotencyOptions options) : IdempotencyWindow(options) {}
  /// The message of a user came to so many connections.
  void answer(std::string_view user, int number, std::size_t connections, std::uint64_t ticket = 0) {
    keep(key(user, number), ticket, {MessageId{}, std::vector<ConnectionId>(connections), 0}, now);
  }
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

TEST_CASE("an answer that names many connections takes the places of as many keys as its memory is worth") {
  Window window{{.keys_max = 1000, .keys_of_user_max = 100}};
  constexpr std::size_t connections = 1000;
  constexpr std::size_t places = 1 + connections * sizeof(ConnectionId) / Window::place_bytes;
  window.add_all("bob", 1, 1);
  window.add_all("ada", 1, 100 - static_cast<int>(places));
  window.answer("ada", 20, connections);
  CHECK(window.knows("ada", 2));
  window.add_all("ada", 101, 101);
  CHECK(window.knows("ada", 1));
  window.add_all("ada", 102, 102);
  CHECK_FALSE(window.knows("ada", 1));
  window.answer("ada", 102, connections);
  CHECK_FALSE(window.knows("ada", 20));
  CHECK_EQ(window.find(key("ada", 102), window.now)->answer->connections.size(), connections);
  CHECK(window.knows("bob", 1));
}

TEST_CASE("large answers of many users make the oldest of all be forgotten, and give their places back") {
  Window window{{.keys_max = 100, .keys_of_user_max = 100}};
  for (int i = 1; i <= 50; ++i) {
    const std::string user = "user" + std::to_string(i);
    window.add_all(user, 1, 1);
    window.answer(user, 1, 1000);
    CHECK_EQ(window.size(), 1);
  }
  window.add_all("ada", 1, 99);
  CHECK_EQ(window.size(), 99);
}

TEST_CASE("an answer that is larger than the share of its user is not kept") {
  Window window{{.keys_max = 100, .keys_of_user_max = 10}};
  window.add_all("ada", 1, 2);
  window.answer("ada", 1, 1000);
  CHECK_FALSE(window.knows("ada", 1));
  CHECK(window.knows("ada", 2));
}

TEST_CASE("an answer that comes after its key was forgotten is not the one of who uses the key anew") {
  Window window{{.keys_max = 1, .keys_of_user_max = 1}};
  window.add(key("ada", 1), 0, window.now, 7);
  window.add(key("ada", 2), 0, window.now, 8);
  window.add(key("ada", 1), 0, window.now, 9);
  window.answer("ada", 1, 5, 7);
  CHECK_FALSE(window.find(key("ada", 1), window.now)->answer);
  window.answer("ada", 1, 3, 9);
  CHECK_EQ(window.find(key("ada", 1), window.now)->answer->connections.size(), 3);
}

}  // namespace
}  // namespace troupe::realtime
