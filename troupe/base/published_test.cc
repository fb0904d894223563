// Published values: readers see whole values, newer and newer ones, for as long as they hold them.
#include "troupe/base/published.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using troupe::base::Published;

namespace {

/// Wrong as soon as it is seen half written.
struct Pair {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

TEST_CASE("a reader sees what was published, and holds it though it is replaced") {
  Published<Pair> owner;
  auto reader = owner.reader();
  CHECK(reader.read() == nullptr);
  owner.publish({1, 1});
  const auto held = reader.read();
  CHECK_EQ(held->a, 1);
  CHECK_EQ(reader.read(), held);  // the same object as long as nothing is new
  owner.publish({2, 2});
  CHECK_EQ(held->a, 1);
  CHECK_EQ(reader.read()->a, 2);
  CHECK_EQ(reader.version(), 2);
}

TEST_CASE("a value outlives its owner, and ends with its last holder") {
  auto owner = std::make_unique<Published<Pair>>(Pair{7, 7});
  auto reader = owner->reader();
  const std::weak_ptr<const Pair> watched = reader.read();
  owner.reset();
  CHECK_EQ(reader.read()->a, 7);
  {
    const auto last = std::move(reader);
  }
  CHECK(watched.expired());
}

TEST_CASE("an old value ends when it is replaced, unless somebody holds it") {
  Published<Pair> owner{Pair{1, 1}};
  auto reader = owner.reader();
  const std::weak_ptr<const Pair> watched = reader.read();
  owner.publish({2, 2});
  CHECK_FALSE(watched.expired());  // the reader has not looked since
  reader.read();
  CHECK(watched.expired());
}

TEST_CASE("copies of an owner publish to the same readers, as a restarted actor does") {
  Published<Pair> first{Pair{1, 1}};
  auto reader = first.reader();
  Published<Pair> second = first;
  second.publish({2, 2});
  CHECK_EQ(reader.read()->a, 2);
}

TEST_CASE("readers on other threads see whole values in their order, and at last the last one") {
  constexpr std::uint64_t values = 20'000;
  Published<Pair> owner{Pair{}};
  std::vector<std::thread> readers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&wrong, reader = owner.reader()]() mutable {
      for (std::uint64_t last = 0; last < values;) {
        const Pair now = *reader.read();
        if (now.a != now.b || now.a < last) ++wrong;
        last = now.a;
      }
    });
  }
  for (std::uint64_t i = 1; i <= values; ++i) owner.publish({i, i});
  for (auto& reader : readers) reader.join();
  CHECK_EQ(wrong.load(), 0);
}

}  // namespace
