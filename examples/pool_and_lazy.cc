// Pool and lazy: many workers behind one reference, actors that exist while somebody talks to them, and one actor for
// each key of a table.
#include <cstdio>

#include "troupe/actor/group/lazy.h"
#include "troupe/actor/group/pool.h"
#include "troupe/actor/group/shards.h"
#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

struct Square {
  int of;
  using reply = int;
};
class Worker {
 public:
  int handle(Square m) { return m.of * m.of; }
};

struct Visit {
  using reply = int;
};
class Guest {
 public:
  int handle(Visit) { return ++visits_; }

 private:
  int visits_ = 0;  // gone when the actor is put away
};

class Account {
 public:
  explicit Account(std::string owner) : owner_(std::move(owner)) {}
  std::string handle(struct Whose);

 private:
  std::string owner_;
};
struct Whose {
  using reply = std::string;
};
std::string Account::handle(Whose) { return owner_; }

int main() {
  test::World world{1};
  System& system = world.system();

  // A pool is a plain Ref: nobody who asks knows that there are four.
  const auto workers = pool<Worker>(system, {.size = 4, .route = Route::round_robin});
  int sum = 0;
  for (int i = 1; i <= 10; ++i) sum += world.block_on(workers.ask(Square{i})).value_or(0);
  std::printf("the pool's sum of squares: %d\n", sum);

  // A lazy actor is made by its first message, put away when idle, and made again by the next.
  const auto guest = lazy<Guest>(system, "guest-42", {.passivate_after = 1min});
  const int first = world.block_on(guest.ask(Visit{})).value_or(0);
  const int second = world.block_on(guest.ask(Visit{})).value_or(0);
  world.advance(10min);
  const int later = world.block_on(guest.ask(Visit{})).value_or(0);
  std::printf("visits: %d, %d, and after a long silence %d\n", first, second, later);

  // Shards: an actor for each key, wherever it lives.
  auto accounts = Shards<Account>{system, {.count = 16}};
  for (const char* owner : {"alice", "bob"}) {
    const auto whose = world.block_on(accounts.ref(owner).ask(Whose{}));
    std::printf("the account of %s says %s\n", owner, whose ? whose->c_str() : "nothing");
  }
}
