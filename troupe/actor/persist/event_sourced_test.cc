// Event-sourced actors: what is recorded, replayed, kept as snapshots, refused and fenced.
#include "troupe/actor/persist/event_sourced.h"

#include <doctest/doctest.h>

#include "troupe/actor/persist/testing/journal_world.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

enum class BankError { insufficient, refused };

struct Deposited {
  std::int64_t cents = 0;
};
struct Withdrawn {
  std::int64_t cents = 0;
};
struct Remarked {
  std::string text;
};
struct AccountState {
  std::int64_t cents = 0;
  std::int64_t events = 0;
};

struct Deposit {
  std::int64_t cents = 0;
  using reply = std::int64_t;
};
struct Withdraw {
  std::int64_t cents = 0;
  using reply = std::int64_t;
  using error = BankError;
};
/// Out and in again, in one step.
struct Convert {
  std::int64_t out = 0;
  std::int64_t in = 0;
  using reply = std::int64_t;
};
struct Remark {
  std::string text;
  using reply = bool;
};
struct Blurt {
  std::string text;
};
struct Balance {
  using reply = std::int64_t;
};
/// Of nothing that has happened.
struct RecordNothing {
  using reply = std::int64_t;
};
struct Break {};

/// How often `apply` and `recovered` ran, outside of any actor.
struct Counts {
  int applied = 0;
  int recovered = 0;
};
Counts counts;

class Account : public EventSourced<AccountState, Events<Deposited, Withdrawn, Remarked>> {
 public:
  static constexpr Snapshots snapshots{.every = 10, .keep = 2};
  static AccountState apply(AccountState s, const Deposited& e) noexcept {
    ++counts.applied;
    return {s.cents + e.cents, s.events + 1};
  }
  static AccountState apply(AccountState s, const Withdrawn& e) noexcept {
    ++counts.applied;
    return {s.cents - e.cents, s.events + 1};
  }
  static AccountState apply(AccountState s, const Remarked&) noexcept { return {s.cents, s.events + 1}; }

  void recovered(Context&) { ++counts.recovered; }

  Task<std::int64_t> handle(Deposit d) {
    co_await persist(Deposited{d.cents});
    co_return state().cents;
  }
  Task<std::expected<std::int64_t, BankError>> handle(Withdraw w) {
    if (state().cents < w.cents) co_return std::unexpected(BankError::insufficient);
    co_await persist(Withdrawn{w.cents});
    co_return state().cents;
  }
  Task<std::int64_t> handle(Convert c) {
    co_await persist(Withdrawn{c.out}, Deposited{c.in});
    co_return state().cents;
  }
  Task<bool> handle(Remark r) {
    auto written = co_await try_persist(Remarked{std::move(r.text)});
    co_return written.has_value();
  }
  Task<std::int64_t> handle(RecordNothing) {
    co_await persist(std::vector<Event>{});
    co_return state().events;
  }
  Task<void> handle(Blurt b) { co_await persist(Remarked{std::move(b.text)}); }
  std::int64_t handle(Balance) const { return state().cents; }
  void handle(Break) { throw std::runtime_error("broken"); }
};
static_assert(Handles<Account, Deposit> && Handles<Account, Withdraw>);

struct Bench : test::JournalWorld {
  explicit Bench(test::Seed seed) : JournalWorld(seed) { counts = {}; }
  void crash() {
    JournalWorld::crash();
    counts = {};
  }
  Ref<Account> account(std::string name = "alice", int core = any_core) {
    return spawn<Account>(std::move(name), core);
  }
};

TEST_CASE("what was answered is recorded, and a restart brings it back") {
  Bench bench{1};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{100}).value(), 100);
  CHECK_EQ(bench.ask(alice, Withdraw{30}).value(), 70);
  CHECK(bench.ask(alice, Withdraw{71}).error().domain == BankError::insufficient);
  alice.tell(Break{});
  CHECK_EQ(bench.ask(alice, Balance{}).value(), 70);
  CHECK_EQ(counts.recovered, 2);
  const auto events = bench.events("Account/alice");
  REQUIRE_EQ(events.size(), 2);
  CHECK_EQ(events[0].event.name, "Deposited");
  CHECK_EQ(events[1].event.name, "Withdrawn");
}

