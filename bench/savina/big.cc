// Savina's big: everybody pings everybody, one ping of each under way, in an order drawn from a seed.
#include "bench/savina/support.h"
#include "troupe/base/random.h"

namespace troupe::bench::savina {
namespace {

class Peer;
class Sink;

struct Ping {
  Ref<Peer> from;
};
struct Pong {};
struct Finished {};
struct Peers {
  std::shared_ptr<const std::vector<Ref<Peer>>> all;
  Ref<Sink> sink;
};

class Peer {
 public:
  Peer(std::uint64_t number, std::uint64_t pings) : random_(number + 1), left_(pings) {}

  void handle(Peers message, Context& ctx) {
    peers_ = message.all;
    sink_ = message.sink;
    ping(ctx);
  }
  void handle(Ping message) { message.from.tell(Pong{}); }
  void handle(Pong, Context& ctx) { ping(ctx); }

 private:
  void ping(Context& ctx);

  base::SeededRandom random_;
  std::uint64_t left_;
  std::shared_ptr<const std::vector<Ref<Peer>>> peers_;
  Ref<Sink> sink_;
};

class Sink {
 public:
  explicit Sink(std::vector<Ref<Peer>> peers)
      : peers_(std::make_shared<const std::vector<Ref<Peer>>>(std::move(peers))) {}
  void handle(Begin, Reply<actor::NoError> reply, Context& ctx) {
    reply_ = std::move(reply);
    for (const auto& peer : *peers_) peer.tell(Peers{peers_, ctx.self(this)});
  }
  void handle(Finished) {
    if (++finished_ == peers_->size()) reply_.set({});
  }

 private:
  std::shared_ptr<const std::vector<Ref<Peer>>> peers_;
  std::size_t finished_ = 0;
  Reply<actor::NoError> reply_;
};

void Peer::ping(Context& ctx) {
  if (left_ == 0) {
    sink_.tell(Finished{});
    return;
  }
  --left_;
  (*peers_)[random_.below(peers_->size())].tell(Ping{ctx.self(this)});
}

}  // namespace

Outcome big(Setting setting) {
  constexpr std::uint64_t peers = 120;
  const std::uint64_t pings = 20'000 * setting.scale;
  System system{{.cores = setting.cores}};
  std::vector<Ref<Peer>> all;
  for (std::uint64_t i = 0; i < peers; ++i) all.push_back(system.spawn<Peer>({.core = core_of(i, system)}, i, pings));
  const auto sink = system.spawn<Sink>({.core = 0}, all);
  return {peers * pings * 2, run(system, sink)};
}

}  // namespace troupe::bench::savina
