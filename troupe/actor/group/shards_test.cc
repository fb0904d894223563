// Shards: entities by key, created by their first message, put away when idle, and moved while they work.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Deposit {
  int cents;
  using reply = int;
};
struct Numbered {
  int from;
  int n;
};
struct Question {
  int id;
  Duration length;
  using reply = int;
};
struct Where {
  using reply = int;
};
struct Alarm {
  Duration after;
};
struct Rang {};
struct Break {};
struct GiveBirth {};
struct Self {
  using reply = Ref<Protocol<Numbered>>;
};
struct Child {};

struct Ledger {
  std::map<std::string, int> born;
  std::map<std::string, int> alive;
  std::map<std::string, int> alive_max;
  std::map<std::pair<std::string, int>, std::vector<int>> notes;  // by entity and source
  std::map<int, int> executed;
  std::map<int, int> outcomes;
  std::map<int, Outcome> failed;
  int rang = 0;
};
using Book = std::shared_ptr<Ledger>;

class Account {
 public:
  static constexpr bool migrates = true;

  Account(std::string key, Book book) : key_(std::move(key)), book_(std::move(book)) {
    ++book_->born[key_];
    const int alive = ++book_->alive[key_];
    book_->alive_max[key_] = std::max(book_->alive_max[key_], alive);
  }
  Account(const Account&) = delete;
  ~Account() { --book_->alive[key_]; }

  int handle(Deposit m) { return cents_ += m.cents; }
  void handle(Numbered m) { book_->notes[{key_, m.from}].push_back(m.n); }
  Task<int> handle(Question m) {
    if (m.length > Duration::zero()) co_await sleep(m.length);
    ++book_->executed[m.id];
    co_return m.id;
  }
  int handle(Where, Context& ctx) { return ctx.core().index(); }
  void handle(Alarm m, Context& ctx) { ctx.after(this, m.after, Rang{}); }
  void handle(Rang) { ++book_->rang; }
  void handle(Break) { throw std::runtime_error("broken"); }
  void handle(GiveBirth, Context& ctx) { ctx.spawn<Child>({}); }
  Ref<Protocol<Numbered>> handle(Self, Context& ctx) { return ctx.self(this); }

 private:
  std::string key_;
  Book book_;
  int cents_ = 0;
};

struct Fixture {
  explicit Fixture(ShardOptions options = {.count = 16}, test::Seed seed = 3)
      : w(seed, {.cores = 3}), accounts(w, std::move(options), book) {}
  int deposit(const std::string& key, int cents) { return w.block_on(accounts.ref(key).ask(Deposit{cents})).value(); }
  int where(const std::string& key) { return w.block_on(accounts.ref(key).ask(Where{})).value(); }
  std::expected<void, Failure<MoveError>> move(const std::string& key, int core) {
    return w.block_on(accounts.move(accounts.shard_of(key), core));
  }

  Book book = std::make_shared<Ledger>();
  test::World w;
  Shards<Account> accounts;
};

}  // namespace

TEST_CASE("an entity is made by its first message, and its key always reaches the same one") {
  Fixture f;
  CHECK_EQ(f.deposit("alice", 100), 100);
  CHECK_EQ(f.deposit("bob", 5), 5);
  CHECK_EQ(f.deposit("alice", 20), 120);
  CHECK_EQ(f.book->born["alice"], 1);
  CHECK_FALSE(f.book->born.contains("carol"));
  for (const std::string key : {"alice", "bob", "carol", "dave", "erin"}) {
    CHECK_EQ(f.where(key), static_cast<int>(f.accounts.shard_of(key) % 3));
    CHECK_EQ(f.w.block_on(f.accounts.locate(f.accounts.shard_of(key))).value(), f.where(key));
  }
}

TEST_CASE("a placement decides where shards live at first") {
  struct AllOnOne final : Placement {
    std::size_t place_of(std::uint32_t, std::size_t places) const override { return places - 1; }
  };
  Fixture f{{.count = 8, .placement = std::make_shared<AllOnOne>()}};
  CHECK_EQ(f.where("alice"), 2);
  CHECK_EQ(f.where("bob"), 2);
}

