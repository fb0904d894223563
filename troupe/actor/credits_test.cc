// Credits: what cores send to mailboxes of other cores, exactly within the bound, refused or parked where they send.
#include "troupe/actor/runtime/credits.h"

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
struct Parcel {
  int n;
  std::size_t weight;
  std::size_t bytes() const { return weight; }
};
struct Get {
  using reply = int;
};
struct Hold {
  Duration length;
};
struct Stop {};

struct Store {
  explicit Store(Seen its_seen) : seen(std::move(its_seen)) {}
  void handle(Put m) { seen->push_back(m.n); }
  void handle(Parcel m) { seen->push_back(m.n); }
  int handle(Get) { return static_cast<int>(seen->size()); }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
  void handle(Stop, Context& ctx) { ctx.stop(); }
  Seen seen;
};

struct Tell {
  int from;
  int to;
};
struct TellParcels {
  int count;
  std::size_t weight;
};
struct Send {
  int from;
  int to;
};
struct Question {};
struct Mark {};

/// Sends from another core, and notes what it was told.
struct Sender {
  static constexpr bool interleaves = true;
  explicit Sender(Ref<Store> its_store, std::shared_ptr<std::vector<Sent>> its_results, Seen its_marks)
      : store(its_store), results(std::move(its_results)), marks(std::move(its_marks)) {}
  void handle(Tell m) {
    for (int i = m.from; i <= m.to; ++i) results->push_back(store.tell(Put{i}));
  }
  void handle(TellParcels m) {
    for (int i = 1; i <= m.count; ++i) results->push_back(store.tell(Parcel{i, m.weight}));
  }
  Task<void> handle(Send m) {
    for (int i = m.from; i <= m.to; ++i) {
      auto sent = co_await store.send(Put{i});
      results->push_back(sent);
    }
  }
  Task<void> handle(Question) {
    auto answer = co_await store.ask(Get{}, {.within = 100ms});
    marks->push_back(answer ? *answer : -1 - static_cast<int>(answer.error().outcome));
  }
  void handle(Mark) { marks->push_back(100); }
  Ref<Store> store;
  std::shared_ptr<std::vector<Sent>> results;
  Seen marks;
};

struct Yard {
  explicit Yard(MailboxOptions mailbox, std::uint64_t seed = 41, int cores = 2) : w(seed, {.cores = cores}) {
    store = w.spawn<Store>({.core = 0, .mailbox = mailbox}, seen);
    sender = w.spawn<Sender>({.core = 1}, store, results, marks);
    w.run_until_idle();
  }
  void hold(Duration length) {
    store.tell(Hold{length});
    w.run_until_idle();
  }
  template <class M>
  void have_sender(M message) {
    sender.tell(message);
    w.run_until_idle();
  }
  std::ptrdiff_t count(Sent what) const { return std::count(results->begin(), results->end(), what); }
  Cell& cell() { return *store.address().cell; }
  std::uint64_t dropped(Drop reason) {
    for (const auto& figures : figures_of(w.system())) {
      if (figures.type == "Store") return figures.dropped[static_cast<std::size_t>(reason)];
    }
    return 0;
  }
  test::World w;
  Seen seen = std::make_shared<List>();
  std::shared_ptr<std::vector<Sent>> results = std::make_shared<std::vector<Sent>>();
  Seen marks = std::make_shared<List>();
  Ref<Store> store;
  Ref<Sender> sender;
};

