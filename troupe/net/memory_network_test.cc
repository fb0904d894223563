// The memory network keeps the contract of Stream and Listener.
#include "troupe/net/memory_network.h"

#include <doctest/doctest.h>

#include <optional>

#include "troupe/actor/sim/world.h"

namespace troupe::net {
namespace {

/// One end of a stream that notes what it is told.
struct End final : StreamEvents {
  explicit End(std::unique_ptr<Stream> its_stream) : stream(std::move(its_stream)) { stream->start(*this); }
  void on_bytes(std::span<char> bytes) override {
    received.append(bytes.data(), bytes.size());
    ++reads;
  }
  void on_writable() override { ++writable; }
  void on_closed(CloseReason reason) override { closed = reason; }
  std::size_t write(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    return stream->write_some({&part, 1});
  }

  std::unique_ptr<Stream> stream;
  std::string received;
  std::optional<CloseReason> closed;
  int reads = 0;
  int writable = 0;
};

struct Pair {
  explicit Pair(MemoryNetworkOptions options = {}) : network(world.core(0), options) {
    auto [one, other] = network.pair({}, {});
    a.emplace(std::move(one));
    b.emplace(std::move(other));
  }
  actor::test::World world{1};
  MemoryNetwork network;
  std::optional<End> a, b;
};

TEST_CASE("bytes arrive in order, and in pieces when the network is told so") {
  Pair pair{{.piece_bytes_max = 3}};
  CHECK_EQ(pair.a->write("hello "), 6);
  CHECK_EQ(pair.a->write("world"), 5);
  pair.world.run_until_idle();
  CHECK_EQ(pair.b->received, "hello world");
  CHECK_EQ(pair.b->reads, 4);
}

TEST_CASE("a full pipe takes a part, and tells when there is room again") {
  Pair pair{{.buffer_bytes = 4}};
  pair.b->stream->pause_reading();
  CHECK_EQ(pair.a->write("hello"), 4);
  pair.world.run_until_idle();
  CHECK_EQ(pair.a->writable, 0);
  pair.b->stream->resume_reading();
  pair.world.run_until_idle();
  CHECK_EQ(pair.a->writable, 1);
  CHECK_EQ(pair.b->received, "hell");
}

TEST_CASE("who closes lets its bytes arrive; who then writes to it is told of a reset") {
  Pair pair;
  pair.a->write("last words");
  pair.a->stream.reset();
  pair.world.run_until_idle();
  CHECK_EQ(pair.b->received, "last words");
  CHECK_EQ(pair.b->closed, CloseReason::finished);
  CHECK_EQ(pair.b->write("anybody there?"), 0);
  pair.world.run_until_idle();
  CHECK_EQ(pair.b->closed, CloseReason::reset);
}

TEST_CASE("a finished side still receives") {
  Pair pair;
  pair.a->stream->shutdown_write();
  pair.world.run_until_idle();
  CHECK_EQ(pair.b->closed, CloseReason::finished);
  pair.b->write("answer");
  pair.world.run_until_idle();
  CHECK_EQ(pair.a->received, "answer");
}

TEST_CASE("a listener gets connections, leaves them waiting while paused, and is gone when destroyed") {
  struct Events final : ListenerEvents {
    void on_stream(std::unique_ptr<Stream> stream) override { streams.push_back(std::move(stream)); }
    void on_exhausted() override {}
    std::vector<std::unique_ptr<Stream>> streams;
  };
  actor::test::World world{1};
  MemoryNetwork network{world.core(0)};
  Events events;
  auto listener = network.listen({});
  listener->start(events);
  auto first = network.connect(listener->address());
  world.run_until_idle();
  CHECK_EQ(events.streams.size(), 1);
  listener->pause();
  auto second = network.connect(listener->address());
  world.run_until_idle();
  CHECK_EQ(events.streams.size(), 1);
  listener->resume();
  world.run_until_idle();
  CHECK_EQ(events.streams.size(), 2);
  auto where = listener->address();
  listener.reset();
  CHECK_EQ(network.connect(where), nullptr);
}

TEST_CASE("whatever comes short or late, all bytes arrive once and in order") {
  base::SeededRandom random{3};
  Pair pair{
      {.buffer_bytes = 200,
       .faults = {
           .random = &random, .short_write_in = 2, .short_read_in = 2, .delay_max = std::chrono::milliseconds{5}}}};
  std::string all;
  for (int i = 0; i < 2000; ++i) all += std::to_string(i) + " ";
  std::string_view rest = all;
  const auto start = pair.world.manual_clock().now();
  while (!rest.empty()) {
    rest.remove_prefix(pair.a->write(rest.substr(0, 50)));
    pair.world.advance(std::chrono::milliseconds{2});
  }
  pair.world.advance(std::chrono::seconds{1});
  CHECK_EQ(pair.b->received, all);
  CHECK_GT(pair.b->reads, 100);
  CHECK_GT(pair.a->writable, 20);
  CHECK_GT(pair.world.manual_clock().now() - start, std::chrono::milliseconds{200});
}

TEST_CASE("a connection that breaks loses what was under way, and both ends are told so once") {
  base::SeededRandom random{1};
  Pair pair{{.faults = {.random = &random, .break_in = 1}}};
  pair.a->write("lost");
  pair.world.run_until_idle();
  CHECK_EQ(pair.b->received, "");
  CHECK_EQ(pair.a->closed, CloseReason::reset);
  CHECK_EQ(pair.b->closed, CloseReason::reset);
  pair.a->closed.reset();
  CHECK_EQ(pair.a->write("anybody there?"), 0);
  pair.world.run_until_idle();
  CHECK_FALSE(pair.a->closed.has_value());
}

}  // namespace
}  // namespace troupe::net
