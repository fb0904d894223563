// Lists of passwords that have become known: what is found in them, and which are refused.
#include "troupe/crypto/breached_passwords.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/crypto/testing/breached_list.h"

namespace troupe::crypto {
namespace {

using testing::BreachedList, testing::breached_lines;

std::vector<std::string> words(int from, int count) {
  std::vector<std::string> words;
  for (int i = from; i < from + count; ++i) words.push_back(fmt::format("word {}", i));
  return words;
}

bool has(const BreachedPasswords& list, std::string_view password) { return list.has(Password{std::string{password}}); }

TEST_CASE("each password of a list is found, and no other, however its lines end") {
  const auto plain = [](std::size_t) { return std::string{"\n"}; };
  const auto counted = [](std::size_t i) { return fmt::format(":{}\r\n", i * i * i); };
  for (const int count : {1, 2, 3, 65, 1000}) {
    for (std::string text : {breached_lines(words(0, count), plain), breached_lines(words(0, count), counted)}) {
      for (const bool ends_with_break : {true, false}) {
        if (!ends_with_break) text.erase(text.find_last_not_of("\r\n") + 1);
        const BreachedList file;
        file.write(text);
        const auto list = file.opened();
        for (const auto& word : words(0, count)) CHECK(has(*list, word));
        for (const auto& word : words(count, 100)) CHECK_FALSE(has(*list, word));
      }
    }
  }
}

TEST_CASE("a list that is none is refused, and where") {
  const std::string first = std::string(40, '1'), second = std::string(40, '2');
  struct Row {
    std::string text;
    std::string_view says;
  };
  const Row rows[] = {
      {"", "is empty"},
      {"password\n", "has at byte 0 no line"},
      {std::string(40, 'a') + "\n", "has at byte 0 no line"},
      {std::string(39, 'A') + "\n", "has at byte 0 no line"},
      {std::string(41, 'A') + "\n", "has at byte 0 no line"},
      {first + ":\n", "has at byte 0 no line"},
      {first + ":3x\n", "has at byte 0 no line"},
      {first + ":" + std::string(21, '3') + "\n", "has at byte 0 no line"},
      {first + "\n\n" + second + "\n", "has at byte 41 no line"},
      {first + "\n" + second + "\n\n", "has at byte 82 no line"},
      {second + "\n" + first + "\n", "is not sorted: see the line at byte 41"},
      {first + "\n" + first + ":7\n", "is not sorted: see the line at byte 41"},
      {std::string(1000, 'A'), "no line"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const BreachedList file;
    file.write(row.text);
    CHECK(BreachedPasswords::open(file.path()).error().contains(row.says));
  }
  CHECK(BreachedPasswords::open("/nowhere/at/all").error().contains("cannot be read: No such file"));
  CHECK_EQ(BreachedPasswords::open("/tmp").error(), "is no file");
}

TEST_CASE("a list that changes under its reader throws, and says where") {
  const BreachedList file{words(0, 100)};
  const auto list = file.opened();
  file.write("short");
  CHECK_THROWS_WITH_AS(has(*list, "word 1"), "the list of breached passwords ends before byte 2050",
                       std::runtime_error);
}

}  // namespace
}  // namespace troupe::crypto
