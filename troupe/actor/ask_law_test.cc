// The law of asking: every ask has exactly one outcome, in time, and it tells the truth about what was done.
//
// A crowd asks itself and is asked from outside while its members fail, are stopped, restarted,
// overloaded, passed up and shut down. Each request writes down what really became of it.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

/// What really became of one ask. Written on several threads in the run on real cores.
struct Fact {
  std::atomic<int> entered{0};
  std::atomic<int> returned{0};  // a value
  std::atomic<int> refused{0};   // the domain error
  std::atomic<int> outcomes{0};
  std::atomic<int> outcome{-1};
};

struct Truth {
  static constexpr std::size_t asks_max = 40'000;
  std::unique_ptr<std::array<Fact, asks_max>> facts = std::make_unique<std::array<Fact, asks_max>>();
  std::atomic<int> asked{0};
  std::atomic<int> lies{0};   // outcomes that contradict what was known at once
  std::atomic<int> early{0};  // time-outs before the deadline
  std::atomic<int> late{0};   // outcomes after it, in virtual time
  std::atomic<int> frames{0};
  bool virtual_time = true;

  Fact& fact(int id) { return (*facts)[static_cast<std::size_t>(id)]; }
  bool is_full() const { return asked.load() > static_cast<int>(asks_max) - 2000; }
};
using Book = std::shared_ptr<Truth>;

enum class Refused { politely };
enum class How { quick, slow, later, handed_on };

template <How how>
struct Question {
  int id;
  std::uint32_t mood;
  using reply = int;
  using error = Refused;
};
using Quick = Question<How::quick>;
using Slow = Question<How::slow>;
using Later = Question<How::later>;
using HandedOn = Question<How::handed_on>;

struct Act {
  int steps;
};
struct Settle {};
using Party = Ref<Protocol<Quick, Slow, Later, HandedOn, Act>>;

/// Who is there. References of members that have ended stay in it: they are asked too.
struct Roster {
  std::mutex mutex;
  std::vector<Party> all;
  void add(Party one) {
    const std::lock_guard lock{mutex};
    if (all.size() < 200) all.push_back(one);
  }
  std::optional<Party> any(base::Random& random) {
    const std::lock_guard lock{mutex};
    if (all.empty()) return std::nullopt;
    return all[random.below(all.size())];
  }
};
struct Stage {
  Book book = std::make_shared<Truth>();
  std::shared_ptr<Roster> roster = std::make_shared<Roster>();
};

template <How how>
Task<void> ask_one(Party whom, Stage stage, std::uint32_t mood, Duration within, Instant inherited) {
  Core& core = *Core::current();
  Book book = stage.book;
  const int id = book->asked.fetch_add(1);
  const Instant asked = core.now();
  const Instant deadline = std::min(asked + within, inherited);
  Fact& fact = book->fact(id);
  auto answer = co_await whom.ask(Question<how>{id, mood}, {.within = within});
  ++fact.outcomes;
  const Instant now = core.now();
  // Whoever is shielded may ask after its own deadline has passed; that ask ends at once.
  if (book->virtual_time && now > std::max(deadline, asked) + 2ms) ++book->late;
  if (answer) {
    if (*answer != id || fact.returned != 1) ++book->lies;
    co_return;
  }
  const Outcome outcome = answer.error().outcome;
  fact.outcome = static_cast<int>(outcome);
  switch (outcome) {
    case Outcome::answered:
      if (fact.refused != 1 || answer.error().domain != Refused::politely) ++book->lies;
      break;
    case Outcome::executed_failed:
      if (fact.entered != 1 || fact.returned + fact.refused != 0) ++book->lies;
      break;
    case Outcome::unknown:
      if (now < deadline) ++book->early;
      break;
    case Outcome::not_executed:  // looked at in the end: nothing may be entered later either
      break;
  }
}

Task<void> ask_somebody(Stage stage, base::Random& random, Instant inherited) {
  auto whom = stage.roster->any(random);
  if (!whom || stage.book->is_full()) co_return;
  const auto mood = static_cast<std::uint32_t>(random.below(1000));
  const Duration within = Duration{1'000'000} * static_cast<std::int64_t>(random.below(60));
  switch (random.below(4)) {
    case 0:
      co_await ask_one<How::quick>(*whom, stage, mood, within, inherited);
      break;
    case 1:
      co_await ask_one<How::slow>(*whom, stage, mood, within, inherited);
      break;
    case 2:
      co_await ask_one<How::later>(*whom, stage, mood, within, inherited);
      break;
    default:
      co_await ask_one<How::handed_on>(*whom, stage, mood, within, inherited);
  }
}

