// Bytes share one block, which lives as long as any of them.
#include "troupe/base/bytes.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

using namespace troupe::base;

TEST_CASE("a copy shares the block") {
  const Bytes a{std::string{"hello, long enough not to be stored in place"}};
  const Bytes b = a;
  CHECK_EQ(static_cast<const void*>(a.data()), b.data());
  CHECK(a == b);
}

TEST_CASE("bytes may be written where they will stand") {
  const auto alphabet = Bytes::written(26, [](char* at) {
    for (char c = 'a'; c <= 'z'; ++c) *at++ = c;
  });
  CHECK_EQ(alphabet.view(), "abcdefghijklmnopqrstuvwxyz");
  CHECK(Bytes::written(0, [](char*) { FAIL("there is nothing to write"); }).empty());
}

TEST_CASE("the last that holds a block frees it, on whatever thread") {
  // Under the sanitizers: a use after the end, a leak or a race is seen.
  for (int round = 0; round < 1000; ++round) {
    Bytes here{"held by two threads, neither of which knows which is the last"};
    std::thread other{[there = here] { CHECK_EQ(there.view().front(), 'h'); }};
    here = Bytes{};
    other.join();
  }
}

TEST_CASE("an empty Bytes is empty and safe to read") {
  CHECK(Bytes{}.empty());
  CHECK_EQ(Bytes{}.view(), "");
  CHECK_EQ(Bytes{std::string_view{}}.size(), 0);
}

TEST_CASE("short text survives copies and moves of its Bytes") {
  Bytes a{"ab"};
  const Bytes b = a;
  const Bytes c = std::move(a);
  CHECK_EQ(b.view(), "ab");
  CHECK_EQ(c.view(), "ab");
}
