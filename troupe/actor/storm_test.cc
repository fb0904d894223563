// Storms: seeded crowds of actors that tell, ask, fail, stop, restart and time out, held against what must always be
// true.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

/// What the whole crowd writes down, under one thread.
struct Ledger {
  std::map<int, int> outcomes;  // by ask: how often its asker was told
  std::map<int, int> executed;  // by ask: how often it was handled to the end
  std::map<int, Outcome> failed;
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> last;  // by sender and receiver: the newest number handled
  int asked = 0;
  int sent = 0;
  int out_of_order = 0;
  int alive = 0;
  int frames = 0;
};
using Book = std::shared_ptr<Ledger>;

struct Member;

struct Note {
  std::uint64_t from;
  int number;
};
struct Question {
  int id;
  std::uint8_t mood;
  using reply = int;
};
struct Meet {
  std::vector<Ref<Member>> others;
};
struct Act {
  std::uint32_t steps;
};

/// Does at random what an actor may do.
struct Member {
  static constexpr bool interleaves = true;

  explicit Member(Book its_book, int its_number) : book(std::move(its_book)), number(its_number) { ++book->alive; }
  Member(const Member&) = delete;
  ~Member() { --book->alive; }

  void started(Context& ctx) {
    if (ctx.random().below(12) == 0) throw std::runtime_error("a bad start");
  }
  void handle(Meet m) { others = std::move(m.others); }
  void handle(Note m, Context& ctx) {
    int& last = book->last[{m.from, ctx.id().value}];
    if (m.number <= last) ++book->out_of_order;
    last = m.number;
    if (ctx.random().below(60) == 0) throw std::runtime_error("a bad note");
  }
  void handle(Terminated) {}

  Task<int> handle(Question m, Context& ctx) {
    struct Frame {
      Book book;
      explicit Frame(Book b) : book(std::move(b)) { ++book->frames; }
      ~Frame() { --book->frames; }
    } frame{book};
    if (m.mood % 4 == 0) co_await ctx.sleep(Duration{1'000'000} * m.mood);
    if (m.mood % 16 == 1) throw std::runtime_error("a bad question");
    if (m.mood % 16 == 2) {
      auto done = co_await blocking([] { return 1; });
      (void)done;
    }
    if (m.mood % 8 == 3 && !others.empty()) co_await question(others[m.mood % others.size()], ctx.random(), 20ms);
    ++book->executed[m.id];
    co_return m.id;
  }

  Task<void> handle(Act m, Context& ctx) {
    for (std::uint32_t i = 0; i < m.steps && !others.empty(); ++i) {
      base::Random& random = ctx.random();
      Ref<Member> other = others[random.below(others.size())];
      switch (random.below(12)) {
        case 0:
          co_await question(other, random, Duration{1'000'000} * static_cast<std::int64_t>(random.below(50)));
          break;
        case 1: {
          auto sent = co_await other.send(Note{ctx.id().value, ++book->sent});
          (void)sent;
          break;
        }
        case 2:
          if (random.below(4) == 0) ctx.stop(other);
          break;
        case 3:
          ctx.watch(this, other);
          break;
        case 4:
          ctx.after(this, Duration{1'000'000} * static_cast<std::int64_t>(random.below(30)), Act{2});
          break;
        case 5:
          if (children_++ < 3) {
            others.push_back(ctx.spawn<Member>(options(random), book, 1000 + number));
          }
          break;
        default:
          other.tell(Note{ctx.id().value, ++book->sent});
      }
    }
  }

  static ActorOptions options(base::Random& random) {
    return {.core = static_cast<int>(random.below(3)),
            .mailbox = {.capacity = 1 + static_cast<std::uint32_t>(random.below(6)),
                        .overflow = static_cast<Overflow>(random.below(4)),
                        .block_for = 30ms},
            .restart = static_cast<Restart>(random.below(3)),
            .shutdown = Duration{1'000'000} * static_cast<std::int64_t>(random.below(20)),
            .in_flight_max = 1 + static_cast<std::uint32_t>(random.below(4)),
            .supervision = {.intensity = {.restarts = 3, .within = 1s}, .backoff = {.min = 5ms, .max = 50ms}}};
  }

  Task<void> question(Ref<Member> other, base::Random& random, Duration within) {
    const int id = ++book->asked;
    Book ledger = book;
    auto answer = co_await other.ask(Question{id, static_cast<std::uint8_t>(random.below(200))}, {.within = within});
    ++ledger->outcomes[id];
    if (!answer) ledger->failed[id] = answer.error().outcome;
    if (answer) CHECK_EQ(*answer, id);
  }

  Book book;
  int number;
  std::vector<Ref<Member>> others;

 private:
  int children_ = 0;
};

/// Asks from outside, so that the asker itself is never stopped.
Task<void> ask_all(std::vector<Ref<Member>> members, Book book, std::uint64_t seed) {
  base::SeededRandom random{seed};
  for (int i = 0; i < 30; ++i) {
    const int id = ++book->asked;
    auto answer = co_await members[random.below(members.size())].ask(
        Question{id, static_cast<std::uint8_t>(random.below(200))}, {.within = 40ms});
    ++book->outcomes[id];
    if (!answer) book->failed[id] = answer.error().outcome;
  }
  book->last[{seed, 0}] = -1;  // this asker is through
}

