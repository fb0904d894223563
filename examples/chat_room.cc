// Chat room: publish and subscribe with wildcards, and a stream of what was said before, as fast as its reader likes.
#include <cstdio>

#include "troupe/actor/actor.h"
#include "troupe/actor/sim/world.h"
#include "troupe/actor/stream_reader.h"
#include "troupe/actor/topic.h"

using namespace troupe::actor;

struct Said {
  std::string who;
  std::string text;
};
struct History {
  using item = Said;
};
struct Say {
  std::string room;
  Said said;
};
struct Listen {
  std::string pattern;
  using reply = NoError;
};
struct Replay {
  using reply = int;
};

// Keeps what was said in any room, and streams it to who asks.
class Archive {
 public:
  void started(Context& ctx) { Topic<Said>{ctx, "chat"}.subscribe(ctx, this); }
  void handle(Said said) { all_.push_back(std::move(said)); }
  Stream<Said> handle(History) {
    for (std::size_t i = 0; i < all_.size(); ++i) co_yield all_[i];
  }

 private:
  std::vector<Said> all_;
};

class Person {
 public:
  Person(std::string name, Ref<Archive> archive) : name_(std::move(name)), archive_(archive) {}

  NoError handle(Listen m, Context& ctx) {
    Topic<Said>{ctx, "chat"}.subscribe(ctx, this, m.pattern);
    return {};
  }
  void handle(Say m, Context& ctx) { Topic<Said>{ctx, "chat"}.publish(m.room, m.said); }
  void handle(Said said) { std::printf("%s hears %s: %s\n", name_.c_str(), said.who.c_str(), said.text.c_str()); }

  Task<int> handle(Replay) {
    auto history = archive_.stream(History{});
    int count = 0;
    for (;;) {
      auto said = co_await history.next();
      if (!said) break;
      ++count;
    }
    co_return count;
  }

 private:
  std::string name_;
  Ref<Archive> archive_;
};

int main() {
  test::World world{1};
  const auto archive = world.spawn<Archive>({.name = "archive"});
  const auto ann = world.spawn<Person>({.name = "ann"}, "ann", archive);
  const auto ben = world.spawn<Person>({.name = "ben"}, "ben", archive);
  world.run_until_idle();

  (void)world.block_on(ann.ask(Listen{"room.*"}));
  (void)world.block_on(ben.ask(Listen{"room.music"}));
  ben.tell(Say{"room.music", {"ben", "listen to this"}});
  world.run_until_idle();
  ann.tell(Say{"room.books", {"ann", "read this"}});
  world.run_until_idle();

  std::printf("the archive has %d\n", world.block_on(ann.ask(Replay{})).value_or(-1));
}
