// Lazy actors: there when they are needed, gone when they are not, and nothing told to them is lost on the way.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Put {
  int n;
};
struct Sum {
  using reply = int;
};
struct Slow {
  using reply = int;
};
struct Break {};
struct Me {
  using reply = Ref<Protocol<Put>>;
};
struct Leave {};
struct Mind {
  bool may_go;
};
using Counting = Protocol<Put, Sum>;

struct Ledger {
  std::vector<int> seen;
  int born = 0;
  int alive = 0;
  int alive_max = 0;
  std::string name;
};
using Book = std::shared_ptr<Ledger>;

class User {
 public:
  User(const std::string& name, Book book) : book_(std::move(book)) {
    book_->name = name;
    ++book_->born;
    book_->alive_max = std::max(book_->alive_max, ++book_->alive);
  }
  User(const User&) = delete;
  ~User() { --book_->alive; }
  void handle(Put m) {
    sum_ += m.n;
    book_->seen.push_back(m.n);
  }
  int handle(Sum) { return sum_; }
  Task<int> handle(Slow) {
    co_await sleep(5s);
    co_return 7;
  }
  void handle(Break) { throw std::runtime_error("broken"); }
  void handle(Mind m) { may_go_ = m.may_go; }
  void handle(Leave, Context& ctx) { ctx.stop(); }
  Ref<Protocol<Put>> handle(Me, Context& ctx) { return ctx.self(this); }
  bool may_passivate() const { return may_go_; }

 private:
  Book book_;
  int sum_ = 0;
  bool may_go_ = true;
};

struct Fixture {
  test::World w{9};
  Book book = std::make_shared<Ledger>();
  Ref<User> user = lazy<User>(w, "user-42", {.passivate_after = 1s, .core = 1}, book);
  int sum() { return w.block_on(user.ask(Sum{})).value(); }
};

}  // namespace

TEST_CASE("a lazy actor is made by its first message and looks like any other") {
  Fixture f;
  f.w.advance(10s);
  CHECK_EQ(f.book->born, 0);
  Ref<Counting> narrow = f.user;
  narrow.tell(Put{2});
  CHECK_EQ(f.w.block_on(narrow.ask(Sum{})).value(), 2);
  CHECK_EQ(f.book->born, 1);
  CHECK_EQ(f.book->name, "user-42");
}

TEST_CASE("it is put away when idle and made again by the next message") {
  Fixture f;
  f.user.tell(Put{1});
  f.w.advance(900ms);
  f.user.tell(Put{2});
  f.w.advance(900ms);
  CHECK_EQ(f.book->alive, 1);
  f.w.advance(300ms);
  CHECK_EQ(f.book->alive, 0);
  CHECK_EQ(f.sum(), 0);
  CHECK_EQ(f.book->born, 2);
}

TEST_CASE("what is told or asked while it is put away goes to the next, in order") {
  test::explore({.schedules = 30}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 3}};
    Book book = std::make_shared<Ledger>();
    auto user = lazy<User>(w, "u", {.passivate_after = 10ms, .core = static_cast<int>(seed.number % 3)}, book);
    struct Steady {
      Ref<User> to;
      std::shared_ptr<int> answered;
      int sent = 0;
      Task<void> handle(Put, Context& ctx) {
        for (int i = 0; i < 3; ++i) to.tell(Put{++sent});
        auto sum = co_await to.ask(Sum{});
        *answered += sum.has_value();
        if (sent < 300)
          ctx.after(this, 10ms + Duration{10'000} * static_cast<std::int64_t>(ctx.random().below(200)), Put{0});
      }
    };
    auto answered = std::make_shared<int>(0);
    w.spawn<Steady>({.core = 0}, user, answered).tell(Put{0});
    w.advance(1min);
    std::vector<int> expected;
    for (int i = 1; i <= 300; ++i) expected.push_back(i);
    CHECK_EQ(book->seen, expected);
    CHECK_EQ(*answered, 100);
    CHECK_GT(book->born, 10);
    CHECK_EQ(book->alive_max, 1);
  });
}

TEST_CASE("it is not put away while it has something in hand, or says that it may not") {
  Fixture f;
  auto slow = f.w.block_on(f.user.ask(Slow{}, {.within = 10s}));
  CHECK_EQ(slow.value(), 7);
  CHECK_EQ(f.book->born, 1);
  f.user.tell(Mind{false});
  f.w.advance(1min);
  CHECK_EQ(f.book->alive, 1);
  f.user.tell(Mind{true});
  f.w.advance(2s);
  CHECK_EQ(f.book->alive, 0);
}

TEST_CASE("the reference that it has of itself outlives it") {
  Fixture f;
  auto self = f.w.block_on(f.user.ask(Me{})).value();
  f.w.advance(5s);
  CHECK_EQ(f.book->alive, 0);
  self.tell(Put{5});
  CHECK_EQ(f.sum(), 5);
}

TEST_CASE("it is restarted when it fails, and one that stops itself is made anew by the next message") {
  Fixture f;
  f.user.tell(Put{1});
  f.user.tell(Break{});
  f.w.advance(500ms);
  CHECK_EQ(f.sum(), 0);
  f.user.tell(Leave{});
  f.w.run_until_idle();
  CHECK_EQ(f.book->alive, 0);
  f.user.tell(Put{3});
  CHECK_EQ(f.sum(), 3);
}

TEST_CASE("who watches a lazy actor is told when it is stopped for good, and not before") {
  Fixture f;
  struct Watcher {
    Ref<User> user;
    std::shared_ptr<int> told;
    void started(Context& ctx) { ctx.watch(this, user); }
    void handle(Terminated) { ++*told; }
    void handle(Put, Context& ctx) { ctx.stop(user); }
  };
  auto told = std::make_shared<int>(0);
  auto watcher = f.w.spawn<Watcher>({}, f.user, told);
  f.user.tell(Put{1});
  f.w.advance(10s);
  CHECK_EQ(f.book->alive, 0);
  CHECK_EQ(*told, 0);
  f.user.tell(Put{1});
  f.w.run_until_idle();
  watcher.tell(Put{0});
  f.w.advance(1s);
  CHECK_EQ(*told, 1);
  CHECK_EQ(f.book->alive, 0);
  CHECK_EQ(f.w.block_on(f.user.ask(Sum{})).error().outcome, Outcome::not_executed);
}
