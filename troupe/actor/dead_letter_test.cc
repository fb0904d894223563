// Dead letters: each drop is told to who listens, with sender, message and reason, and a storm of them is bounded.
#include "troupe/actor/runtime/dead_letter.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

std::vector<DeadLetter> letters;  // a listener is a plain function
Ref<struct Mourner> mourner;

struct Put {
  int n = 0;
};
struct Shed {
  static constexpr auto message_class = MessageClass::sheddable;
};
struct Get {
  using reply = int;
};
struct Hold {
  Duration length;
};

struct Grave {
  void handle(Put) {}
  void handle(Shed) {}
  int handle(Get) { return 1; }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
};

struct Tell {
  int count;
};
struct Teller {
  explicit Teller(Ref<Grave> its_grave) : grave(its_grave) {}
  void handle(Tell m) {
    for (int i = 0; i < m.count; ++i) grave.tell(Put{i});
  }
  Ref<Grave> grave;
};

struct Mourner {
  void handle(DeadLetter m) { letters.push_back(m); }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
};

/// Listens while it lives.
struct Listening {
  explicit Listening(
      Host& its_host,
      DeadLetterListener listener =
          [](Core&, std::span<const DeadLetter> told) { letters.insert(letters.end(), told.begin(), told.end()); })
      : host(its_host) {
    letters.clear();
    host.hear_dead_letters(listener);
  }
  Listening(const Listening&) = delete;
  ~Listening() { host.hear_dead_letters(nullptr); }
  Host& host;
};

std::uint64_t left_out(Host& host) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < host.core_count(); ++i) sum += host.core(i).dead_letters_left_out();
  return sum;
}

}  // namespace

TEST_CASE("each drop is told with its sender, its target, the types and the reason") {
  test::World w{5};
  auto grave = w.spawn<Grave>({.core = 1, .mailbox = {.capacity = 1, .overflow = Overflow::drop_oldest}});
  auto teller = w.spawn<Teller>({.core = 0}, grave);
  w.run_until_idle();
  const Listening listening{w.system()};
  grave.tell(Hold{1s});
  w.run_until_idle();
  teller.tell(Tell{2});  // the second evicts the first
  w.run_until_idle();
  lifecycle::request_stop(nullptr, grave.address());
  w.run_until_idle();
  grave.tell(Shed{});
  w.run_until_idle();
  REQUIRE_EQ(letters.size(), 3);
  for (const auto& letter : letters) {
    CHECK_EQ(letter.actor_type, "Grave");
    CHECK_EQ(letter.target, lifecycle::id_of(grave.address()));
  }
  CHECK_EQ(letters[0].sender, lifecycle::id_of(teller.address()));
  CHECK_EQ(letters[0].message, "Put");
  CHECK_EQ(letters[0].reason, Drop::oldest);
  CHECK_EQ(letters[1].reason, Drop::stopped);
  CHECK_EQ(letters[2].sender, ActorId{});  // a foreign thread
  CHECK_EQ(letters[2].message, "Shed");
  CHECK_EQ(letters[2].reason, Drop::dead);
}

TEST_CASE("nobody is told while nobody listens, and a late reply has a letter too") {
  test::World w{6};
  auto grave = w.spawn<Grave>({.core = 1});
  lifecycle::request_stop(nullptr, grave.address());
  w.run_until_idle();
  letters.clear();
  grave.tell(Put{});
  w.run_until_idle();
  CHECK(letters.empty());
  const Listening listening{w.system()};
  w.core(0).count_unaddressed(Drop::late_reply);
  w.core(0).post([](Core&) {});
  w.run_until_idle();
  REQUIRE_EQ(letters.size(), 1);
  CHECK_EQ(letters[0].reason, Drop::late_reply);
}

TEST_CASE("a storm of drops is told up to a bound each second, and the rest is counted") {
  test::World w{7};
  auto grave = w.spawn<Grave>({.core = 0, .mailbox = {.capacity = 1, .overflow = Overflow::drop_newest}});
  auto teller = w.spawn<Teller>({.core = 0}, grave);
  w.run_until_idle();
  const Listening listening{w.system()};
  grave.tell(Hold{1h});
  w.run_until_idle();
  teller.tell(Tell{5001});
  w.run_until_idle();
  CHECK_EQ(letters.size(), 1000);
  CHECK_EQ(left_out(w.system()), 4000);
  w.advance(1s);
  teller.tell(Tell{10});
  w.run_until_idle();
  CHECK_EQ(letters.size(), 1010);
}

TEST_CASE("a listener may tell the dropped what was dropped: notices of notices do not come, and no bound is passed") {
  test::World w{8};
  mourner = w.spawn<Mourner>({.core = 0, .mailbox = {.capacity = 2, .overflow = Overflow::drop_oldest}});
  auto grave = w.spawn<Grave>({.core = 0, .mailbox = {.capacity = 1, .overflow = Overflow::drop_newest}});
  auto teller = w.spawn<Teller>({.core = 0}, grave);
  w.run_until_idle();
  const Listening listening{w.system(), [](Core&, std::span<const DeadLetter> told) {
                              for (const auto& letter : told) mourner.tell(letter);
                            }};
  grave.tell(Hold{1h});
  mourner.tell(Hold{1s});
  w.run_until_idle();
  teller.tell(Tell{21});
  w.advance(2s);
  CHECK_EQ(letters.size(), 2);  // the last of twenty
  for (const auto& figures : figures_of(w.system())) {
    if (figures.type == "Mourner") CHECK_EQ(figures.dropped[static_cast<std::size_t>(Drop::oldest)], 18);
  }
}

TEST_CASE("what a full inbox refuses a foreign thread is counted by the type that it was for, and told") {
  test::World w{9};
  auto grave = w.spawn<Grave>({.core = 0, .mailbox = {.capacity = 100'000}});
  w.run_until_idle();
  const Listening listening{w.system()};
  int refused = 0;
  for (int i = 0; i < 64 * 1024 + 3; ++i) refused += grave.tell(Put{i}) == Sent::full ? 1 : 0;
  w.run_until_idle();
  CHECK_EQ(refused, 3);
  REQUIRE_EQ(letters.size(), 1);
  CHECK_EQ(letters[0].actor_type, "Grave");
  CHECK_EQ(left_out(w.system()), 2);
}
