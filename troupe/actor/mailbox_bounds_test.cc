// Bounds by bytes, and priorities: what a mailbox keeps, in which order it is handled, and what goes first.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/actor/topic.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using List = std::vector<int>;
using Seen = std::shared_ptr<List>;

struct Parcel {
  int n;
  std::size_t weight;
  std::size_t bytes() const { return weight; }
};
struct Letter {  // says its size by the other name
  int n;
  std::size_t size_in_bytes() const { return 10; }
};
struct Note {  // says nothing
  int n;
};
struct Urgent {
  static constexpr auto priority = Priority::high;
  int n;
};
struct Idle {
  static constexpr auto priority = Priority::low;
  static constexpr auto message_class = MessageClass::sheddable;
  int n;
};
struct Graded {
  int n;
  Priority grade;
  Priority priority() const { return grade; }
};
struct Must {
  static constexpr auto message_class = MessageClass::control;
  int n;
};
struct Hold {
  Duration length;
};
struct SetTimers {};

struct Desk {
  explicit Desk(Seen its_seen) : seen(std::move(its_seen)) {}
  void handle(Parcel m) { seen->push_back(m.n); }
  void handle(Letter m) { seen->push_back(m.n); }
  void handle(Note m) { seen->push_back(m.n); }
  void handle(Urgent m) { seen->push_back(m.n); }
  void handle(Idle m) { seen->push_back(m.n); }
  void handle(Graded m) { seen->push_back(m.n); }
  void handle(Must m) { seen->push_back(m.n); }
  void handle(const Published<Parcel>& m) { seen->push_back(m->n); }
  void handle(const Published<Graded>& m) { seen->push_back(m->n); }
  void handle(const Published<Urgent>& m) { seen->push_back(m->n); }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
  Task<void> handle(SetTimers, Context& ctx) {
    ctx.after(this, 1ms, Idle{1});
    ctx.after(this, 2ms, Note{2});
    ctx.every(this, "urgent", 3ms, Urgent{3});
    ctx.after(this, 4ms, Graded{4, Priority::high});
    co_await sleep(5ms);  // until all of them wait
    ctx.cancel("none of these");
    seen->push_back(0);
  }
  Seen seen;
};

/// Runs on the desk's core, so that what it tells is admitted or not at once.
struct Do {
  std::function<void(Ref<Desk>)> what;
};
struct SendParcels {
  std::vector<Parcel> parcels;
};
struct Clerk {
  static constexpr bool interleaves = true;
  explicit Clerk(Ref<Desk> its_desk) : desk(its_desk) {}
  void handle(Do m) { m.what(desk); }
  Task<void> handle(SendParcels m) {
    for (const auto& parcel : m.parcels) {
      auto sent = co_await desk.send(parcel);
      results.push_back(sent);
    }
  }
  static inline std::vector<Sent> results;
  Ref<Desk> desk;
};

struct Office {
  explicit Office(MailboxOptions mailbox) : w(3) {
    desk = w.spawn<Desk>({.core = 0, .mailbox = mailbox}, seen);
    clerk = w.spawn<Clerk>({.core = 0}, desk);
    desk.tell(Hold{1s});
    w.run_until_idle();
    Clerk::results.clear();
  }
  void run(std::function<void(Ref<Desk>)> what) {
    clerk.tell(Do{std::move(what)});
    w.run_until_idle();
  }
  List handled() {
    w.advance(2s);
    return *seen;
  }
  std::uint64_t dropped(Drop reason) {
    for (const auto& figures : figures_of(w.system())) {
      if (figures.type == "Desk") return figures.dropped[static_cast<std::size_t>(reason)];
    }
    return 0;
  }
  test::World w;
  Seen seen = std::make_shared<List>();
  Ref<Desk> desk;
  Ref<Clerk> clerk;
};

}  // namespace

TEST_CASE("a mailbox takes bytes up to its bound exactly, by either name, and what says no size weighs nothing") {
  Office office{{.bytes_max = 100}};
  office.run([](Ref<Desk> desk) {
    CHECK_EQ(desk.tell(Parcel{1, 60}), Sent::sent);
    CHECK_EQ(desk.tell(Parcel{2, 41}), Sent::full);
    CHECK_EQ(desk.tell(Parcel{3, 30}), Sent::sent);
    CHECK_EQ(desk.tell(Letter{4}), Sent::sent);
    CHECK_EQ(desk.tell(Letter{5}), Sent::full);
    CHECK_EQ(desk.tell(Note{6}), Sent::sent);
    CHECK_EQ(desk.tell(Must{7}), Sent::sent);
  });
  CHECK_EQ(office.handled(), List{1, 3, 4, 6, 7});
  office.desk.tell(Hold{1s});
  office.w.run_until_idle();
  office.run([](Ref<Desk> desk) { CHECK_EQ(desk.tell(Parcel{8, 100}), Sent::sent); });
  CHECK_EQ(office.handled().back(), 8);
}

TEST_CASE("the bound by number still holds where there is one by bytes") {
  Office office{{.capacity = 2, .bytes_max = 100}};
  office.run([](Ref<Desk> desk) {
    CHECK_EQ(desk.tell(Note{1}), Sent::sent);
    CHECK_EQ(desk.tell(Note{2}), Sent::sent);
    CHECK_EQ(desk.tell(Note{3}), Sent::full);
  });
}