TEST_CASE("an idle entity is put away and made anew by its next message, and nothing told meanwhile is lost") {
  Fixture f{{.count = 4, .passivate_after = 1s}};
  f.deposit("alice", 1);
  f.w.advance(500ms);
  f.deposit("alice", 1);
  f.w.advance(700ms);
  CHECK_EQ(f.book->alive["alice"], 1);  // the second message came in between
  f.w.advance(2s);
  CHECK_EQ(f.book->alive["alice"], 0);
  CHECK_EQ(f.deposit("alice", 1), 1);
  CHECK_EQ(f.book->born["alice"], 2);

  // At every moment around the passivation: in order, and never two of one key at once.
  struct Steady {
    ShardRef<Account> to;
    int sent = 0;
    void handle(Rang, Context& ctx) {
      for (int i = 0; i < 3; ++i) to.tell(Numbered{1, ++sent});
      ctx.after(this, 1s + Duration{1'000'000} * static_cast<std::int64_t>(ctx.random().below(300)), Rang{});
    }
  };
  f.w.spawn<Steady>({.core = 1}, f.accounts.ref("bob")).tell(Rang{});
  f.w.advance(60s);
  const auto& notes = f.book->notes[{"bob", 1}];
  for (std::size_t i = 0; i < notes.size(); ++i) REQUIRE_EQ(notes[i], static_cast<int>(i) + 1);
  CHECK_GT(notes.size(), 120);
  CHECK_GT(f.book->born["bob"], 5);
  CHECK_EQ(f.book->alive_max["bob"], 1);
}

TEST_CASE("an entity with a timer, a suspended handler or a reason of its own is not put away") {
  Fixture f{{.count = 4, .passivate_after = 1s}};
  f.accounts.ref("alice").tell(Alarm{10s});
  f.w.advance(9s);
  CHECK_EQ(f.book->alive["alice"], 1);
  f.w.advance(5s);
  CHECK_EQ(f.book->rang, 1);
  CHECK_EQ(f.book->alive["alice"], 0);
}

TEST_CASE("an entity that fails is started again, and its siblings do not notice") {
  Fixture f{{.count = 16, .passivate_after = {}}};
  f.deposit("alice", 100);
  f.deposit("bob", 100);
  for (int i = 0; i < 20; ++i) {
    f.accounts.ref("alice").tell(Break{});
    f.w.advance(30s);
  }
  CHECK_EQ(f.deposit("bob", 1), 101);
  CHECK_EQ(f.deposit("alice", 1), 1);
}

TEST_CASE("a shard moves with its state, its timers and its queue, and references stay good") {
  Fixture f{{.count = 4}};
  f.deposit("alice", 100);
  const auto alice = f.accounts.ref("alice");
  const auto plain = f.w.block_on(alice.ask(Self{})).value();
  alice.tell(Alarm{2s});
  const int before = f.where("alice");
  REQUIRE(f.move("alice", (before + 1) % 3).has_value());
  CHECK_EQ(f.where("alice"), (before + 1) % 3);
  CHECK_EQ(f.w.block_on(f.accounts.locate(f.accounts.shard_of("alice"))).value(), (before + 1) % 3);
  CHECK_EQ(f.deposit("alice", 1), 101);
  CHECK_EQ(f.book->born["alice"], 1);
  f.w.advance(3s);
  CHECK_EQ(f.book->rang, 1);
  plain.tell(Numbered{9, 1});  // the address that it had there
  f.w.run_until_idle();
  CHECK_EQ((f.book->notes[{"alice", 9}]), std::vector{1});
  REQUIRE(f.move("alice", before).has_value());
  CHECK_EQ(f.deposit("alice", 1), 102);
  f.w.advance(10min);
  CHECK_EQ(f.book->alive["alice"], 0);  // also where it did not start
}

TEST_CASE("a move waits for what is suspended, lets nothing new begin, and gives up in time") {
  Fixture f{{.count = 1, .move_within = 100ms}};
  const auto alice = f.accounts.ref("alice");
  const int before = f.where("alice");
  auto suspend = [&](int id, Duration length) {
    f.w.system().run_as_guest([](ShardRef<Account> to, int n, Duration held) -> Task<void> {
      auto slow = co_await to.ask(Question{n, held});
      CHECK(slow.has_value());
    }(alice, id, length));
    f.w.run_until_idle();
  };
  suspend(1, 20ms);
  CHECK(f.move("alice", (before + 1) % 3).has_value());

  alice.tell(Deposit{1});
  suspend(2, 1s);
  alice.tell(Numbered{1, 1});
  const auto refused = f.move("alice", before);
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().domain, MoveError::is_busy);
  CHECK_EQ(f.w.block_on(f.accounts.locate(0)).value(), (before + 1) % 3);
  f.w.advance(2s);
  CHECK_EQ((f.book->notes[{"alice", 1}]), std::vector{1});
  CHECK_EQ(f.deposit("alice", 1), 2);
}