TEST_CASE("an entity is found again by its name alone, on another core and in another process") {
  Bench bench{2};
  CHECK_EQ(bench.ask(bench.account("alice", 0), Deposit{5}).value(), 5);
  CHECK_EQ(bench.ask(bench.account("bob", 1), Balance{}).value(), 0);
  bench.crash();
  CHECK_EQ(bench.ask(bench.account("alice", 1), Balance{}).value(), 5);
}

TEST_CASE("commands wait until the replay is through") {
  Bench bench{4};
  CHECK_EQ(bench.ask(bench.account(), Deposit{5}).value(), 5);
  bench.crash();
  bench.faults.delay_max = 1s;
  auto alice = bench.account();
  alice.tell(Deposit{7});
  CHECK_EQ(bench.ask(alice, Balance{}).value(), 12);
}

TEST_CASE("nothing else is handled until an event is durable") {
  Bench bench{6};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{100}).value(), 100);
  bench.faults.delay_max = 500ms;
  for (int i = 0; i < 5; ++i) alice.tell(Withdraw{60});  // only the first finds enough
  CHECK_EQ(bench.ask(alice, Balance{}).value(), 40);
}

TEST_CASE("several events are recorded as one") {
  Bench bench{7};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{100}).value(), 100);
  CHECK_EQ(bench.ask(alice, Convert{50, 45}).value(), 95);
  CHECK_EQ(bench.events("Account/alice").size(), 3);
  bench.faults.fails_before = {1};
  CHECK_FALSE(bench.ask(alice, Convert{50, 45}).has_value());
  bench.faults = {};
  CHECK_EQ(bench.ask(alice, Balance{}).value(), 95);
}

TEST_CASE("a list of no events records nothing and changes nothing") {
  Bench bench{7};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{100}).value(), 100);
  CHECK_EQ(bench.ask(alice, RecordNothing{}).value(), 1);
  CHECK_EQ(bench.events("Account/alice").size(), 1);
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 101);
}

TEST_CASE("a replay reads the newest snapshot and the events after it") {
  Bench bench{8};
  auto alice = bench.account();
  for (int i = 1; i <= 34; ++i) CHECK_EQ(bench.ask(alice, Deposit{1}).value(), i);
  CHECK_EQ(bench.snapshot("Account/alice")->sequence, 30);
  CHECK_EQ(bench.snapshot("Account/alice", 29)->sequence, 20);
  CHECK_FALSE(bench.snapshot("Account/alice", 19).has_value());
  bench.crash();
  CHECK_EQ(bench.ask(bench.account(), Balance{}).value(), 34);
  CHECK_EQ(counts.applied, 4);
}

