// Hello: an actor is a class, a message is a struct, and a reference is all that others have of it.
#include <cstdio>

#include "troupe/actor/actor.h"

using namespace troupe::actor;

// A message that is told, and one that is asked: the reply belongs to the message.
struct Greet {
  std::string whom;
};
struct Greetings {
  using reply = int;
};

// No base class, no macro: the runtime finds `handle` at compile time.
class Greeter {
 public:
  void handle(Greet message) {
    ++greetings_;
    std::printf("hello, %s\n", message.whom.c_str());
  }
  int handle(Greetings) const { return greetings_; }

 private:
  int greetings_ = 0;
};

int main() {
  System system;
  const auto greeter = system.spawn<Greeter>({.name = "greeter"});

  greeter.tell(Greet{"Ada"});
  greeter.tell(Greet{"Grace"});

  // Messages of one sender arrive in order, so both greetings have been counted.
  const auto count = system.block_on(greeter.ask(Greetings{}));
  if (count) std::printf("%d greetings\n", *count);
}  // the system stops its actors here