TEST_CASE("an ask that moved with its actor is withdrawn where it is now") {
  Fixture f{{.count = 1}};
  const int before = f.where("alice");
  auto asked = std::make_shared<std::map<int, Outcome>>();
  const auto ask = [&](int id, Duration length, Duration within) {
    struct Asker {
      Task<int> handle(Question m) {
        auto answer = co_await to.ask(m, {.within = within});
        if (!answer) asked->emplace(m.id, answer.error().outcome);
        co_return 0;
      }
      ShardRef<Account> to;
      Duration within;
      std::shared_ptr<std::map<int, Outcome>> asked;
    };
    f.w.spawn<Asker>({.core = before}, f.accounts.ref("alice"), within, asked).tell(Question{id, length});
    f.w.run_until_idle();
  };
  ask(1, 20ms, 1s);     // what the move waits for
  ask(2, 500ms, 60ms);  // goes along; its asker gives up while it sleeps there
  ask(3, 0ms, 50ms);    // goes along; its asker gives up while it waits for the second
  CHECK(f.move("alice", (before + 1) % 3).has_value());
  f.w.advance(5s);
  CHECK(f.book->executed == std::map<int, int>{{1, 1}});
  CHECK(*asked == std::map<int, Outcome>{{2, Outcome::unknown}, {3, Outcome::unknown}});
}

TEST_CASE("what cannot move says why") {
  Fixture f{{.count = 2}};
  f.accounts.ref("alice").tell(GiveBirth{});
  f.w.run_until_idle();
  const int core = f.where("alice");
  CHECK_EQ(f.move("alice", (core + 1) % 3).error().domain, MoveError::has_children);
  CHECK_EQ(f.deposit("alice", 1), 1);
  CHECK_EQ(f.move("alice", 17).error().domain, MoveError::no_such_place);
  CHECK(f.move("alice", core).has_value());
}

TEST_CASE("the hottest shard that helps is chosen, and none while loads are even") {
  using detail::choose_shard;
  CHECK_FALSE(choose_shard({0, 1, 0, 1}, {5, 5, 5, 5}, 2, 1.25).has_value());
  CHECK_FALSE(
      choose_shard({0, 1}, {100, 1}, 2, 1.25).has_value());  // one alone is too hot: moving it moves the trouble
  const auto choice = choose_shard({0, 0, 0, 1, 2}, {50, 30, 10, 5, 20}, 3, 1.25);
  REQUIRE(choice.has_value());
  CHECK_EQ(choice->shard, 0);
  CHECK_EQ(choice->to, 1);
}

TEST_CASE("when one core stays busier than the others, its hottest shards move away") {
  struct AllOnOne final : Placement {
    std::size_t place_of(std::uint32_t, std::size_t) const override { return 0; }
  };
  Fixture f{{.count = 8, .placement = std::make_shared<AllOnOne>(), .balance = {.every = 100ms}}};
  struct Load {
    Shards<Account> accounts;
    void handle(Rang, Context& ctx) {
      for (int i = 0; i < 24; ++i) accounts.ref("key-" + std::to_string(i)).tell(Numbered{0, 0});
      ctx.after(this, 5ms, Rang{});
    }
  };
  f.w.spawn<Load>({}, f.accounts).tell(Rang{});
  f.w.advance(10s);
  std::map<int, int> by_core;
  for (int i = 0; i < 24; ++i) ++by_core[f.where("key-" + std::to_string(i))];
  CHECK_EQ(by_core.size(), 3);
  for (const auto& [core, keys] : by_core) CHECK_LE(keys, 14);
}

namespace {

struct Act {
  int rounds;
};
/// Tells and asks entities at random, and checks what comes back.
class Source {
 public:
  static constexpr bool interleaves = true;
  Source(Shards<Account> accounts, int number, int keys, Book book)
      : accounts_(std::move(accounts)), number_(number), keys_(keys), book_(std::move(book)) {}