TEST_CASE("drop_oldest evicts as many as the new message needs, and none for one that will never fit") {
  Office office{{.overflow = Overflow::drop_oldest, .bytes_max = 100}};
  office.run([](Ref<Desk> desk) {
    for (int i = 0; i < 5; ++i) desk.tell(Parcel{i, 20});
    CHECK_EQ(desk.tell(Parcel{5, 101}), Sent::full);
    CHECK_EQ(desk.tell(Parcel{6, 50}), Sent::sent);
  });
  CHECK_EQ(office.dropped(Drop::oldest), 3);
  CHECK_EQ(office.handled(), List{3, 4, 6});
}

TEST_CASE("a large message that waits for room is not overtaken by a small one that would fit") {
  for (const auto overflow : {Overflow::backpressure, Overflow::block}) {
    Office office{{.overflow = overflow, .bytes_max = 100}};
    office.run([](Ref<Desk> desk) { desk.tell(Parcel{0, 90}); });
    office.clerk.tell(SendParcels{{{1, 50}, {2, 101}, {3, 10}}});
    office.w.run_until_idle();
    office.run([](Ref<Desk> desk) { CHECK_EQ(desk.tell(Letter{4}), Sent::full); });
    CHECK_EQ(office.handled(), List{0, 1, 3});
    CHECK_EQ(Clerk::results, std::vector{Sent::sent, Sent::full, Sent::sent});
  }
}

TEST_CASE("what is parked waits for bytes too, in order") {
  Office office{{.overflow = Overflow::block, .bytes_max = 100}};
  office.run([](Ref<Desk> desk) {
    for (int i = 0; i < 6; ++i) CHECK_EQ(desk.tell(Parcel{i, i % 2 == 0 ? 90u : 10u}), Sent::sent);
  });
  CHECK_EQ(office.handled(), List{0, 1, 2, 3, 4, 5});
}

TEST_CASE("with priorities the high are handled first, and within one the first is the first") {
  Office office{{.priorities = true}};
  office.run([](Ref<Desk> desk) {
    desk.tell(Idle{1});
    desk.tell(Note{2});
    desk.tell(Urgent{3});
    desk.tell(Graded{4, Priority::low});
    desk.tell(Graded{5, Priority::high});
    desk.tell(Graded{6, Priority::normal});
    desk.tell(Urgent{7});
    desk.tell(Note{8});
  });
  CHECK_EQ(office.handled(), List{3, 5, 7, 2, 6, 8, 1, 4});
}

TEST_CASE("what a timer tells has the priority that the message has") {
  Office office{{.priorities = true}};
  office.desk.tell(SetTimers{});
  office.w.advance(1s + 6ms);
  CHECK_EQ(List(office.seen->begin(), office.seen->begin() + 5), List{0, 3, 4, 2, 1});
}

TEST_CASE("what is published weighs what its value does, and has its priority") {
  Office office{{.capacity = 100, .bytes_max = 100, .priorities = true}};
  Topic<Parcel> parcels{office.w.system(), "parcels"};
  Topic<Graded> graded{office.w.system(), "graded"};
  Topic<Urgent> urgent{office.w.system(), "urgent"};
  parcels.subscribe(office.desk);
  graded.subscribe(office.desk);
  urgent.subscribe(office.desk);
  office.w.run_until_idle();
  for (int i = 1; i <= 3; ++i) parcels.publish("a", {i, 40});
  graded.publish("a", {4, Priority::low});
  graded.publish("a", {5, Priority::high});
  urgent.publish("a", {6});
  office.w.run_until_idle();
  CHECK_EQ(office.handled(), List{5, 6, 1, 2, 4});
  CHECK_EQ(office.dropped(Drop::full), 1);
}

TEST_CASE("without priorities a message's priority means nothing") {
  Office office{{}};
  office.run([](Ref<Desk> desk) {
    desk.tell(Idle{1});
    desk.tell(Urgent{2});
  });
  CHECK_EQ(office.handled(), List{1, 2});
}

TEST_CASE("eviction takes the sheddable first, then the lowest priority, then the oldest, and never control") {
  Office office{{.capacity = 6, .overflow = Overflow::drop_oldest, .priorities = true}};
  office.run([](Ref<Desk> desk) {
    desk.tell(Urgent{1});
    desk.tell(Note{2});
    desk.tell(Note{3});
    desk.tell(Graded{4, Priority::low});
    desk.tell(Idle{5});
    desk.tell(Must{6});
    desk.tell(Urgent{7});                  // takes the place of 5, which is sheddable
    desk.tell(Urgent{8});                  // of 4, the lowest
    desk.tell(Urgent{9});                  // of 2, the oldest of the next
    desk.tell(Urgent{10});                 // of 3
    desk.tell(Urgent{11});                 // of 1: control stays
    desk.tell(Graded{12, Priority::low});  // of 7: it is new, so it gets in
  });
  CHECK_EQ(office.handled(), List{8, 9, 10, 11, 6, 12});
}
