// Batches: what is handed over together, when, in which order, and what becomes of it in bad times.
#include "troupe/actor/batch.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using List = std::vector<int>;
struct Log {
  std::vector<List> batches;
  std::vector<Duration> times;
  int moves = 0;
};
using Book = std::shared_ptr<Log>;

struct Put {
  int n;
};
struct Other {
  int n;
};
struct Counted {
  explicit Counted(Book its_book) : book(std::move(its_book)) {}
  Counted(Counted&& from) noexcept : book(from.book) { ++book->moves; }
  Book book;
};
struct Hold {
  Duration length;
};
struct Break {};

struct Writer {
  static constexpr BatchOptions batch{.messages = 4, .within = 10ms};

  explicit Writer(Book its_book) : book(std::move(its_book)) {}
  void handle(Batch<Put> puts, Context& ctx) {
    auto& written = book->batches.emplace_back();
    for (const Put& put : puts) {
      if (put.n == 13) throw std::runtime_error("a bad number");
      written.push_back(put.n);
    }
    book->times.push_back(ctx.now() - Instant{});
  }
  void handle(Batch<Counted> some) { book->batches.push_back({static_cast<int>(some.size())}); }
  void handle(Other m) { book->batches.push_back({-m.n}); }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
  Book book;
};

struct SlowWriter {
  explicit SlowWriter(Book its_book) : book(std::move(its_book)) {}
  Task<void> handle(Batch<Put> puts) {
    auto& written = book->batches.emplace_back();
    const auto at = book->batches.size() - 1;
    written.push_back(0);
    co_await sleep(50ms);
    for (const Put& put : puts) book->batches[at].push_back(put.n);
  }
  void handle(Other m) { book->batches.push_back({-m.n}); }
  Book book;
};

struct Room {
  explicit Room(MailboxOptions mailbox = {}, int core = 0) : w(21) {
    writer = w.spawn<Writer>({.core = core, .mailbox = mailbox}, book);
    w.run_until_idle();
  }
  void put(int from, int to) {
    for (int i = from; i <= to; ++i) writer.tell(Put{i});
    w.run_until_idle();
  }
  std::uint64_t dropped(Drop reason) {
    for (const auto& figures : figures_of(w.system())) {
      if (figures.type == "Writer") return figures.dropped[static_cast<std::size_t>(reason)];
    }
    return 0;
  }
  test::World w;
  Book book = std::make_shared<Log>();
  Ref<Writer> writer;
};

using Batches = std::vector<List>;

}  // namespace

TEST_CASE("a batch is handed over when it is full, and what came since the first within its time otherwise") {
  for (int core = 0; core < 2; ++core) {
    Room room{{}, core};
    room.put(1, 6);
    CHECK_EQ(room.book->batches, Batches{{1, 2, 3, 4}});
    room.w.advance(9ms);
    CHECK_EQ(room.book->batches.size(), 1);
    room.put(7, 7);
    room.w.advance(2ms);
    CHECK_EQ(room.book->batches, Batches{{1, 2, 3, 4}, {5, 6, 7}});
    room.w.advance(1s);
    CHECK_EQ(room.book->batches.size(), 2);
  }
}

TEST_CASE("another message closes the batch and is handled after it, so the order is that of one queue") {
  Room room;
  room.put(1, 2);
  room.writer.tell(Other{3});
  room.writer.tell(Put{4});
  room.writer.tell(Other{5});
  room.w.run_until_idle();
  CHECK_EQ(room.book->batches, Batches{{1, 2}, {-3}, {4}, {-5}});
}

TEST_CASE("an actor that interprets itself by a protocol gets batches too") {
  Room room;
  const Ref<Protocol<Put>> narrow = room.writer;
  for (int i = 1; i <= 3; ++i) narrow.tell(Put{i});
  room.w.run_until_idle();
  CHECK(room.book->batches.empty());
  room.w.advance(11ms);
  CHECK_EQ(room.book->batches, Batches{{1, 2, 3}});
}

