// Credits of a mailbox that moves to another core: they are void, and who waited for some follows it.
#include <doctest/doctest.h>

#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/migrate.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Seen = std::shared_ptr<std::vector<int>>;

struct Put {
  int n;
};
struct Depot {
  explicit Depot(Seen its_seen) : seen(std::move(its_seen)) {}
  void handle(Put m) { seen->push_back(m.n); }
  Seen seen;
};

struct Tell {
  int from;
  int to;
};
struct Sender {
  explicit Sender(Ref<Depot> its_store) : store(its_store) {}
  void handle(Tell m) {
    for (int i = m.from; i <= m.to; ++i) store.tell(Put{i});
  }
  Ref<Depot> store;
};

struct Landlord {
  void handle(Put) {}
};
struct Move {
  Address what;
  Address parent;
  MailboxOptions mailbox;
};
/// Stands on the core that the mailbox leaves.
struct Mover {
  explicit Mover(std::shared_ptr<Address> its_now) : now(std::move(its_now)) {}
  void handle(const Move& m) {
    Cell& cell = *m.what.cell;
    if (!migration::may_go(cell)) return;
    *now = migration::go(*cell.owner, cell, *m.parent.cell->owner, m.parent, m.mailbox);
  }
  std::shared_ptr<Address> now;
};

/// A depot on the first core, who sends to it from the second, and who moves it to the third.
struct Removal {
  Removal(test::Seed seed, const MailboxOptions& mailbox) : w(seed, {.cores = 3}) {
    store = w.spawn<Depot>({.core = 0, .mailbox = mailbox}, seen);
    sender = w.spawn<Sender>({.core = 1}, store);
    landlord = w.spawn<Landlord>({.core = 2});
    mover = w.spawn<Mover>({.core = 0}, now);
    w.run_until_idle();
  }
  test::World w;
  std::shared_ptr<std::vector<int>> seen = std::make_shared<std::vector<int>>();
  std::shared_ptr<Address> now = std::make_shared<Address>();  // where it is; null: it has not moved
  Ref<Depot> store;
  Ref<Sender> sender;
  Ref<Landlord> landlord;
  Ref<Mover> mover;
};

}  // namespace

TEST_CASE("when a mailbox moves, what waits for it elsewhere follows in order, and its credits are void") {
  int moved = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        const MailboxOptions mailbox{.capacity = 1 + static_cast<std::uint32_t>(seed.number % 12),
                                     .overflow = Overflow::block};
        Removal removal{seed, mailbox};
        auto& [w, seen, now, store, sender, landlord, mover] = removal;
        sender.tell(Tell{1, 40});
        w.run(seed.number % 7);
        mover.tell(Move{store.address(), landlord.address(), mailbox});
        w.advance(50ms);
        sender.tell(Tell{41, 80});
        w.advance(50ms);  // less than what is parked may wait: nothing has been forgotten
        std::vector<int> all;
        for (int i = 1; i <= 80; ++i) all.push_back(i);
        CHECK_EQ(*seen, all);
        const Cell& cell = *(*now ? *now : store.address()).cell;
        moved += static_cast<bool>(*now);
        CHECK_EQ(cell.depth, 0);
        CHECK_EQ(cell.generation.offered(), cell.lent);  // nobody holds any, and none has been lost
        CHECK_LE(cell.lent, cell.capacity);
        CHECK_GE(cell.lent, cell.capacity == 1 ? 1 : cell.capacity / 4);
      },
      [&] { CHECK_GE(moved, 80); });
}

TEST_CASE("depth and credits of a mailbox that moves with its queue never exceed its capacity together") {
  int moved = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        const MailboxOptions mailbox{.capacity = 4 + static_cast<std::uint32_t>(seed.number % 30),
                                     .overflow = seed.number % 2 == 0 ? Overflow::block : Overflow::backpressure};
        Removal removal{seed, mailbox};
        auto& [w, seen, now, store, sender, landlord, mover] = removal;
        ++store.address().cell->exclusive;  // it has a queue when it goes
        sender.tell(Tell{1, 2 + static_cast<int>(mailbox.capacity)});
        w.run_until_idle();
        mover.tell(Move{store.address(), landlord.address(), mailbox});
        while (!*now && w.run(1)) {
        }
        if (!*now) return;
        ++moved;
        const Cell& cell = *now->cell;
        // Who knows the new address at once sends to it before the queue has come.
        auto other = w.spawn<Sender>({.core = 1}, Ref<Depot>{*now});
        other.tell(Tell{1001, 1060});
        std::uint32_t most = cell.lent;
        while (w.run(1)) most = std::max(most, cell.depth + cell.lent);
        // What was parked outside has gone along above the bound.
        CHECK_LE(most, mailbox.capacity + (mailbox.overflow == Overflow::block ? 2 : 0));
        w.advance(50ms);
        CHECK_EQ(cell.depth, 0);
        CHECK_EQ(cell.generation.offered(), cell.lent);
        CHECK_GE(cell.lent, cell.capacity / 4);
      },
      [&] { CHECK_GE(moved, 50); });
}
