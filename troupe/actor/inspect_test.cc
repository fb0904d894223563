// Inspection and figures: what an operator sees is what has happened, counted once.
#include "troupe/actor/inspect.h"

#include <doctest/doctest.h>

#include <deque>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Ping {
  using reply = int;
};
struct Break {};
struct Nap {
  Duration length;
};

class Seen {
 public:
  int handle(Ping) { return 1; }
  void handle(Break) { throw std::runtime_error("broken"); }
  Task<void> handle(Nap m) { co_await sleep(m.length); }
  void inspect(Inspection& out) const { out.add("answer", 42); }
};

/// Cannot be looked at.
class Shy {
 public:
  int handle(Ping) { return 1; }
  void inspect(Inspection&) const { throw std::runtime_error("look away"); }
};

TypeFigures figures(test::World& w, std::string_view type) {
  for (const auto& all : figures_of(w.system())) {
    if (all.type == type) return all;
  }
  return {};
}

std::uint64_t dropped(const TypeFigures& figures, Drop reason) {
  return figures.dropped[static_cast<std::size_t>(reason)];
}

InspectedActor find(test::World& w, std::string_view path) {
  for (const auto& actor : w.block_on(w.system().inspect())) {
    if (actor.path == path) return actor;
  }
  return {};
}

}  // namespace

TEST_CASE("an actor shows its mailbox, its faults, its restarts and what it adds itself") {
  test::World w{1};
  auto seen = w.spawn<Seen>({.name = "seen", .core = 1, .mailbox = {.capacity = 7}});
  seen.tell(Break{});
  w.advance(1s);
  seen.tell(Nap{1h});
  seen.tell(Break{});
  w.run_until_idle();
  const auto actor = find(w, "/seen");
  CHECK_EQ(actor.state, "waiting");
  CHECK_EQ(actor.mailbox_depth, 1);
  CHECK_EQ(actor.mailbox_capacity, 7);
  CHECK_EQ(actor.errors, 1);
  CHECK_EQ(actor.restarts, 1);
  CHECK_EQ(actor.last_failure, "broken (during Break)");
  CHECK_EQ(actor.handled, 2);    // the one that waits, and the one that failed
  CHECK_EQ(actor.in_flight, 1);  // the one that waits
  CHECK_EQ(actor.core, 1);
  REQUIRE_EQ(actor.details.size(), 1);
  CHECK_EQ(actor.details[0].second, "42");
}

TEST_CASE("an actor is idle since its last message, and one that never had any since its start") {
  test::World w{1, {.cores = 1}};
  auto seen = w.spawn<Seen>({.name = "seen"});
  w.spawn<Seen>({.name = "never"});
  w.run_until_idle();
  w.advance(10s);
  CHECK_EQ(w.block_on(seen.ask(Ping{})).value(), 1);
  w.advance(3s);
  CHECK_EQ(find(w, "/seen").idle, 3s);
  CHECK_EQ(find(w, "/seen").in_flight, 0);
  CHECK_EQ(find(w, "/never").idle, 13s);
  CHECK_EQ(find(w, "/never").handled, 0);
}

TEST_CASE("how long an actor handles its messages is kept for itself once somebody asks, until it is called off") {
  test::World w{1, {.cores = 2, .cost_per_message = 5us}};
  auto seen = w.spawn<Seen>({.name = "seen", .core = 1});
  auto other = w.spawn<Seen>({.name = "other", .core = 1});
  const auto ping = [&](int times) {
    for (int i = 0; i < times; ++i) CHECK_EQ(w.block_on(seen.ask(Ping{})).value(), 1);
    CHECK_EQ(w.block_on(other.ask(Ping{})).value(), 1);
  };
  ping(2);
  CHECK_FALSE(find(w, "/seen").handling_time);
  CHECK(w.block_on(w.system().measure("/seen")));
  CHECK_FALSE(w.block_on(w.system().measure("/nobody")));
  ping(3);
  const auto time = find(w, "/seen").handling_time;
  REQUIRE(time);
  CHECK_EQ(time->count(), 3);  // a simulated core measures every message
  CHECK_FALSE(find(w, "/other").handling_time);
  CHECK(w.block_on(w.system().measure("/seen", false)));
  CHECK_FALSE(find(w, "/seen").handling_time);
  const auto by_core = figures(w, "Seen").handling_time;
  REQUIRE_EQ(by_core.size(), 1);
  CHECK_EQ(by_core.at(1).count(), 7);
}

TEST_CASE("what waits is counted by class, on all cores") {
  test::World w{1, {.cores = 2}};
  for (const int core : {0, 1}) {
    auto seen = w.spawn<Seen>({.core = core});
    seen.tell(Nap{1h});
    for (int i = 0; i <= core; ++i) seen.tell(Break{});
  }
  w.run_until_idle();
  const auto mailboxes = w.block_on(w.system().mailboxes());
  REQUIRE(mailboxes.contains("Seen"));
  CHECK_EQ(mailboxes.at("Seen").waiting, 3);
  CHECK_EQ(mailboxes.at("Seen").deepest, 2);
}

TEST_CASE("far more than 256 classes of actors are told apart") {
  static std::deque<ActorType> classes;
  test::World w{1, {.cores = 1}};
  for (int i = 0; i < 600; ++i) {
    classes.emplace_back();
    classes.back().name = "one of many";
    w.core(0).stats(classes.back()).handled.add(1);
  }
  std::uint64_t handled = 0;
  for (const auto& all : figures_of(w.system())) handled += all.type == "one of many" ? all.handled : 0;
  CHECK_EQ(handled, 600);
}

TEST_CASE("an actor that cannot be looked at does not hide the others") {
  test::World w{1};
  w.spawn<Shy>({.name = "shy"});
  w.spawn<Seen>({.name = "seen"});
  w.run_until_idle();
  CHECK_EQ(find(w, "/seen").type, "Seen");
  CHECK_EQ(find(w, "/shy").details.at(0).second, "failed: look away");
}

TEST_CASE("each message is counted once: handled, failed, or dropped for one reason") {
  test::World w{1, {.cores = 1}};
  auto seen = w.spawn<Seen>({});
  CHECK_EQ(w.block_on(seen.ask(Ping{})).value(), 1);
  seen.tell(Nap{1s});
  CHECK_FALSE(w.block_on(seen.ask(Ping{}, {.within = 100ms})).has_value());
  w.advance(2s);
  seen.tell(Break{});
  w.advance(1s);
  seen.tell(Nap{1h});
  w.run_until_idle();
  seen.tell(Break{});
  lifecycle::request_stop(nullptr, seen.address());
  w.run_until_idle();
  seen.tell(Break{});
  w.run_until_idle();
  const auto counted = figures(w, "Seen");
  CHECK_EQ(counted.handled, 4);
  CHECK_EQ(counted.failed, 1);
  CHECK_EQ(counted.restarted, 1);
  CHECK_EQ(counted.stopped, 1);
  CHECK_EQ(dropped(counted, Drop::expired), 1);
  CHECK_EQ(dropped(counted, Drop::stopped), 1);
  CHECK_EQ(dropped(counted, Drop::dead), 1);
  CHECK_EQ(dropped(figures(w, "(gone)"), Drop::late_reply), 0);
}