  Task<void> handle(Act m, Context& ctx) {
    if (m.rounds > 0) {
      ctx.after(this, Duration{100'000} * static_cast<std::int64_t>(ctx.random().below(20)), Act{m.rounds - 1});
    }
    for (int i = 0; i < 4; ++i) {
      const std::string key = "key-" + std::to_string(ctx.random().below(static_cast<std::uint64_t>(keys_)));
      const auto to = accounts_.ref(key);
      to.tell(Numbered{number_, ++sent_[key]});
      if (ctx.random().below(3) != 0) continue;
      const int id = number_ * 100'000 + ++asked_;
      const Duration length = ctx.random().below(2) == 0 ? Duration::zero() : Duration{1'500'000};
      auto answer = co_await to.ask(Question{id, length}, {.within = ctx.random().below(4) == 0 ? 2ms : 5s});
      ++book_->outcomes[id];
      if (!answer) book_->failed[id] = answer.error().outcome;
      if (answer) CHECK_EQ(*answer, id);
    }
  }

 private:
  Shards<Account> accounts_;
  int number_;
  int keys_;
  Book book_;
  std::map<std::string, int> sent_;
  int asked_ = 0;
};

struct Shuffle {
  int rounds;
};
class Mover {
 public:
  Mover(Shards<Account> accounts, std::shared_ptr<int> moved)
      : accounts_(std::move(accounts)), moved_(std::move(moved)) {}
  Task<void> handle(Shuffle m, Context& ctx) {
    for (int i = 0; i < m.rounds; ++i) {
      const auto shard = static_cast<std::uint32_t>(ctx.random().below(accounts_.count()));
      auto done = co_await accounts_.move(shard, static_cast<int>(ctx.random().below(3)));
      *moved_ += done.has_value();
      if (ctx.random().below(3) == 0) co_await ctx.sleep(1ms);
    }
  }

 private:
  Shards<Account> accounts_;
  std::shared_ptr<int> moved_;
};

}  // namespace

TEST_CASE(
    "whatever moves, each sender's messages keep their order, none is lost or doubled, each ask has one outcome") {
  test::explore({.schedules = 60}, [&](test::Seed seed) {
    Fixture f{{.count = 4,
               .passivate_after = seed.number % 2 == 0 ? Duration{30ms} : Duration{2min},
               .entity = {.mailbox = {.capacity = 100'000}},
               .move_within = 5ms},
              seed};
    const int keys = 3 + static_cast<int>(seed.number % 5);
    auto moved = std::make_shared<int>(0);
    constexpr int rounds = 25;
    for (int i = 0; i < 4; ++i) f.w.spawn<Source>({.core = i % 3}, f.accounts, i, keys, f.book).tell(Act{rounds});
    for (int i = 0; i < 2; ++i) f.w.spawn<Mover>({.core = i}, f.accounts, moved).tell(Shuffle{60});
    f.w.advance(2min);
    std::size_t notes = 0;
    for (const auto& [who, numbers] : f.book->notes) {
      for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE_EQ(numbers[i], static_cast<int>(i) + 1);
      notes += numbers.size();
    }
    CHECK_EQ(notes, 4 * (rounds + 1) * 4);
    for (const auto& [id, times] : f.book->outcomes) CHECK_EQ(times, 1);
    for (const auto& [id, times] : f.book->executed) CHECK_EQ(times, 1);
    for (const auto& [id, outcome] : f.book->failed) {
      if (outcome == Outcome::not_executed) CHECK_FALSE(f.book->executed.contains(id));
    }
    for (const auto& [key, most] : f.book->alive_max) CHECK_EQ(most, 1);
    CHECK_GT(*moved, 10);
  });
}

namespace {

struct Till {
  int handle(Deposit m) { return *cents += m.cents; }
  std::shared_ptr<int> cents;
};
struct Pay {};
struct Payer {
  void handle(Pay) const {
    to.tell(Deposit{1});
    resize(pooled, 3);
    pooled.tell(Deposit{10});
  }
  ShardRef<Till> to;
  Ref<Till> pooled;
};

}  // namespace

TEST_CASE("an actor tells an entity, and resizes a pool, of another system as any foreign thread does") {
  auto cents = std::make_shared<int>(0);
  test::World there{1, {.cores = 1}};
  test::World here{2, {.cores = 3}};
  const Shards<Till> tills{there, {.count = 4}, cents};
  const auto pooled = pool<Till>(there, {.size = 1}, cents);
  there.run_until_idle();
  for (int core = 0; core < 3; ++core) {
    here.spawn<Payer>({.core = core}, tills.ref("one"), pooled).tell(Pay{});
    here.run_until_idle();
    there.run_until_idle();
  }
  CHECK_EQ(*cents, 33);
}