TEST_CASE("a snapshot that fails costs a report and nothing else") {
  Bench bench{10};
  auto alice = bench.account();
  for (int i = 1; i <= 9; ++i) CHECK_EQ(bench.ask(alice, Deposit{1}).value(), i);
  // The tenth event is written and then the snapshot; only the second of the two fails.
  struct SecondFails final : Journal {
    explicit SecondFails(std::shared_ptr<Journal> to) : inner(std::move(to)) {}
    Task<Head> activate(PersistenceId id) override { return inner->activate(std::move(id)); }
    Task<std::optional<Head>> find(PersistenceId id) override { return inner->find(std::move(id)); }
    Task<std::expected<Sequence, Refusal>> append(PersistenceId id, Head head, std::vector<Record> events) override {
      return inner->append(std::move(id), head, std::move(events));
    }
    Task<std::vector<StoredEvent>> read(PersistenceId id, Sequence after, std::size_t most) override {
      return inner->read(std::move(id), after, most);
    }
    Task<std::expected<void, Refusal>> save(PersistenceId, Head, Record, std::size_t) override {
      throw JournalFailed("the disk is full");
      co_return std::expected<void, Refusal>{};
    }
    Task<std::optional<Snapshot>> load(PersistenceId id, Sequence most) override {
      return inner->load(std::move(id), most);
    }
    Task<std::expected<std::size_t, Refusal>> trim(PersistenceId id, Head head, Sequence up_to,
                                                   std::size_t most) override {
      return inner->trim(std::move(id), head, up_to, most);
    }
    Task<std::vector<PersistenceId>> entities(PersistenceId after, std::size_t most) override {
      return inner->entities(std::move(after), most);
    }
    std::shared_ptr<Journal> inner;
  };
  bench.world.system().provide<Journal>(std::make_shared<SecondFails>(bench.journal));
  alice.tell(Break{});
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 10);
  CHECK(bench.reported("has no snapshot at event 10: the disk is full"));
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 11);
}

TEST_CASE("what the journal does not take is a value, and the actor goes on") {
  Bench bench{11};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 1);
  CHECK(bench.ask(alice, Remark{"short"}).value());
  CHECK_FALSE(bench.ask(alice, Remark{std::string(event_bytes_max, 'x')}).value());
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 2);
  CHECK_EQ(counts.recovered, 1);
  CHECK_EQ(bench.events("Account/alice").size(), 3);
}

TEST_CASE("where nobody asked for the value it is a fault, and the restart finds everything before it") {
  Bench bench{12};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 1);
  alice.tell(Blurt{std::string(event_bytes_max, 'x')});
  CHECK_EQ(bench.ask(alice, Balance{}).value(), 1);
  CHECK_EQ(counts.recovered, 2);
}

TEST_CASE("after a write that failed the actor backs off, and the replay finds the truth") {
  struct Row {
    JournalFaults faults;
    std::int64_t balance;
  };
  const Row rows[] = {{{.fails_before = {1}}, 1}, {{.fails_after = {1}}, 11}};
  for (const Row& row : rows) {
    Bench bench{13};
    auto alice = bench.account();
    CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 1);
    bench.faults = row.faults;
    const auto answer = bench.ask(alice, Deposit{10});
    CHECK(answer.error().outcome == Outcome::executed_failed);
    CHECK_FALSE(answer.error().safe_to_retry());
    bench.faults = {};
    CHECK_EQ(bench.ask(alice, Balance{}).value(), row.balance);
    CHECK_EQ(counts.recovered, 2);
  }
}

TEST_CASE("an append that is under way when the actor is restarted settles or is fenced before the replay") {
  int settled = 0;
  int fenced = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        Bench bench{seed};
        auto alice = bench.account();
        CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 1);
        bench.faults.delay_max = 400ms;
        alice.tell(Deposit{10});
        bench.world.advance(Duration{1ms * (1 + seed.number % 60 * 5)});
        // The actor is suspended, so a message would wait; its parent stops it and a successor takes over at once.
        auto successor = bench.account();
        const std::int64_t found = bench.ask(successor, Balance{}).value();
        bench.world.advance(10s);
        CHECK_EQ(bench.ask(successor, Balance{}).value(), found);
        CHECK_EQ(bench.events("Account/alice").size(), found == 1 ? 1 : 2);
        (found == 1 ? fenced : settled) += 1;
      },
      [&] {
        CHECK_GT(settled, 10);
        CHECK_GT(fenced, 10);
      });
}

