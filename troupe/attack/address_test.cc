// Where links lead, and what a URL brings back.
#include "troupe/attack/address.h"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::attack;

TEST_CASE("a reference leads where browsers go") {
  struct {
    const char *base, *reference, *wanted;
  } rows[] = {
      {"https://a.example/x/y?q#f", "https://b.example/", "https://b.example/"},
      {"https://a.example/x/y", "//b.example/z", "https://b.example/z"},
      {"https://a.example:8443/x/y?q", "/z?r=1", "https://a.example:8443/z?r=1"},
      {"https://a.example/x/y?q#f", "z", "https://a.example/x/z"},
      {"https://a.example/x/y?q", "", "https://a.example/x/y"},
      {"https://a.example/x/y?q", "?r", "https://a.example/x/y?r"},
      {"https://a.example", "z", "https://a.example/z"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.base);
    CAPTURE(row.reference);
    CHECK_EQ(resolve(row.base, row.reference), row.wanted);
  }
}

TEST_CASE("a query is read up to the fragment, and what is malformed is none") {
  CHECK_EQ(value_in(query_of("https://a.example/?code=a%2Bb&state=c+d#x=y"), "state"), "c d");
  CHECK_EQ(value_in(query_of("https://a.example/?code=a%2Bb#x=y"), "code"), "a+b");
  CHECK(query_of("https://a.example/").empty());
  CHECK(query_of("https://a.example/?a=%zz").empty());
}

TEST_CASE("with and without change one parameter wherever it stands") {
  const wire::Form form{{"a", "1"}, {"b", "2"}, {"a", "3"}};
  CHECK(with(form, "a", "9") == wire::Form{{"b", "2"}, {"a", "9"}});
  CHECK(without(form, "a") == wire::Form{{"b", "2"}});
}
