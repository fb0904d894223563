// Interleaving: what is handled while a handler of the same actor is suspended, and what is not.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Log = std::shared_ptr<std::vector<std::string>>;

struct Work {  // suspends its actor
  std::string name;
  Duration time;
};
struct Aside {  // does not
  static constexpr bool interleaves = true;
  std::string name;
  Duration time;
};
struct Note {
  std::string name;
};
struct Look {
  std::string name;
};
struct Gaze {
  std::string name;
  Duration time;
};

template <bool readers>
class Diary {
 public:
  static constexpr bool const_handlers_interleave = readers;
  explicit Diary(Log log) : log_(std::move(log)) {}
  Task<void> handle(Work m) {
    write("begin " + m.name);
    co_await sleep(m.time);
    write("end " + m.name);
  }
  Task<void> handle(Aside m) {
    write("begin " + m.name);
    co_await sleep(m.time);
    write("end " + m.name);
  }
  void handle(Note m) { write(m.name); }
  void handle(Look m) const { write(m.name); }
  Task<void> handle(Gaze m) const {
    write("begin " + m.name);
    co_await sleep(m.time);
    write("end " + m.name);
  }

 private:
  void write(std::string what) const { log_->push_back(std::move(what)); }
  Log log_;
};
using Plain = Diary<false>;
using Readable = Diary<true>;

struct Starting {
  static constexpr bool const_handlers_interleave = true;
  explicit Starting(Log its_log) : log(std::move(its_log)) {}
  Task<void> started(Context& ctx) {
    co_await ctx.sleep(10ms);
    log->push_back("started");
  }
  void handle(Look m) const { log->push_back(m.name); }
  Log log;
};

template <class A, class... M>
std::vector<std::string> lived(M... messages) {
  test::World w{1};
  Log log = std::make_shared<Log::element_type>();
  auto diary = w.spawn<A>({}, log);
  (diary.tell(std::move(messages)), ...);
  w.advance(1s);
  return *log;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a message that interleaves lets others be handled while its handler is suspended") {
  CHECK_EQ(lived<Plain>(Aside{"a", 10ms}, Note{"note"}, Aside{"b", 5ms}),
           Lines{"begin a", "note", "begin b", "end b", "end a"});
}

TEST_CASE("beside a handler that suspends its actor nothing is handled, not even what interleaves") {
  CHECK_EQ(lived<Plain>(Work{"w", 10ms}, Aside{"a", 5ms}, Note{"note"}),
           Lines{"begin w", "end w", "begin a", "note", "end a"});
  CHECK_EQ(lived<Plain>(Aside{"a", 10ms}, Work{"w", 20ms}, Note{"note"}),
           Lines{"begin a", "begin w", "end a", "end w", "note"});
}

TEST_CASE("a const handler is handled beside a suspended one where its actor says so, and else waits") {
  CHECK_EQ(lived<Readable>(Work{"w", 10ms}, Look{"look"}), Lines{"begin w", "look", "end w"});
  CHECK_EQ(lived<Plain>(Work{"w", 10ms}, Look{"look"}), Lines{"begin w", "end w", "look"});
}

TEST_CASE("what only looks never overtakes an earlier message") {
  CHECK_EQ(lived<Readable>(Work{"w", 10ms}, Note{"note"}, Look{"look"}), Lines{"begin w", "end w", "note", "look"});
}

TEST_CASE("const handlers may be suspended beside each other, and what writes waits for all of them") {
  CHECK_EQ(lived<Readable>(Gaze{"g", 10ms}, Gaze{"h", 5ms}, Note{"note"}),
           Lines{"begin g", "begin h", "end h", "end g", "note"});
}

TEST_CASE("nothing is handled while an actor starts, const or not") {
  CHECK_EQ(lived<Starting>(Look{"look"}), Lines{"started", "look"});
}