List numbers(int from, int to) {
  List out;
  for (int i = from; i <= to; ++i) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE("what a full mailbox of another core cannot take is refused where it is sent, and nothing sent is lost") {
  Yard yard{{.capacity = 100}};
  yard.hold(1s);
  yard.have_sender(Tell{1, 300});
  CHECK_GE(yard.count(Sent::sent), 80);
  CHECK_LE(yard.count(Sent::sent), 100);
  CHECK_EQ(yard.results->front(), Sent::sent);
  CHECK_EQ(yard.results->back(), Sent::full);
  const auto sent = yard.count(Sent::sent);
  CHECK_LE(yard.cell().depth + yard.cell().lent, 100);
  yard.w.advance(2s);
  CHECK_EQ(*yard.seen, numbers(1, static_cast<int>(sent)));
  CHECK_EQ(yard.dropped(Drop::full), 300 - sent);
}

TEST_CASE(
    "a mailbox that withdrawals have emptied takes as much again from another core, while its actor still waits") {
  Yard yard{{.capacity = 8}};
  yard.hold(1min);
  for (int i = 0; i < 8; ++i) yard.have_sender(Question{});
  yard.have_sender(Tell{1, 1});
  CHECK_EQ(*yard.results, std::vector<Sent>{Sent::full});
  yard.w.advance(1s);  // the questions time out
  CHECK_EQ(yard.cell().depth, 0);
  yard.results->clear();
  for (int i = 1; i <= 20; ++i) yard.have_sender(Tell{i, i});
  CHECK_EQ(yard.count(Sent::sent), 8);
  CHECK_EQ(yard.results->back(), Sent::full);
}

TEST_CASE("a mailbox that has been emptied takes as much again, from wherever it comes") {
  for (std::uint32_t capacity : {1u, 2u, 3u, 8u, 1000u}) {
    Yard yard{{.capacity = capacity}};
    int expected = 0;
    for (int round = 0; round < 20; ++round) {
      yard.have_sender(Tell{1, 1});
      yard.w.advance(20ms);
      CHECK_EQ(yard.seen->size(), ++expected);
    }
    for (std::uint32_t i = 0; i < capacity; ++i) yard.store.tell(Put{1});  // a foreign thread: the owner decides
    yard.w.run_until_idle();
    CHECK_EQ(yard.seen->size(), 20 + capacity);
    CHECK_EQ(yard.dropped(Drop::full), 0);
  }
}

TEST_CASE("an actor of the own core gets the room that is only offered, so its bound is exact") {
  Yard yard{{.capacity = 50}};
  auto neighbour = yard.w.spawn<Sender>({.core = 0}, yard.store, yard.results, yard.marks);
  yard.hold(1s);
  neighbour.tell(Tell{1, 60});
  yard.w.run_until_idle();
  CHECK_EQ(yard.count(Sent::sent), 50);
  CHECK_EQ(yard.count(Sent::full), 10);
  CHECK_EQ(yard.cell().lent, 0);
  yard.have_sender(Tell{61, 61});
  CHECK_EQ(yard.results->back(), Sent::full);
  yard.w.advance(2s);
  yard.have_sender(Tell{62, 62});
  CHECK_EQ(yard.results->back(), Sent::sent);
}

TEST_CASE("credits that are not used go home, so that others have the room") {
  Yard yard{{.capacity = 200}};
  auto neighbour = yard.w.spawn<Sender>({.core = 0}, yard.store, yard.results, yard.marks);
  yard.have_sender(Tell{1, 40});
  yard.w.advance(50ms);
  CHECK_EQ(yard.cell().generation.offered(), yard.cell().lent);  // nobody holds any
  yard.hold(1s);
  yard.results->clear();
  neighbour.tell(Tell{1, 200});
  yard.w.run_until_idle();
  CHECK_EQ(yard.count(Sent::sent), 200);
}

TEST_CASE("block parks at the core that sends: in order, and before that sender's next message") {
  Yard yard{{.capacity = 4, .overflow = Overflow::block}};
  yard.hold(1s);
  yard.have_sender(Tell{1, 30});
  CHECK_EQ(yard.count(Sent::sent), 30);
  yard.have_sender(Mark{});
  CHECK(yard.marks->empty());
  CHECK_LE(yard.cell().depth + yard.cell().lent, 4);
  yard.w.advance(2s);
  CHECK_EQ(*yard.seen, numbers(1, 30));
  CHECK_EQ(*yard.marks, List{100});
  yard.w.advance(1s);
  CHECK_EQ(yard.cell().generation.offered(), yard.cell().lent);
}

TEST_CASE("what is parked too long is dropped and counted, an ask is told, and the sender goes on") {
  Yard yard{{.capacity = 2, .overflow = Overflow::block, .block_for = 30ms}};
  yard.hold(1s);
  yard.have_sender(Tell{1, 5});
  const auto in_time = static_cast<int>(yard.cell().depth);
  yard.have_sender(Mark{});
  yard.w.advance(25ms);
  CHECK(yard.marks->empty());
  yard.w.advance(10ms);
  CHECK_EQ(*yard.marks, List{100});
  CHECK_EQ(yard.dropped(Drop::park_expired), 5 - in_time);
  yard.have_sender(Question{});
  yard.w.advance(50ms);
  CHECK_EQ(*yard.marks, List{100, -1 - static_cast<int>(Outcome::not_executed)});
  yard.w.advance(2s);
  CHECK_EQ(*yard.seen, numbers(1, in_time));
}

TEST_CASE("an ask without a credit is answered: refused by a full mailbox, admitted by one with room") {
  Yard yard{{.capacity = 1}};
  yard.hold(1s);
  yard.have_sender(Tell{1, 1});
  yard.have_sender(Question{});
  CHECK_EQ(*yard.marks, List{-1 - static_cast<int>(Outcome::not_executed)});
  yard.w.advance(2s);
  yard.have_sender(Question{});
  CHECK_EQ(yard.marks->back(), 1);
}

TEST_CASE("while a send waits, what its sender tells is refused, and nothing overtakes it") {
  for (const auto overflow : {Overflow::backpressure, Overflow::block}) {
    Yard yard{{.capacity = 2, .overflow = overflow}};
    yard.hold(1s);
    yard.have_sender(Send{1, 6});
    yard.results->clear();
    yard.have_sender(Tell{100, 102});
    CHECK_EQ(yard.count(Sent::full), 3);
    yard.w.advance(2s);
    CHECK_EQ(*yard.seen, numbers(1, 6));
    CHECK_EQ(yard.count(Sent::sent), yard.results->size() - 3);
    yard.have_sender(Tell{7, 7});
    CHECK_EQ(yard.results->back(), Sent::sent);
  }
}

TEST_CASE("when the actor stops, who waits for it elsewhere is told, and what was parked is dropped and counted") {
  Yard yard{{.capacity = 2, .overflow = Overflow::block}};
  yard.hold(1s);
  yard.have_sender(Tell{1, 10});
  yard.have_sender(Send{11, 11});
  yard.have_sender(Mark{});
  lifecycle::request_stop(nullptr, yard.store.address());
  yard.w.run_until_idle();
  CHECK_EQ(*yard.marks, List{100});
  CHECK_EQ(yard.results->back(), Sent::dead);
  CHECK_EQ(yard.dropped(Drop::stopped) + yard.dropped(Drop::dead), 11);
  yard.have_sender(Send{12, 12});
  CHECK_EQ(yard.results->back(), Sent::dead);
}

TEST_CASE("a successor in the same cell has its own credits, and those of the dead are void") {
  Yard yard{{.capacity = 8}};
  for (int i = 0; i < 50; ++i) {
    yard.have_sender(Tell{1, 3});
    lifecycle::request_stop(nullptr, yard.store.address());
    yard.w.run_until_idle();
    yard.store = yard.w.spawn<Store>({.core = 0, .mailbox = {.capacity = 8}}, yard.seen);
    yard.w.run_until_idle();
    CHECK_LE(yard.cell().depth + yard.cell().lent, 8);
  }
  yard.hold(1s);
  auto sender = yard.w.spawn<Sender>({.core = 1}, yard.store, yard.results, yard.marks);
  yard.w.run_until_idle();
  yard.results->clear();
  sender.tell(Tell{1, 20});
  yard.w.run_until_idle();
  CHECK_GE(yard.count(Sent::sent), 6);
  CHECK_LE(yard.count(Sent::sent), 8);
}

TEST_CASE("a mailbox that bounds bytes is not passed by what comes from other cores") {
  Yard yard{{.capacity = 100, .bytes_max = 100'000}};
  yard.hold(1s);
  yard.have_sender(TellParcels{50, 5000});
  const auto sent = yard.count(Sent::sent);
  CHECK_LE(sent * 5000, 100'000);
  CHECK_GE(sent * 5000, 50'000);
  CHECK_LE(yard.cell().extras->ledger->bytes, 100'000);
  yard.w.advance(2s);
  CHECK_EQ(*yard.seen, numbers(1, static_cast<int>(sent)));
  yard.have_sender(TellParcels{1, 60'000});
  yard.w.run_until_idle();
  CHECK_EQ(yard.results->back(), Sent::sent);
}

TEST_CASE("drop_oldest and drop_newest need no credits: the mailbox of the other core decides") {
  for (const auto overflow : {Overflow::drop_oldest, Overflow::drop_newest}) {
    Yard yard{{.capacity = 3, .overflow = overflow}};
    yard.hold(1s);
    yard.have_sender(Tell{1, 10});
    CHECK_EQ(yard.count(Sent::sent), 10);
    CHECK_EQ(yard.cell().lent, 0);
    yard.w.advance(2s);
    CHECK_EQ(*yard.seen, overflow == Overflow::drop_oldest ? numbers(8, 10) : numbers(1, 3));
  }
}
