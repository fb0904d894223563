// SharedText: equal by its characters, one word, and gone with its last owner.
#include "troupe/base/shared_text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace troupe::base {
namespace {

TEST_CASE("a shared text is its characters, whoever made it") {
  const SharedText bob{"bob"}, same{std::string{"bob"}}, copy = bob, carol{"carol"}, none;
  CHECK_EQ(sizeof bob, sizeof(void*));
  CHECK(bob == same);
  CHECK(bob == copy);
  CHECK(bob == "bob");
  CHECK(bob < carol);
  CHECK(none < bob);
  CHECK(none == SharedText{""});
  CHECK(none.empty());
  CHECK_EQ(bob.view(), "bob");
  CHECK_EQ(std::hash<SharedText>{}(bob), std::hash<SharedText>{}(same));
}

TEST_CASE("copies point to the same characters, and outlive the one that was copied") {
  SharedText first{"a text that is no short one, for nothing of it stands within the word"};
  const char* where = first.view().data();
  const std::vector<SharedText> copies(10, first);
  first = "another";
  for (const auto& copy : copies) CHECK(copy.view().data() == where);
  CHECK(copies[9] == "a text that is no short one, for nothing of it stands within the word");
}

TEST_CASE("a text that is moved from is empty, and assigning to oneself changes nothing") {
  SharedText text{"x"};
  SharedText taken = std::move(text);
  CHECK(text.empty());
  taken = *&taken;
  CHECK(taken == "x");
}

}  // namespace
}  // namespace troupe::base
