// Savina's ping-pong and thread ring: one message at a time, so the cost of a hop stands alone.
#include "bench/savina/support.h"

namespace troupe::bench::savina {
namespace {

struct Token {
  std::uint64_t left;
};
class Node;
struct Next {
  Ref<Node> node;
  using reply = actor::NoError;
};

/// One of a ring of any size; ping-pong is a ring of two. The node that begins also sees the token end.
class Node {
 public:
  explicit Node(std::uint64_t hops) : hops_(hops) {}

  actor::NoError handle(Next message) {
    next_ = message.node;
    return {};
  }
  void handle(Begin, Reply<actor::NoError> reply) {
    reply_ = std::move(reply);
    next_.tell(Token{hops_});
  }
  void handle(Token token) {
    if (token.left == 0) {
      if (reply_) reply_.set({});
      return;
    }
    next_.tell(Token{token.left - 1});
  }

 private:
  const std::uint64_t hops_;
  Ref<Node> next_;
  Reply<actor::NoError> reply_;
};

Outcome ring(Setting setting, std::uint64_t size, std::uint64_t hops) {
  // Rounded so that the token ends where it began.
  hops = hops / size * size - 1;
  System system{{.cores = setting.cores}};
  std::vector<Ref<Node>> nodes;
  for (std::uint64_t i = 0; i < size; ++i) nodes.push_back(system.spawn<Node>({.core = core_of(i, system)}, hops));
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto joined = system.block_on(nodes[i].ask(Next{nodes[(i + 1) % size]}));
    if (!joined) throw std::runtime_error(joined.error().what);
  }
  return {hops + 1, run(system, nodes[0])};
}

}  // namespace

Outcome ping_pong(Setting setting) { return ring(setting, 2, 80'000 * setting.scale); }
Outcome thread_ring(Setting setting) { return ring(setting, 100, 100'000 * setting.scale); }

}  // namespace troupe::bench::savina
