// Groups as children: an actor that makes a pool, a lazy actor and shards owns them, and they end with it.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Count {
  using reply = int;
};
struct Break {};
struct Members {
  using reply = int;
};

using Alive = std::shared_ptr<int>;

class Member {
 public:
  explicit Member(Alive alive) : alive_(std::move(alive)) { ++*alive_; }
  Member(const Member&) = delete;
  ~Member() { --*alive_; }
  int handle(Count) { return ++count_; }

 private:
  Alive alive_;
  int count_ = 0;
};

/// Makes all three as it starts, and asks them for who asks it.
class Owner {
 public:
  explicit Owner(Alive alive) : alive_(std::move(alive)) {}
  void started(Context& ctx) {
    pool_ = pool<Member>(ctx, {.name = "pool", .size = 2}, alive_);
    lazy_ = lazy<Member>(ctx, "lazy", {}, alive_);
    shards_ = Shards<Member>{ctx, {.count = 4}, alive_};
  }
  Task<int> handle(Members) {
    int sum = 0;
    const std::array plain{pool_, lazy_};
    for (const Ref<Member> ref : plain) {
      auto count = co_await ref.ask(Count{});
      sum += count.value_or(1000);
    }
    for (const char* key : {"a", "b", "c"}) {
      auto count = co_await shards_.ref(key).ask(Count{});
      sum += count.value_or(1000);
    }
    co_return sum;
  }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  Alive alive_;
  Ref<Member> pool_;
  Ref<Member> lazy_;
  Shards<Member> shards_;
};

}  // namespace

TEST_CASE("a group that an actor makes is its child: it ends with it, and is made anew when it is restarted") {
  test::World w{4, {.cores = 3}};
  auto alive = std::make_shared<int>(0);
  auto owner = w.spawn<Owner>({.core = 1}, alive);
  CHECK_EQ(w.block_on(owner.ask(Members{})).value(), 5);  // each was asked once
  CHECK_EQ(*alive, 2 + 1 + 3);
  CHECK_EQ(w.block_on(owner.ask(Members{})).value(), 9);  // the pool has another one, the others are the same
  owner.tell(Break{});
  w.advance(1s);
  CHECK_EQ(*alive, 2);  // the new pool's; nobody has asked for the others
  CHECK_EQ(w.block_on(owner.ask(Members{})).value(), 5);
  CHECK_EQ(*alive, 2 + 1 + 3);
  w.shutdown();
  CHECK_EQ(*alive, 0);
}
