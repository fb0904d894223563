// Codec: whatever is encoded comes back, the bytes are the same everywhere, and wrong bytes are refused.
#include "troupe/actor/codec.h"

#include <doctest/doctest.h>

#include <rapidcheck.h>
#include <map>
#include <set>

using namespace troupe::actor;
namespace base = troupe::base;

namespace {

using Name = base::Strong<struct NameTag, std::string>;
enum class Colour : std::uint8_t { red, green = 7 };

struct Inner {
  std::int16_t number = 0;
  std::string text;
  friend bool operator==(const Inner&, const Inner&) = default;
};
struct Everything {
  std::int64_t number = 0;
  bool flag = false;
  double real = 0;
  Colour colour = Colour::red;
  Name name;
  std::optional<Inner> maybe;
  std::vector<Inner> list;
  std::map<std::string, std::uint32_t> map;
  std::array<std::uint8_t, 3> array{};
  std::chrono::milliseconds time{};
  friend bool operator==(const Everything&, const Everything&) = default;
};
struct Nothing {
  friend bool operator==(Nothing, Nothing) = default;
};

/// Tells its fields itself.
class Private {
 public:
  Private() = default;
  Private(std::int32_t number, std::string text) : number_(number), text_(std::move(text)) {}
  auto fields() { return std::tie(number_, text_); }
  friend bool operator==(const Private&, const Private&) = default;

 private:
  std::int32_t number_ = 0;
  std::string text_;
};

/// Encodes itself.
struct Hex {
  unsigned value = 0;
  static std::string encode(const Hex& hex) { return std::string(hex.value, 'x'); }
  static Hex decode(std::string_view bytes) { return {static_cast<unsigned>(bytes.size())}; }
};
struct WithHex {
  Hex hex;
  std::int8_t after = 0;
};

template <class T>
void comes_back(const T& value) {
  CHECK(decode<T>(encode(value)) == value);
}

TEST_CASE("whatever is encoded comes back") {
  comes_back(Nothing{});
  comes_back(Private{-5, "five"});
  comes_back(std::set<std::string>{"b", "a"});
  comes_back(std::chrono::duration<std::int8_t>{-5});
  comes_back(std::chrono::duration<double>{0.25});
  comes_back(std::chrono::duration<float, std::milli>{-1.5F});
  comes_back(Everything{});
  comes_back(Everything{-1,
                        true,
                        0.1,
                        Colour::green,
                        Name{"alice"},
                        Inner{3, "x"},
                        {{1, "a"}, {2, ""}},
                        {{"k", 5}},
                        {1, 2, 3},
                        std::chrono::milliseconds{-7}});
  CHECK_EQ(decode<WithHex>(encode(WithHex{{3}, 5})).hex.value, 3);
  CHECK_EQ(decode<WithHex>(encode(WithHex{{3}, 5})).after, 5);
  CHECK(rc::check("random values", [](std::int64_t a, bool b, std::string c, std::vector<std::string> d,
                                      std::map<std::uint16_t, std::string> e) {
    const std::tuple value{a, b, c, d, e};
    RC_ASSERT(decode<std::remove_const_t<decltype(value)>>(encode(value)) == value);
  }));
}

TEST_CASE("the bytes are little-endian, in the order of the fields, and stay so") {
  using namespace std::string_literals;
  CHECK_EQ(encode(Inner{0x0102, "ab"}), "\x02\x01\x02\0\0\0ab"s);
  CHECK_EQ(encode(Private{-2, ""}), "\xfe\xff\xff\xff\0\0\0\0"s);
  CHECK_EQ(encode(std::optional<std::uint8_t>{5}), "\x01\x05"s);
  CHECK_EQ(encode(std::optional<std::uint8_t>{}), "\0"s);
  CHECK_EQ(encode(Colour::green), "\x07"s);
  CHECK_EQ(encode(std::vector<bool>{true, false}), "\x02\0\0\0\x01\0"s);
  CHECK_EQ(encode(1.0), "\0\0\0\0\0\0\xf0\x3f"s);
  CHECK_EQ(encode(std::map<std::string, bool>{{"b", true}, {"a", false}}), "\x02\0\0\0\x01\0\0\0a\0\x01\0\0\0b\x01"s);
}

TEST_CASE("bytes that are cut, too many or impossible are refused") {
  const std::string whole = encode(Everything{1, true, 2, Colour::red, Name{"n"}, Inner{}, {{}}, {{"k", 1}}, {}, {}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS_AS(decode<Everything>(whole.substr(0, size)), MalformedRecord);
  }
  CHECK_THROWS_AS(decode<Everything>(whole + "x"), MalformedRecord);
  CHECK_THROWS_AS(decode<bool>("\x02"), MalformedRecord);
  CHECK_THROWS_AS(decode<std::string>("\xff\xff\xff\xff"), MalformedRecord);
  CHECK_THROWS_AS(decode<std::vector<Inner>>("\xff\xff\xff\x7f"), MalformedRecord);
  CHECK(rc::check("random bytes are read or refused", [](const std::string& bytes) {
    try {
      RC_ASSERT(encode(decode<Everything>(bytes)) == bytes);
    } catch (const MalformedRecord&) {
    }
  }));
}

struct Tree {
  std::int32_t n = 0;
  std::vector<Tree> below;
};

TEST_CASE("lists within lists are read so deep and no deeper, whatever the bytes say") {
  Tree tree;
  for (int i = 1; i < nesting_max; ++i) tree = Tree{i, {std::move(tree)}};
  std::string bytes = encode(tree);
  CHECK_EQ(encode(decode<Tree>(bytes)), bytes);
  tree = Tree{0, {std::move(tree)}};
  CHECK_THROWS_AS(encode(tree), std::length_error);
  using namespace std::string_literals;
  bytes.clear();
  for (int i = 0; i < 1'000'000; ++i) bytes += "\0\0\0\0\x01\0\0\0"s;
  CHECK_THROWS_AS(decode<Tree>(bytes), MalformedRecord);
}

}  // namespace
