// The ring between two cores: its bound, its order, and both at once on real threads.
#include "troupe/actor/runtime/ring.h"

#include <doctest/doctest.h>

#include <thread>

using namespace troupe::actor;

TEST_CASE("a ring takes as many batches as it has room for, and gives them back in order") {
  Ring ring;
  std::vector<Envelope> envelopes(Ring::capacity + 1);
  Chains out;
  CHECK(ring.empty());
  CHECK_FALSE(ring.pop(out));
  for (int lap = 0; lap < 3; ++lap) {
    for (std::size_t i = 0; i < Ring::capacity; ++i) REQUIRE(ring.push({&envelopes[i], nullptr}));
    CHECK_FALSE(ring.push({&envelopes[Ring::capacity], nullptr}));
    for (std::size_t i = 0; i < Ring::capacity; ++i) {
      REQUIRE(ring.pop(out));
      CHECK_EQ(out.messages, &envelopes[i]);
    }
    CHECK(ring.empty());
  }
}

TEST_CASE("two threads lose nothing and reorder nothing") {
  constexpr std::uint32_t count = 20'000;
  Ring ring;
  std::vector<Envelope> envelopes(count);
  std::thread producer{[&] {
    for (std::uint32_t i = 0; i < count; ++i) {
      envelopes[i].generation = i;
      while (!ring.push({&envelopes[i], &envelopes[i]})) std::this_thread::yield();
    }
  }};
  for (std::uint32_t i = 0; i < count; ++i) {
    Chains chains;
    while (!ring.pop(chains)) std::this_thread::yield();
    REQUIRE_EQ(chains.messages->generation, i);
    REQUIRE_EQ(chains.returned, chains.messages);
  }
  producer.join();
}