template <bool Interleaves>
class Member {
 public:
  static constexpr bool interleaves = Interleaves;
  explicit Member(Stage stage) : stage_(std::move(stage)) {}

  void started(Context& ctx) {
    ctx.every(this, "settle", 7ms, Settle{});
    stage_.roster->add(ctx.self(this));
    if (ctx.random().below(20) == 0) throw std::runtime_error("a bad start");
  }

  std::expected<int, Refused> handle(Quick m) {
    Fact& fact = stage_.book->fact(m.id);
    ++fact.entered;
    if (m.mood % 10 == 1) throw std::runtime_error("a bad question");
    return end(fact, m.id, m.mood);
  }

  Task<std::expected<int, Refused>> handle(Slow m, Context& ctx) {
    struct Frame {
      Book book;
      explicit Frame(Book b) : book(std::move(b)) { ++book->frames; }
      ~Frame() { --book->frames; }
    } frame{stage_.book};
    Fact& fact = stage_.book->fact(m.id);
    ++fact.entered;
    std::optional<Shield> shield;
    if (m.mood % 7 == 2) shield.emplace(ctx.shield());
    if (m.mood % 3 == 0) co_await ctx.sleep(Duration{1'000'000} * (m.mood % 50));
    if (m.mood % 10 == 3) throw std::runtime_error("a bad long question");
    if (m.mood % 10 == 4) {
      const bool done = co_await blocking([] { return true; });
      (void)done;
    }
    if (m.mood % 4 == 1) co_await ask_somebody(stage_, ctx.random(), ctx.deadline());
    co_return end(fact, m.id, m.mood);
  }

  void handle(Later m, Reply<int, Refused> reply) {
    ++stage_.book->fact(m.id).entered;
    waiting_.emplace_back(m, std::move(reply));
  }

  Delegated<int, Refused> handle(HandedOn m, Context& ctx) {
    const Party other = stage_.roster->any(ctx.random()).value_or(Party{ctx.self(this)});
    if (m.mood % 2 == 0) return other.delegate(Quick{m.id, m.mood});
    return other.delegate(Slow{m.id, m.mood});
  }

  void handle(Settle, Context& ctx) {
    if (waiting_.empty()) return;
    const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(ctx.random().below(waiting_.size()));
    auto [m, reply] = std::move(*at);
    waiting_.erase(at);
    if (m.mood % 10 == 5) return;  // the reply is dropped
    const auto value = end(stage_.book->fact(m.id), m.id, m.mood);
    if (value) {
      reply.set(*value);
    } else {
      reply.fail(value.error());
    }
  }

  Task<void> handle(Act m, Context& ctx) {
    for (int i = 0; i < m.steps; ++i) {
      auto other = stage_.roster->any(ctx.random());
      if (!other) co_return;
      switch (ctx.random().below(12)) {
        case 0:
          lifecycle::request_stop(&ctx.core(), other->address());
          break;
        case 1:
          throw std::runtime_error("a bad act");
        case 2:
          other->tell(Act{1});
          break;
        default:
          co_await ask_somebody(stage_, ctx.random(), Instant::never());
      }
    }
  }

 private:
  static std::expected<int, Refused> end(Fact& fact, int id, std::uint32_t mood) {
    if (mood % 10 == 6) {
      ++fact.refused;
      return std::unexpected(Refused::politely);
    }
    ++fact.returned;
    return id;
  }
  Stage stage_;
  std::vector<std::pair<Later, Reply<int, Refused>>> waiting_;
};

/// Starts members, and decides about their faults in every way there is.
class Nest {
 public:
  explicit Nest(Stage stage) : stage_(std::move(stage)) {}
  void started(Context& ctx) {
    for (int i = 0; i < 3; ++i) {
      ctx.spawn<Member<false>>(options(ctx), stage_);
      ctx.spawn<Member<true>>(options(ctx), stage_);
    }
  }
  void handle(Settle) {}

  static ActorOptions nest_options(std::uint64_t salt) {
    return {.restart = Restart::permanent,
            .supervision = {.intensity = {.restarts = 6, .within = 1s},
                            .backoff = {.min = 3ms, .max = 20ms},
                            .decide = [random = std::make_shared<base::SeededRandom>(salt)](const std::exception_ptr&) {
                              return static_cast<Directive>(random->below(4));
                            }}};
  }

