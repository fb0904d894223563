// Stash: messages put aside come back in order, in front, and none of them is lost uncounted.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using List = std::vector<int>;
using Seen = std::shared_ptr<List>;

struct Put {
  int n;
};
struct Urgent {
  static constexpr auto priority = Priority::high;
  int n;
};
struct Get {
  using reply = std::size_t;
};
struct Open {};
struct Hold {
  Duration length;
};
struct Break {};

/// Handles nothing until it is open.
struct Shop {
  explicit Shop(Seen its_seen) : seen(std::move(its_seen)) {}
  void handle(Put m, Context& ctx) {
    if (!open && ctx.stash(this, m)) return;
    seen->push_back(open ? m.n : -m.n);
  }
  void handle(Urgent m, Context& ctx) {
    if (!open && ctx.stash(this, m)) return;
    seen->push_back(m.n);
  }
  void handle(Get m, Reply<std::size_t> reply, Context& ctx) {
    if (!open && ctx.stash(this, m, std::move(reply))) return;
    reply.set(seen->size());
  }
  void handle(Open, Context& ctx) {
    open = true;
    ctx.unstash_all();
    CHECK_EQ(ctx.stashed(), 0);
  }
  void handle(Break) { throw std::runtime_error("broken"); }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
  Seen seen;
  bool open = false;
};

struct Street {
  explicit Street(MailboxOptions mailbox = {}) : w(31) {
    shop = w.spawn<Shop>({.core = 0, .mailbox = mailbox}, seen);
    w.run_until_idle();
  }
  void put(int from, int to) {
    for (int i = from; i <= to; ++i) shop.tell(Put{i});
    w.run_until_idle();
  }
  std::uint64_t dropped(Drop reason) {
    for (const auto& figures : figures_of(w.system())) {
      if (figures.type == "Shop") return figures.dropped[static_cast<std::size_t>(reason)];
    }
    return 0;
  }
  test::World w;
  Seen seen = std::make_shared<List>();
  Ref<Shop> shop;
};

}  // namespace

TEST_CASE("what was stashed comes back in its order, in front of what is queued") {
  Street street;
  street.put(1, 3);
  CHECK(street.seen->empty());
  street.shop.tell(Hold{1s});
  street.w.run_until_idle();
  street.shop.tell(Open{});
  street.put(4, 5);
  street.w.advance(2s);
  CHECK_EQ(*street.seen, List{1, 2, 3, 4, 5});
}

TEST_CASE("with priorities each comes back to the front of its own") {
  Street street{{.priorities = true}};
  street.put(1, 1);
  street.shop.tell(Urgent{2});
  street.w.run_until_idle();
  street.shop.tell(Urgent{3});
  street.w.run_until_idle();
  street.put(4, 4);
  street.shop.tell(Open{});
  street.w.run_until_idle();
  CHECK_EQ(*street.seen, List{2, 3, 1, 4});
}

TEST_CASE("a full stash leaves the message to its actor") {
  Street street{{.stash_max = 2}};
  street.put(1, 4);
  CHECK_EQ(*street.seen, List{-3, -4});
  street.shop.tell(Open{});
  street.w.run_until_idle();
  CHECK_EQ(*street.seen, List{-3, -4, 1, 2});
}

TEST_CASE("an ask is stashed with its reply: it is answered when it is handled, or expires there") {
  Street street;
  auto asked = [](Ref<Shop> shop, Duration within) -> Task<Answer<Get>> {
    auto answer = co_await shop.ask(Get{}, {.within = within});
    co_return answer;
  };
  CHECK_FALSE(street.w.block_on(asked(street.shop, 10ms)).has_value());
  street.put(1, 2);
  auto opening = [](Ref<Shop> shop) -> Task<void> {
    co_await sleep(50ms);
    shop.tell(Open{});
  };
  street.w.system().run_as_guest(opening(street.shop));
  CHECK_EQ(street.w.block_on(asked(street.shop, 1s)).value(), 2);
}

TEST_CASE("a stop drops what is stashed: tells are counted, and an ask is told that it was not executed") {
  Street street;
  street.put(1, 3);
  street.w.system().run_as_guest([](Ref<Shop> shop) -> Task<void> {
    co_await sleep(5ms);
    lifecycle::request_stop(Core::current(), shop.address());
  }(street.shop));
  auto answer = street.w.block_on(street.shop.ask(Get{}));
  CHECK_EQ(answer.error().outcome, Outcome::not_executed);
  CHECK_EQ(street.dropped(Drop::stopped), 4);
  CHECK(street.seen->empty());
}

TEST_CASE("a restart puts the stash back into the mailbox, in front, for the new incarnation") {
  Street street;
  street.put(1, 2);
  street.shop.tell(Break{});
  street.put(3, 3);
  street.w.advance(1s);
  CHECK(street.seen->empty());  // stashed anew
  street.shop.tell(Open{});
  street.w.run_until_idle();
  CHECK_EQ(*street.seen, List{1, 2, 3});
}

TEST_CASE("what comes back may pass the bound; then nobody gets in until there is room again") {
  Street street{{.capacity = 2, .overflow = Overflow::drop_newest}};
  street.put(1, 2);
  street.put(3, 4);
  street.shop.tell(Open{});
  street.w.run_until_idle();
  CHECK_EQ(*street.seen, List{1, 2, 3, 4});
  CHECK_EQ(street.dropped(Drop::newest), 0);
}
