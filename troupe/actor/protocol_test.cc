// Protocols: narrowed at compile time, from a class or from a wider protocol, to the same actor; and the ways to say
// it.
#include <doctest/doctest.h>

#include <map>
#include <unordered_map>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Add {
  int n;
};
struct Scale {
  int by;
};
struct Get {
  using reply = int;
};
struct Combine {
  std::string name;
  int a;
  int b;
  using reply = std::string;
};
struct Wait {
  Duration time;
  using reply = int;
};

class Register {
 public:
  void handle(Add m) { n_ += m.n; }
  void handle(Scale m) { n_ *= m.by; }
  int handle(Get) const { return n_; }
  std::string handle(Combine m) { return m.name + std::to_string(m.a + m.b); }
  Task<int> handle(Wait m) {
    co_await sleep(m.time);
    co_return n_;
  }

 private:
  int n_ = 1;
};

using All = Protocol<Add, Scale, Get>;
using Outer = Protocol<Get, Add>;
using Reader = Protocol<Get>;

static_assert(satisfies<Register, All>::value && satisfies<All, Outer>::value && satisfies<All, All>::value);
static_assert(!satisfies<Reader, Outer>::value && !satisfies<Register, Protocol<Terminated>>::value);
static_assert(std::is_convertible_v<Ref<All>, Ref<Reader>> && !std::is_convertible_v<Ref<Reader>, Ref<All>>);
static_assert(std::is_trivially_copyable_v<Ref<Reader>> && sizeof(Ref<Reader>) == 24);

}  // namespace

TEST_CASE("a reference is narrowed again and again, in any order of messages, and means the same actor") {
  test::World w{1};
  auto actor = w.spawn<Register>({});
  Ref<All> all = actor;
  Ref<Outer> outer = all;
  Ref<Reader> reader = outer;
  all.tell(Add{2});
  all.tell(Scale{5});
  outer.tell(Add{1});
  CHECK_EQ(w.block_on(all.ask(Get{})).value(), 16);
  CHECK_EQ(w.block_on(outer.ask(Get{})).value(), 16);
  CHECK_EQ(w.block_on(reader.ask(Get{})).value(), 16);
  Ref<Protocol<Scale>> scaler = all;
  scaler.tell(Scale{2});
  CHECK_EQ(w.block_on(reader.ask(Get{})).value(), 32);
  CHECK(reader == Ref<Reader>{actor});
}

TEST_CASE("a reference to nobody stays one when it is narrowed") {
  test::World w{1};
  Ref<Reader> reader = Ref<All>{};
  CHECK_FALSE(reader);
  CHECK_EQ(w.block_on(reader.ask(Get{})).error().outcome, Outcome::not_executed);
}

TEST_CASE("a message is built where it is told or asked, and asked within a time") {
  test::World w{1};
  auto actor = w.spawn<Register>({});
  CHECK_EQ(actor.tell<Add>(4), Sent::sent);
  CHECK_EQ(actor.tell<Add>(Add{1}), Sent::sent);
  CHECK_EQ(w.block_on(actor.within(1s).ask<Combine>("sum ", 2, 3)).value(), "sum 5");
  CHECK_EQ(w.block_on(actor.within(1s).ask<Get>()).value(), 6);
  CHECK_EQ(w.block_on(actor.within(1s).ask(Get{})).value(), 6);
  CHECK_EQ(w.block_on(Ref<Protocol<Wait>>{actor}.within(10ms).ask<Wait>(1s)).error().outcome, Outcome::unknown);
}

TEST_CASE("references are keys of ordered and of hashed maps") {
  test::World w{1};
  auto one = w.spawn<Register>({});
  auto other = w.spawn<Register>({});
  std::map<Ref<Register>, int> ordered{{one, 1}, {other, 2}};
  std::unordered_map<Ref<Reader>, int> hashed{{Ref<Reader>{one}, 1}, {Ref<Reader>{other}, 2}};
  CHECK_EQ(ordered.size(), 2);
  CHECK_EQ(ordered.at(other), 2);
  CHECK_EQ(hashed.at(Ref<Reader>{one}), 1);
  CHECK_FALSE(hashed.contains(Ref<Reader>{}));
}
