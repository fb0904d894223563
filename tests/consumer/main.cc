// A consumer of the installed library: one actor that counts, asked from main.
#include <troupe/actor/codec.h>  // first and alone: it needs nothing that others include

#include <troupe/actor/actor.h>

#include <cstdio>

using namespace troupe::actor;

struct Add {
  int by = 1;
};
struct Sum {
  using reply = int;
};

class Counter {
 public:
  void handle(Add add) { sum_ += add.by; }
  int handle(Sum) const { return sum_; }

 private:
  int sum_ = 0;
};

int main() {
  System system{{.cores = 2}};
  const auto counter = system.spawn<Counter>({.name = "counter", .core = 1});
  for (int i = 1; i <= 10; ++i) counter.tell(Add{i});
  const auto sum = system.block_on(counter.ask(Sum{}));
  if (!sum) return 1;
  std::printf("%d\n", *sum);
}