TEST_CASE("of two activations only the newer commits; the older stops and says why") {
  Bench bench{14};
  auto older = bench.account("alice", 0);
  CHECK_EQ(bench.ask(older, Deposit{1}).value(), 1);
  auto newer = bench.account("alice", 1);
  CHECK_EQ(bench.ask(newer, Deposit{10}).value(), 11);
  const auto late = bench.ask(older, Deposit{100});
  CHECK(late.error().outcome == Outcome::executed_failed);
  CHECK_EQ(bench.ask(newer, Deposit{1000}).value(), 1011);
  CHECK_EQ(bench.events("Account/alice").size(), 3);
  CHECK(bench.ask(older, Balance{}).error().outcome == Outcome::not_executed);
  CHECK(bench.reported("another activation has taken over"));
}

TEST_CASE("an older activation stops also where it is to run always, and does not come back to fence the newer one") {
  Bench bench{16};
  auto older = bench.world.spawn<Account>({.name = "alice", .restart = Restart::permanent});
  CHECK_EQ(bench.ask(older, Deposit{1}).value(), 1);
  auto newer = bench.account("alice", 1);
  CHECK_EQ(bench.ask(newer, Deposit{10}).value(), 11);
  CHECK(bench.ask(older, Deposit{100}).error().outcome == Outcome::executed_failed);
  bench.world.advance(1min);
  CHECK_EQ(bench.ask(newer, Deposit{1000}).value(), 1011);
  CHECK(bench.ask(older, Balance{}).error().outcome == Outcome::not_executed);
  CHECK_EQ(counts.recovered, 2);
}

struct Hurried {
  Duration within;
  Ref<Account> account;
  using reply = bool;
};
/// Asks with little patience.
class Hasty {
 public:
  Task<bool> handle(Hurried m) {
    auto answer = co_await m.account.ask(Deposit{10}, {.within = m.within});
    co_return answer.has_value();
  }
};

TEST_CASE("an event that was handed over is recorded, however impatient who asked for it") {
  Bench bench{15};
  auto alice = bench.account();
  CHECK_EQ(bench.ask(alice, Deposit{1}).value(), 1);
  bench.faults.delay_max = 2s;
  CHECK_FALSE(bench.ask(bench.world.spawn<Hasty>({}), Hurried{100ms, alice}).value());
  bench.world.advance(10s);
  CHECK_EQ(bench.ask(alice, Balance{}).value(), 11);
  CHECK_EQ(counts.recovered, 1);
}

// ---- apply that throws ----

struct Step {
  bool fatal = false;
};
struct Walk {
  bool fatal = false;
};
struct Steps {
  using reply = std::int64_t;
};
struct StepState {
  std::int64_t n = 0;
};
bool clumsy = false;

class Walker : public EventSourced<StepState, Events<Step>> {
 public:
  static StepState apply(StepState s, const Step& step) {
    if (step.fatal && clumsy) throw std::runtime_error("it stumbled");
    return {s.n + 1};
  }
  std::string persistence_id() const { return "the-walker"; }
  Task<void> handle(Walk w) {
    try {
      co_await persist(Step{w.fatal});
    } catch (const std::runtime_error&) {
      threw_ = true;  // and goes on, as it should not
    }
  }
  std::int64_t handle(Steps) const { return threw_ ? -1 : state().n; }

 private:
  bool threw_ = false;
};

TEST_CASE("an actor that swallows a failure records nothing until it is restarted") {
  for (const bool stumbles : {true, false}) {  // over its own apply, or over the journal
    Bench bench{19};
    auto walker = bench.world.spawn<Walker>({});
    walker.tell(Walk{});
    CHECK_EQ(bench.ask(walker, Steps{}).value(), 1);
    clumsy = stumbles;
    bench.faults = {.fails_after = {stumbles ? 0u : 1u}};
    walker.tell(Walk{.fatal = true});
    CHECK_EQ(bench.ask(walker, Steps{}).value(), -1);
    bench.faults = {};
    clumsy = false;
    walker.tell(Walk{});
    CHECK_EQ(bench.ask(walker, Steps{}).value(), -1);
    CHECK_EQ(bench.events("the-walker").size(), 2);
  }
}

}  // namespace
