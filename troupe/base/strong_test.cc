// Ids that cannot be swapped, secrets that cannot be printed or compared.
#include "troupe/base/strong.h"

#include <doctest/doctest.h>

#include <concepts>
#include <sstream>
#include <unordered_set>

using namespace troupe::base;

using UserId = Strong<struct UserIdTag, std::string>;
using TopicId = Strong<struct TopicIdTag, std::string>;

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST_CASE("two ids of different kinds neither convert nor compare") {
  static_assert(!std::convertible_to<UserId, TopicId>);
  static_assert(!std::convertible_to<std::string, UserId>);
  static_assert(!std::equality_comparable_with<UserId, TopicId>);
}

TEST_CASE("two ids of one kind compare, order and hash by their value") {
  CHECK(UserId{"a"} == UserId{"a"});
  CHECK(UserId{"a"} < UserId{"b"});
  CHECK_EQ((std::unordered_set<UserId>{UserId{"a"}, UserId{"a"}, UserId{"b"}}.size()), 2);
}

TEST_CASE("a secret neither prints nor compares; it is exposed by name alone") {
  static_assert(!Printable<Secret<std::string>>);
  static_assert(!std::equality_comparable<Secret<std::string>>);
  static_assert(!std::convertible_to<Secret<std::string>, std::string>);
  CHECK(Secret<std::string>{"s"}.expose() == "s");
}
