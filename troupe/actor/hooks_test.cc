// Hooks: in which forms an actor may have them, and what else may be called as they are.
#include "troupe/actor/hooks.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

namespace troupe::actor {
namespace {

struct Steps {
  using reply = std::string;
};

class Plain {
 public:
  void started(Context&) { steps_ += "started "; }
  std::string handle(Steps) const { return steps_; }

 private:
  std::string steps_;
};

class Waiting final {
 public:
  Task<void> started(Context& context) {
    co_await context.sleep(1ms);
    steps_ += "started ";
  }
  std::string handle(Steps) const { return steps_; }

 private:
  std::string steps_;
};

class ByItself {
 public:
  void started(this ByItself& self, Context&) { self.steps_ += "started "; }
  std::string handle(Steps) const { return steps_; }

 private:
  std::string steps_;
};

class OfItsBase : public Plain {
 public:
  using Plain::handle;
};

class Overloaded {
 public:
  void started(int) { steps_ += "wrong "; }
  void started(Context&) { steps_ += "started "; }
  std::string handle(Steps) const { return steps_; }

 private:
  std::string steps_;
};

/// Its public variables are called as hooks are, and are none.
struct Variables {
  bool started = false;
  int stopped = 0;
  std::string inspect = "none ";
  std::string handle(Steps) const { return inspect; }
};

template <class A>
std::string steps_of() {
  test::World world{1};
  auto actor = world.spawn<A>({.name = "one"});
  return world.block_on(actor.ask(Steps{})).value();
}

TEST_CASE("an actor is told of its start in each form that the hook may have") {
  CHECK_EQ(steps_of<Plain>(), "started ");
  CHECK_EQ(steps_of<Waiting>(), "started ");
  CHECK_EQ(steps_of<ByItself>(), "started ");
  CHECK_EQ(steps_of<OfItsBase>(), "started ");
  CHECK_EQ(steps_of<Overloaded>(), "started ");
}

TEST_CASE("a public variable that is called as a hook is not taken for one") {
  CHECK_EQ(steps_of<Variables>(), "none ");
}

// What must not compile stands in tests/must_not_compile; here, that a name is found wherever it hides.
class Hides {
 private:
  void started(Context&);
  void stopped();
  void inspect(Inspection&);
  Task<void> recovered();
  std::string persistence_id() const;
};
class Inherits : public Hides {};
struct Overloads {
  void started(int);
  void started();
};
struct Empty {};

using namespace detail;
static_assert(has_member_of<Hides, StartedHook>() && !fits_or_is_absent<Hides, StartedHook>);
static_assert(has_member_of<Hides, StoppedHook>() && !fits_or_is_absent<Hides, StoppedHook>);
static_assert(has_member_of<Hides, InspectHook>() && !fits_or_is_absent<Hides, InspectHook>);
static_assert(has_member_of<Hides, RecoveredHook>() && !fits_or_is_absent<Hides, RecoveredHook>);
static_assert(has_member_of<Hides, PersistenceIdHook>() && !fits_or_is_absent<Hides, PersistenceIdHook>);
static_assert(!fits_or_is_absent<Inherits, StartedHook> && !fits_or_is_absent<Overloads, StartedHook>);
static_assert(!has_member_of<Empty, StartedHook>() && fits_or_is_absent<Empty, StartedHook>);
static_assert(!has_member_of<Variables, StoppedHook>() && fits_or_is_absent<Variables, StoppedHook>);
static_assert(fits_or_is_absent<Waiting, StartedHook> && fits_or_is_absent<Waiting, StoppedHook>);

}  // namespace
}  // namespace troupe::actor
