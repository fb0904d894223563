// Inspection and figures: what an operator sees is what has happened, counted once.
#include "troupe/actor/inspect.h"

#include <doctest/doctest.h>

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
