// Shards whose parent restarts them together with a sibling: references stay good, shards stay where they are, and a
// move that was under way comes to its end.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Deposit {
  int cents;
  using reply = int;
};
struct Where {
  using reply = int;
};
struct Break {};

struct Account {
  static constexpr bool migrates = true;
  int handle(Deposit m) { return cents += m.cents; }
  int handle(Where, Context& ctx) { return ctx.core().index(); }
  void handle(Break) { throw std::runtime_error("broken"); }
  int cents = 0;
};

struct Sibling {
  void handle(Break) { throw std::runtime_error("broken"); }
};

/// Has shards as its child, and restarts them together with the sibling.
struct Owner {
  explicit Owner(std::shared_ptr<Shards<Account>> its_accounts, ShardOptions its_options = {.count = 4})
      : accounts(std::move(its_accounts)), options(std::move(its_options)) {}
  void started(Context& ctx) {
    *accounts = Shards<Account>{ctx, options};
    sibling = ctx.spawn<Sibling>({});
  }
  void handle(Break) { sibling.tell(Break{}); }
  std::shared_ptr<Shards<Account>> accounts;
  ShardOptions options;
  Ref<Sibling> sibling;
};

constexpr const char* keys[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace"};

/// All keys begin anew, each where its shard is.
void check_begun_anew(test::World& w, const Shards<Account>& accounts) {
  for (const char* key : keys) {
    const auto one = accounts.ref(key);
    CHECK_EQ(w.block_on(one.ask(Deposit{1})).value_or(-1), 1);
    CHECK_EQ(w.block_on(one.ask(Deposit{1})).value_or(-1), 2);
    CHECK_EQ(w.block_on(one.ask(Where{})).value_or(-1), w.block_on(accounts.locate(accounts.shard_of(key))).value());
  }
}

}  // namespace

TEST_CASE("shards that are restarted with a sibling keep their references, and each shard its core") {
  const auto all = [](const std::exception_ptr&) { return Directive::restart_all; };
  for (const Supervision& together : {Supervision{.strategy = Strategy::all_for_one},
                                      Supervision{.strategy = Strategy::rest_for_one}, Supervision{.decide = all}}) {
    test::World w{3, {.cores = 3, .supervision = together}};
    auto sibling = w.spawn<Sibling>({});  // before them, so that they are the rest
    Shards<Account> accounts{w, {.count = 4}};
    for (const char* key : keys) CHECK_EQ(w.block_on(accounts.ref(key).ask(Deposit{100})).value(), 100);
    const auto shard = accounts.shard_of("alice");
    const int elsewhere = (w.block_on(accounts.locate(shard)).value() + 1) % 3;
    REQUIRE(w.block_on(accounts.move(shard, elsewhere)).has_value());
    for (int i = 0; i < 3; ++i) {
      sibling.tell(Break{});
      w.advance(1s);
      CHECK_EQ(w.block_on(accounts.locate(shard)).value(), elsewhere);
      check_begun_anew(w, accounts);
    }
    CHECK(w.block_on(accounts.move(shard, (elsewhere + 1) % 3)).has_value());
    CHECK_EQ(w.block_on(accounts.ref("alice").ask(Deposit{1})).value(), 3);
    w.shutdown();
  }
}

TEST_CASE("shards that an actor owns are restarted with its other children, or made anew with it") {
  test::World w{3, {.cores = 3}};
  auto accounts = std::make_shared<Shards<Account>>();
  auto owner = w.spawn<Owner>({.core = 1, .supervision = {.strategy = Strategy::all_for_one}}, accounts);
  w.run_until_idle();
  const Shards<Account> before = *accounts;
  check_begun_anew(w, before);
  owner.tell(Break{});
  w.advance(1s);
  check_begun_anew(w, before);
}

TEST_CASE("whenever shards are restarted, a move comes to its end, and all keys are where their shards are") {
  int moved = 0;
  int refused = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        const Supervision together{.strategy = Strategy::all_for_one,
                                   .intensity = {.restarts = 1000},
                                   .backoff = {.min = 1ms, .max = 2ms, .attempts_max = Backoff::unbounded}};
        test::World w{seed, {.cores = 3}};
        auto made = std::make_shared<Shards<Account>>();
        auto owner = w.spawn<Owner>({.core = 1, .supervision = together}, made,
                                    ShardOptions{.count = 4, .move_within = 5ms, .balance = {.every = 3ms}});
        w.run_until_idle();
        const Shards<Account> accounts = *made;
        int ended = 0;
        const auto move = [&](std::uint32_t shard, int core) {
          w.system().run_as_guest(
              [](Shards<Account> all, std::uint32_t which, int to, int* count, int* yes, int* no) -> Task<void> {
                auto done = co_await all.move(which, to);
                ++*count;
                ++*(done ? yes : no);
                if (!done) CHECK_EQ(done.error().outcome, Outcome::answered);
              }(accounts, shard, core, &ended, &moved, &refused));
        };
        constexpr int rounds = 10;
        for (int round = 0; round < rounds; ++round) {
          for (const char* key : keys) accounts.ref(key).tell(Deposit{1});
          w.run(w.random().below(40));
          for (std::uint32_t shard = 0; shard < 4; ++shard) move(shard, static_cast<int>(w.random().below(3)));
          w.run(w.random().below(60));
          owner.tell(Break{});
          w.run(w.random().below(60));
          w.advance(Duration{100'000} * static_cast<std::int64_t>(w.random().below(80)));
        }
        w.advance(10s);
        CHECK_EQ(ended, rounds * 4);
        owner.tell(Break{});
        w.advance(1s);
        check_begun_anew(w, accounts);
        for (std::uint32_t shard = 0; shard < 4; ++shard) CHECK(w.block_on(accounts.move(shard, 2)).has_value());
      },
      [&] {
        CHECK_GT(moved, 60);
        CHECK_GT(refused, 10);
      });
}

TEST_CASE("entities that are restarted together move when that is over, and all are there") {
  int moved = 0;
  test::explore(
      {.schedules = 60},
      [&](test::World& w) {
        const Supervision together{.strategy = Strategy::all_for_one,
                                   .intensity = {.restarts = 1000},
                                   .backoff = {.min = 0ms, .max = 0ms, .attempts_max = Backoff::unbounded}};
        const Shards<Account> accounts{w, {.count = 1, .supervision = together, .move_within = 20ms}};
        for (int round = 0; round < 30; ++round) {
          for (const char* key : {"alice", "bob"}) accounts.ref(key).tell(Deposit{1});
          w.run_until_idle();
          accounts.ref("bob").tell(Break{});
          w.run(w.random().below(20));
          w.system().run_as_guest([](Shards<Account> all, int to, int* count) -> Task<void> {
            const auto done = co_await all.move(0, to);
            *count += done.has_value();
          }(accounts, round % 2, &moved));
          w.advance(Duration{100'000} * static_cast<std::int64_t>(w.random().below(80)));
        }
        w.advance(10s);
        for (const char* key : keys) CHECK(w.block_on(accounts.ref(key).ask(Deposit{1})).has_value());
        CHECK(w.block_on(accounts.move(0, 0)).has_value());
        CHECK(w.block_on(accounts.move(0, 1)).has_value());
      },
      [&] { CHECK_GT(moved, 100); });
}
