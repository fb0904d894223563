// Streams in a storm: seeded crowds of sources and readers that fail, stop, restart and leave at random, held against
// what must always be true.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Numbers {
  int to;
  std::uint8_t mood;
  using item = int;
};
struct Look {};
struct Break {};

/// What everybody writes down, under one thread.
struct Ledger {
  std::map<int, int> ends;  // by stream: how often its reader came to an end
  int opened = 0;
  int out_of_order = 0;
  int frames = 0;
  int complete = 0;
  int failed = 0;
};
using Book = std::shared_ptr<Ledger>;

struct Counted {
  explicit Counted(Book its_book) : book(std::move(its_book)) { ++book->frames; }
  Counted(const Counted&) = delete;
  ~Counted() { --book->frames; }
  Book book;
};

class Source {
 public:
  explicit Source(Book book) : book_(std::move(book)) {}
  Stream<int> handle(Numbers m) {
    const Counted counted{book_};
    for (int i = 0; i < m.to; ++i) {
      if (m.mood % 5 == 1 && i % 7 == 3) co_await sleep(Duration{300'000} * m.mood);
      co_yield i;
    }
    if (m.mood % 11 == 4) throw std::runtime_error("a bad end");
  }
  Task<void> handle(Look, Context& ctx) {
    co_await ctx.sleep(Duration{1'000'000} * static_cast<std::int64_t>(ctx.random().below(20)));
  }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  Book book_;
};

/// One stream, read to a random point or its end, at a random pace.
Task<void> read(Ref<Source> from, Book book, std::uint64_t seed) {
  const Counted counted{book};
  const int id = ++book->opened;
  base::SeededRandom random{seed};
  const int to = static_cast<int>(random.below(200));
  const int leaves_at = random.below(3) == 0 ? static_cast<int>(random.below(100)) : to + 1;
  const auto credit = static_cast<std::uint32_t>(1 + random.below(20));
  auto reader =
      from.stream(Numbers{to, static_cast<std::uint8_t>(random.below(200))}, {.credit = credit, .idle_max = 5s});
  int expected = 0;
  while (expected < leaves_at) {
    auto next = co_await reader.next();
    if (next.failure() != nullptr) {
      ++book->failed;
      break;
    }
    if (!next) {
      ++book->complete;
      if (expected != to) ++book->out_of_order;
      break;
    }
    if (*next != expected++) ++book->out_of_order;
    if (random.below(8) == 0) co_await sleep(Duration{1'000'000} * static_cast<std::int64_t>(random.below(30)));
  }
  ++book->ends[id];
}

struct Read {
  Ref<Source> from;
  std::uint64_t seed;
};
class Reader {
 public:
  static constexpr bool interleaves = true;
  explicit Reader(Book book) : book_(std::move(book)) {}
  Task<void> handle(Read m) { co_await read(m.from, book_, m.seed); }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  Book book_;
};

Supervision lenient() { return {.intensity = {.restarts = 100'000}, .backoff = {.min = 5ms, .max = 20ms}}; }

void round(test::World& w, base::Random& random, std::vector<Ref<Source>>& sources, std::vector<Ref<Reader>>& readers,
           const Book& book) {
  auto source = sources[random.below(sources.size())];
  auto reader = readers[random.below(readers.size())];
  switch (random.below(10)) {
    case 0:
      source.tell(Break{});
      break;
    case 1:
      reader.tell(Break{});
      break;
    case 2:
      lifecycle::request_stop(nullptr, source.address());
      sources.push_back(w.spawn<Source>({.core = static_cast<int>(random.below(3)), .in_flight_max = 4}, book));
      break;
    case 3:
      lifecycle::request_stop(nullptr, reader.address());
      readers.push_back(w.spawn<Reader>({.core = static_cast<int>(random.below(3))}, book));
      break;
    case 4:
      source.tell(Look{});
      break;
    case 5:
    case 6:
      reader.tell(Read{source, random.below(1'000'000)});
      break;
    default:
      w.system().run_as_guest(read(source, book, random.below(1'000'000)));
  }
  w.advance(Duration{500'000} * static_cast<std::int64_t>(random.below(10)));
}

}  // namespace

TEST_CASE("whatever happens to both sides, a stream is in order, ends once, and leaves nothing behind") {
  int complete = 0;
  int failed = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        Book book = std::make_shared<Ledger>();
        {
          test::World w{seed, {.cores = 3, .supervision = lenient()}};
          base::SeededRandom random{seed.number * 17};
          std::vector<Ref<Source>> sources;
          std::vector<Ref<Reader>> readers;
          for (int i = 0; i < 4; ++i) {
            sources.push_back(w.spawn<Source>({.core = i % 3, .in_flight_max = 4}, book));
            readers.push_back(w.spawn<Reader>({.core = (i + 1) % 3}, book));
          }
          for (int i = 0; i < 80; ++i) round(w, random, sources, readers, book);
          if (seed.number % 3 != 0) {
            w.advance(2min);
            CHECK_EQ(book->frames, 0);  // nobody waits for ever, on either side
          }
        }  // every third ends in the middle of it
        for (const auto& [id, times] : book->ends) CHECK_EQ(times, 1);
        CHECK_EQ(book->out_of_order, 0);
        CHECK_EQ(book->frames, 0);
        complete += book->complete;
        failed += book->failed;
      },
      [&] {
        CHECK_GT(complete, 200);
        CHECK_GT(failed, 200);
      });
}