 private:
  static ActorOptions options(Context& ctx) {
    base::Random& random = ctx.random();
    return {.core = static_cast<int>(random.below(ctx.core().host().core_count())),
            .mailbox = {.capacity = 1 + static_cast<std::uint32_t>(random.below(8)),
                        .overflow = static_cast<Overflow>(random.below(4)),
                        .block_for = 15ms},
            .restart = static_cast<Restart>(random.below(3)),
            .shutdown = Duration{1'000'000} * static_cast<std::int64_t>(random.below(20)),
            .in_flight_max = 1 + static_cast<std::uint32_t>(random.below(5))};
  }
  Stage stage_;
};

/// Asks from outside, where nobody is stopped: each of these asks has its outcome.
Task<int> ask_many(Stage stage, std::uint64_t seed, int n) {
  base::SeededRandom random{seed};
  for (int i = 0; i < n; ++i) {
    co_await ask_somebody(stage, random, Instant::never());
    auto other = stage.roster->any(random);
    if (other && random.below(3) == 0) other->tell(Act{1 + static_cast<int>(random.below(4))});
    if (random.below(4) == 0) co_await sleep(2ms);
  }
  co_return n;
}

Supervision lenient() { return {.intensity = {.restarts = 1'000'000}, .backoff = {.min = 3ms, .max = 20ms}}; }

/// After the end: what must be true of every ask, also of those whose asker died.
void check(Truth& book, std::array<int, 5>& kinds) {
  CHECK_GT(book.asked.load(), 10);
  CHECK_EQ(book.lies.load(), 0);
  CHECK_EQ(book.early.load(), 0);
  CHECK_EQ(book.late.load(), 0);
  CHECK_EQ(book.frames.load(), 0);
  int twice = 0;
  int false_denials = 0;
  for (int id = 0; id < book.asked.load(); ++id) {
    const Fact& fact = book.fact(id);
    if (fact.outcomes > 1 || fact.entered > 1) ++twice;
    if (fact.outcome == static_cast<int>(Outcome::not_executed) && fact.entered != 0) ++false_denials;
    if (fact.outcomes == 1) ++kinds[static_cast<std::size_t>(fact.outcome + 1)];
  }
  CHECK_EQ(twice, 0);
  CHECK_EQ(false_denials, 0);
}

}  // namespace

TEST_CASE("every ask has exactly one outcome, in time, and it tells the truth") {
  std::array<int, 5> kinds{};  // answers, then by Outcome
  test::explore(
      {.schedules = 48},
      [&](test::Seed seed) {
        const Stage stage;
        auto through = std::make_shared<int>(0);
        {
          test::World w{seed, {.cores = 1 + static_cast<int>(seed.number % 4), .supervision = lenient()}};
          for (std::uint64_t i = 0; i < 3; ++i) w.spawn<Nest>(Nest::nest_options(seed.number * 3 + i), stage);
          w.run_until_idle();
          for (std::uint64_t asker = 0; asker < 6; ++asker) {
            w.system().run_as_guest([](Stage s, std::uint64_t salt, std::shared_ptr<int> done) -> Task<void> {
              *done += co_await ask_many(s, salt, 40);
            }(stage, seed.number * 100 + asker, through));
          }
          w.advance(seed.number % 3 == 0 ? Duration{1'000'000} * static_cast<std::int64_t>(seed.number % 48 * 5)
                                         : 1min);
          if (seed.number % 3 != 0) CHECK_EQ(*through, 6 * 40);
        }  // every third ends in mid-flight
        check(*stage.book, kinds);
      },
      [&] {
        for (const int n : kinds) CHECK_GT(n, 200);  // a law about what does not happen would prove nothing
      });
}

TEST_CASE("on real cores too every ask has exactly one outcome, and it tells the truth") {
  std::array<int, 5> kinds{};
  for (const bool to_the_end : {true, false}) {
    const Stage stage;
    stage.book->virtual_time = false;
    {
      System system{{.cores = 3, .supervision = lenient(), .report = [](const std::string&) {}}};
      for (std::uint64_t i = 0; i < 3; ++i) system.spawn<Nest>(Nest::nest_options(i), stage);
      std::vector<std::thread> askers;
      for (std::uint64_t asker = 0; asker < 4; ++asker) {
        askers.emplace_back([&, asker] {
          try {
            const int asked = system.block_on(ask_many(stage, asker, 60));
            CHECK_EQ(asked, 60);
          } catch (const SystemEnded&) {
            CHECK_FALSE(to_the_end);
          }
        });
      }
      if (!to_the_end) {
        CHECK_EQ(system.block_on(ask_many(stage, 9, 20)), 20);
        system.shutdown();
      }
      for (auto& asker : askers) asker.join();
      system.shutdown();
    }
    check(*stage.book, kinds);
  }
}