test::Faults rough() {
  return {.timer_delay_max = 8ms,
          .ring_full = {3},
          .lane_messages_max = 20,
          .job_delay_max = 40ms,
          .job_refused = {4},
          .stall = {200},
          .stall_max = 60ms};
}

Supervision lenient() { return {.intensity = {.restarts = 100'000}, .backoff = {.min = 5ms, .max = 20ms}}; }

}  // namespace

TEST_CASE("whatever a crowd does, each ask has one outcome, each pair its order, and nothing is left behind") {
  test::explore({.schedules = 120}, [](test::Seed seed) {
    Book book = std::make_shared<Ledger>();
    {
      const test::Faults faults = seed.number % 2 == 0 ? test::Faults{} : rough();
      test::World w{seed, {.cores = 3, .supervision = lenient(), .faults = faults}};
      base::SeededRandom random{seed.number * 31};
      std::vector<Ref<Member>> members;
      for (int i = 0; i < 12; ++i) members.push_back(w.spawn<Member>(Member::options(random), book, i));
      for (auto member : members) member.tell(Meet{members});
      w.run_until_idle();
      for (std::uint64_t asker = 1; asker <= 4; ++asker) w.system().run_as_guest(ask_all(members, book, asker));
      for (int round = 0; round < 20; ++round) {
        for (auto member : members) member.tell(Act{1 + static_cast<std::uint32_t>(random.below(8))});
        w.advance(Duration{1'000'000} * static_cast<std::int64_t>(random.below(20)));
      }
      if (seed.number % 5 == 1) w.crash();
      if (seed.number % 5 > 1) {
        w.advance(1min);
        for (std::uint64_t asker = 1; asker <= 4; ++asker) CHECK(book->last.contains({asker, 0}));
        CHECK_EQ(book->frames, 0);  // every handler has ended, nobody waits for ever
      }
    }  // two in five end in the middle of it, one by a crash
    CHECK_FALSE(book->outcomes.empty());
    for (const auto& [id, times] : book->outcomes) CHECK_EQ(times, 1);
    for (const auto& [id, times] : book->executed) CHECK_EQ(times, 1);
    for (const auto& [id, outcome] : book->failed) {
      if (outcome == Outcome::not_executed) CHECK_FALSE(book->executed.contains(id));
    }
    CHECK_EQ(book->out_of_order, 0);
    CHECK_EQ(book->alive, 0);
    CHECK_EQ(book->frames, 0);
  });
}

namespace {

struct Put {
  int n;
};
struct Shed {
  static constexpr auto message_class = MessageClass::sheddable;
  int n;
};
struct Get {
  using reply = std::vector<int>;
};
struct Hold {};
struct Box {
  void handle(Put m) { seen.push_back(m.n); }
  void handle(Shed m) { seen.push_back(m.n); }
  std::vector<int> handle(Get) { return seen; }
  Task<void> handle(Hold) { co_await sleep(10ms); }
  std::vector<int> seen;
};

struct Load {
  std::vector<std::pair<int, bool>> items;  // a number, and whether it is sheddable
  using reply = std::vector<Sent>;
};
struct Loader {
  explicit Loader(Ref<Box> its_box) : box(its_box) {}
  std::vector<Sent> handle(Load m) {
    std::vector<Sent> out;
    for (const auto& [n, shed] : m.items) out.push_back(shed ? box.tell(Shed{n}) : box.tell(Put{n}));
    return out;
  }
  Ref<Box> box;
};

/// What a mailbox ought to be.
struct Model {
  std::size_t capacity;
  Overflow overflow;
  std::vector<std::pair<int, bool>> queue;

  Sent put(std::pair<int, bool> item) {
    if (queue.size() >= capacity) {
      if (overflow != Overflow::drop_oldest) return Sent::full;
      auto oldest = std::find_if(queue.begin(), queue.end(), [](const auto& i) { return i.second; });
      queue.erase(oldest != queue.end() ? oldest : queue.begin());
    }
    queue.push_back(item);
    return Sent::sent;
  }
};

}  // namespace

TEST_CASE("a mailbox keeps and refuses exactly what the model does") {
  test::explore({.schedules = 150}, [](test::Seed seed) {
    base::SeededRandom random{seed.number};
    Model model{1 + random.below(8), static_cast<Overflow>(std::array{0, 1, 3}[random.below(3)]), {}};
    test::World w{seed};
    auto box = w.spawn<Box>(
        {.core = 0, .mailbox = {.capacity = static_cast<std::uint32_t>(model.capacity), .overflow = model.overflow}});
    auto loader = w.spawn<Loader>({.core = 0}, box);
    w.run_until_idle();
    std::vector<int> expected;
    for (int round = 0; round < 5; ++round) {
      box.tell(Hold{});
      w.run_until_idle();
      Load load;
      for (std::uint64_t i = random.below(20); i > 0; --i) {
        load.items.emplace_back(static_cast<int>(random.below(1000)), random.below(3) == 0);
      }
      std::vector<Sent> results;
      for (const auto& item : load.items) results.push_back(model.put(item));
      CHECK(w.block_on(loader.ask(load)).value() == results);
      w.advance(20ms);
      for (const auto& [n, shed] : std::exchange(model.queue, {})) expected.push_back(n);
    }
    CHECK_EQ(w.block_on(box.ask(Get{})).value(), expected);
  });
}