TEST_CASE("a coroutine keeps its batch over its awaits, and nothing else is handled meanwhile") {
  test::World w{22};
  Book book = std::make_shared<Log>();
  auto writer = w.spawn<SlowWriter>({}, book);
  for (int i = 1; i <= 3; ++i) writer.tell(Put{i});
  w.advance(20ms);
  writer.tell(Put{4});
  writer.tell(Other{5});
  w.advance(10ms);
  CHECK_EQ(book->batches, Batches{{0}});
  w.advance(100ms);
  CHECK_EQ(book->batches, Batches{{0, 1, 2, 3}, {0, 4}, {-5}});
}

TEST_CASE("a batch that fails is not handled again, what is queued behind it is, and a restart keeps what fills") {
  Room room;
  room.put(11, 14);
  room.put(15, 16);
  room.w.advance(2s);
  CHECK_EQ(room.book->batches, Batches{{11, 12}, {15, 16}});
}

TEST_CASE("a stop drops what fills, counted, and full mailboxes evict from it") {
  Room room{{.capacity = 2, .overflow = Overflow::drop_oldest}};
  room.put(1, 3);
  CHECK_EQ(room.dropped(Drop::oldest), 1);
  lifecycle::request_stop(nullptr, room.writer.address());
  room.w.advance(1s);
  CHECK(room.book->batches.empty());
  CHECK_EQ(room.dropped(Drop::stopped), 2);
}

TEST_CASE("a batch larger than the mailbox is handed over in time though it is never full") {
  Room room{{.capacity = 3}};
  room.put(1, 3);
  CHECK(room.book->batches.empty());
  room.w.advance(11ms);
  CHECK_EQ(room.book->batches, Batches{{1, 2, 3}});
}

TEST_CASE("messages of a batch stay where they are: one of them moves once, whatever their number") {
  Room room;
  for (int i = 0; i < 2; ++i) room.writer.tell(Counted{room.book});
  const int told = room.book->moves;
  room.w.advance(11ms);
  CHECK_EQ(room.book->batches, Batches{{2}});
  CHECK_EQ(room.book->moves, told + 1);
}

TEST_CASE("a batch counts for its messages in the turn's budget") {
  Room room;
  room.writer.tell(Hold{1ms});
  room.w.run_until_idle();
  for (int i = 0; i < 40; ++i) room.writer.tell(Put{i});
  room.w.run_until_idle();
  room.w.manual_clock().advance(5ms);
  Core& core = room.w.core(0);
  const Core::Scope scope{core};
  core.turn({.messages = 8, .time = 1h}, false);  // its timer wakes the actor
  const std::size_t before = room.book->batches.size();
  core.turn({.messages = 8, .time = 1h}, false);
  CHECK_EQ(room.book->batches.size() - before, 2);
}

namespace {

struct Hoarder {
  static constexpr BatchOptions batch{.messages = 100, .within = 10ms};
  void handle(Batch<Put> puts) { *handled += static_cast<int>(puts.size()); }
  std::shared_ptr<int> handled;
};
struct Burst {
  int count;
  using reply = int;  // how many were taken
};
struct Teller {
  int handle(Burst m) const {
    int taken = 0;
    for (int i = 0; i < m.count; ++i) taken += to.tell(Put{i}) == Sent::sent;
    return taken;
  }
  Ref<Hoarder> to;
};

}  // namespace

TEST_CASE("the room that a batch leaves is offered to other cores") {
  test::World w{23, {.cores = 2}};
  auto handled = std::make_shared<int>(0);
  auto hoarder = w.spawn<Hoarder>({.core = 1, .mailbox = {.capacity = 16}}, handled);
  auto teller = w.spawn<Teller>({.core = 0}, hoarder);
  int taken = 0;
  for (int round = 0; round < 6; ++round) {
    const int now = w.block_on(teller.ask(Burst{40})).value();
    CHECK_GE(now, 8);
    taken += now;
    w.advance(1s);
    CHECK_EQ(*handled, taken);
  }
}
