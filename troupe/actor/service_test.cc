// Services: one instance, whoever asks first and on however many cores.
#include "troupe/actor/service.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Add {
  int n;
  using reply = int;
};
struct Break {};
struct Quit {};

class Collector {
 public:
  explicit Collector(int start = 0) : sum_(start) {}
  int handle(Add m) { return sum_ += m.n; }
  void handle(Break) { throw std::runtime_error("broken"); }
  void handle(Quit, Context& ctx) { ctx.stop(); }

 private:
  int sum_;
};

struct Use {
  using reply = int;
};
/// Finds what it needs when it needs it.
struct User {
  Task<int> handle(Use, Context& ctx) {
    auto answer = co_await service<Collector>(ctx).ask(Add{1});
    co_return answer.value();
  }
};

}  // namespace

TEST_CASE("a service starts on first use and is the same for everybody") {
  test::World w{1, {.cores = 3}};
  std::vector<Ref<User>> users;
  for (int core = 0; core < 3; ++core) users.push_back(w.spawn<User>({.core = core}));
  for (auto user : users) w.block_on(user.ask(Use{})).value();
  CHECK_EQ(w.block_on(service<Collector>(w.system()).ask(Add{0})).value(), 3);
  const auto tree = w.block_on(w.system().inspect());
  CHECK_EQ(std::count_if(tree.begin(), tree.end(), [](const auto& a) { return a.path == "/services/Collector"; }), 1);
}

TEST_CASE("services of one class are told apart by name; the first who asks gives the arguments") {
  test::World w{1};
  auto first = service<Collector>(w.system(), "first", 10);
  auto second = service<Collector>(w.system(), {.name = "second", .core = 1}, 20);
  CHECK_NE(first, second);
  CHECK_EQ(service<Collector>(w.system(), std::string{"first"}, 99), first);
  CHECK_NE(service<Collector>(w.system()), first);
  CHECK_EQ(w.block_on(first.ask(Add{1})).value(), 11);
  CHECK_EQ(w.block_on(second.ask(Add{1})).value(), 21);
}

TEST_CASE("a restart keeps the reference; one that has ended for good is started anew by the next who asks") {
  test::World w{1, {.supervision = {.intensity = {.restarts = 2, .within = 1h}}}};
  auto service_before = service<Collector>(w.system());
  CHECK_EQ(w.block_on(service_before.ask(Add{5})).value(), 5);
  for (int i = 0; i < 3; ++i) {  // the third time the parent of all services gives up, and is restarted itself
    service_before.tell(Break{});
    w.advance(1s);
  }
  CHECK_EQ(service<Collector>(w.system()), service_before);
  CHECK_EQ(w.block_on(service_before.ask(Add{5})).value(), 5);
  service_before.tell(Quit{});
  w.run_until_idle();
  auto after = service<Collector>(w.system());
  CHECK_NE(after, service_before);
  CHECK_EQ(w.block_on(after.ask(Add{1})).value(), 1);
}

TEST_CASE("services end after those who use them") {
  struct Lines {
    std::vector<std::string> all;
  };
  struct Ending {
    std::shared_ptr<Lines> lines;
    explicit Ending(std::shared_ptr<Lines> its_lines) : lines(std::move(its_lines)) {}
    void stopped(Context&) { lines->all.push_back("service"); }
    int handle(Add m) { return m.n; }
  };
  struct Late {
    std::shared_ptr<Lines> lines;
    explicit Late(std::shared_ptr<Lines> its_lines) : lines(std::move(its_lines)) {}
    void started(Context& ctx) { service<Ending>(ctx, {}, lines); }
    void stopped(Context&) { lines->all.push_back("user"); }
  };
  auto lines = std::make_shared<Lines>();
  test::World w{1};
  w.spawn<Late>({.core = 1}, lines);
  w.run_until_idle();
  w.shutdown();
  CHECK_EQ(lines->all, std::vector<std::string>{"user", "service"});
}
