// What only a mistake in the program can do stops the process and says what was wrong. Each dies in a child process.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "troupe/actor/group/shards.h"
#include "troupe/actor/system.h"
#include "troupe/base/testing/ending.h"

namespace troupe::actor {
namespace {

struct Question {
  using reply = int;
};

/// Lets another thread answer.
class Careless {
 public:
  void handle(Question, Reply<int> reply) {
    std::thread{[reply = std::move(reply)]() mutable { reply.set(1); }}.join();
  }
};

class Twice {
 public:
  Task<int> handle(Question) {
    Task<int> one = number();
    const int first = co_await std::move(one);
    co_return first + co_await std::move(one);
  }

 private:
  static Task<int> number() { co_return 1; }
};

struct Word {
  std::string text;
};
struct Words {
  using item = Word;
};

class Listener {
 public:
  int handle(Question) const { return 1; }
  void handle(Word) {}
  Stream<Word> handle(Words) { co_return; }
};

/// Awaits twice what it was given, as long as that lets it.
template <class Awaitable>
Task<void> impatient(Awaitable what) {
  (void)co_await what;
  (void)co_await what;
}

struct Nobody {
  std::string key;
  void handle(Question&) const {}
};

struct Misuse {
  const char* what;
  void (*act)(System&);
  const char* said;
};

const Misuse misuses[] = {
    {"an actor on a core behind the last", [](System& s) { s.spawn<Careless>({.core = 2}); }, "no core of that number"},
    {"an actor on a core before the first", [](System& s) { s.spawn<Careless>({.core = -2}); },
     "no core of that number"},
    {"a job for a core that there is not",
     [](System& s) { s.block_on([]() -> Task<void> { co_await on_core(7, [](Core&) {}); }()); },
     "no core of that number"},
    {"a Reply that a thread answers which is no core's",
     [](System& s) { (void)s.block_on(s.spawn<Careless>({}).ask(Question{})); }, "answered on a core's thread"},
    {"a task that is awaited twice", [](System& s) { (void)s.block_on(s.spawn<Twice>({}).ask(Question{})); },
     "a task is awaited once"},
    {"an ask that is awaited twice", [](System& s) { s.block_on(impatient(s.spawn<Listener>({}).ask(Question{}))); },
     "an ask is awaited once"},
    {"a send that is awaited twice",
     [](System& s) { s.block_on(impatient(s.spawn<Listener>({}).send(Word{"hello"}))); }, "a send is awaited once"},
    {"a send to another core that is awaited twice",
     [](System& s) { s.block_on(impatient(s.spawn<Listener>({.core = 1}).send(Word{"hello"}))); },
     "a send is awaited once"},
    {"a job that is awaited twice",
     [](System& s) {
       s.block_on([]() -> Task<void> {
         auto job = blocking([] {});
         co_await job;
         co_await job;
       }());
     },
     "a job is awaited once"},
    {"an item behind the end of a stream",
     [](System& s) {
       s.block_on([](Ref<Listener> listener) -> Task<void> {
         auto words = listener.stream(Words{});
         auto word = co_await words.next();
         co_await listener.send(Word{word->text});
       }(s.spawn<Listener>({})));
     },
     "a stream that has ended has no next item"},
    {"the number of shards that nobody started", [](System&) { (void)Shards<Nobody>{}.count(); },
     "have not been started"},
    {"blocking jobs without a thread for them",
     [](System&) { System{{.cores = 1, .offload = {.threads = 0}}}.shutdown(); }, "without a thread"},
};

TEST_CASE("a misuse of the library stops the process, and says what was wrong") {
  for (const Misuse& misuse : misuses) {
    CAPTURE(misuse.what);
    const auto ending = base::testing::ending_of([&misuse] {
      System system{{.cores = 2}};
      misuse.act(system);
    });
    CAPTURE(ending.said);
    CHECK(WIFSIGNALED(ending.status));
    CHECK_EQ(WTERMSIG(ending.status), SIGABRT);
    CHECK_NE(ending.said.find(misuse.said), std::string::npos);
  }
}

}  // namespace
}  // namespace troupe::actor
