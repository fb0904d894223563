// Bytes share one block, and a part of them keeps it alive.
#include "troupe/base/bytes.h"

#include <doctest/doctest.h>

using namespace troupe::base;

TEST_CASE("a copy shares the block") {
  const Bytes a{std::string{"hello, long enough not to be stored in place"}};
  const Bytes b = a;
  CHECK_EQ(static_cast<const void*>(a.data()), b.data());
  CHECK(a == b);
}

TEST_CASE("an empty Bytes is empty and safe to read") {
  CHECK(Bytes{}.empty());
  CHECK_EQ(Bytes{}.view(), "");
  CHECK_EQ(Bytes{std::string{}}.size(), 0);
}

TEST_CASE("short text survives copies and moves of its Bytes") {
  Bytes a = Bytes::copy("ab");
  const Bytes b = a;
  const Bytes c = std::move(a);
  CHECK_EQ(b.view(), "ab");
  CHECK_EQ(c.view(), "ab");
}

TEST_CASE("a slice is clamped to the block and outlives the whole") {
  Bytes part;
  {
    const Bytes whole = Bytes::copy("0123456789, and some more to leave the small buffer");
    part = whole.slice(2, 3);
    CHECK_EQ(whole.slice(1000).size(), 0);
    CHECK_EQ(whole.slice(10, 1000).size(), whole.size() - 10);
  }
  CHECK_EQ(part.view(), "234");
}
