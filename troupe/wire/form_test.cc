// Forms: how bodies and queries are read, what is refused and under which name, and how they are written.
#include "troupe/wire/form.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace troupe::wire {
namespace {

TEST_CASE("a form keeps its parameters in order, with their duplicates") {
  auto form = parse_form("grant_type=authorization_code&code=a%2Bb+c&&flag&empty=&code=2&x=y=z");
  REQUIRE(form.has_value());
  CHECK_EQ(*form, Form{{"grant_type", "authorization_code"},
                       {"code", "a+b c"},
                       {"flag", ""},
                       {"empty", ""},
                       {"code", "2"},
                       {"x", "y=z"}});
  CHECK_EQ(form->get("code"), "a+b c");
  CHECK_EQ(form->count("code"), 2);
  CHECK_EQ(form->duplicate(), "code");
  CHECK_EQ(form->get("missing"), std::nullopt);
}

TEST_CASE("the example of RFC 6749, appendix B, is read as meant there") {
  CHECK_EQ(form_decode("+%25%26%2B%C2%A3%E2%82%AC"), " %&+£€");
  CHECK_EQ(form_encode(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
}

TEST_CASE("what must be decoded, or must not come, is found wherever it stands in a value") {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string value(size, 'z');
      value[at] = '+';
      CAPTURE(value);
      CHECK_EQ(form_decode(value)->at(at), ' ');
      value[at] = '%';
      CHECK_EQ(form_decode(value).error(), FormError::bad_escape);
      value[at] = '\0';
      CHECK_EQ(form_decode(value).error(), FormError::nul_byte);
      value[at] = '\xff';
      CHECK_EQ(form_decode(value).error(), FormError::not_utf8);
    }
  }
}

TEST_CASE("what is no form is refused by name") {
  struct Row {
    std::string_view form;
    FormError error;
  };
  constexpr Row rows[] = {
      {"a=%", FormError::bad_escape},       {"a=%4", FormError::bad_escape},   {"a=%zz", FormError::bad_escape},
      {"%=1", FormError::bad_escape},       {"a=%00", FormError::nul_byte},    {"a%00=1", FormError::nul_byte},
      {"a=%ff", FormError::not_utf8},       {"a=%c0%af", FormError::not_utf8}, {"a=\xff", FormError::not_utf8},
      {"a=%ed%a0%80", FormError::not_utf8},
  };
  for (const Row& row : rows) {
    CAPTURE(row.form);
    auto form = parse_form(row.form);
    REQUIRE_FALSE(form.has_value());
    CHECK_EQ(text(form.error()), text(row.error));
  }
}

TEST_CASE("a form over its limits is refused") {
  FormLimits limits{.bytes_max = 20, .parameters_max = 2, .value_bytes_max = 4};
  CHECK_EQ(parse_form("a=1&b=2", limits)->size(), 2);
  CHECK_EQ(parse_form("a=1&b=2&c=3", limits).error(), FormError::too_many_parameters);
  CHECK_EQ(parse_form("a=12345", limits).error(), FormError::value_too_large);
  CHECK_EQ(parse_form("abcde=1", limits).error(), FormError::value_too_large);
  CHECK_EQ(parse_form("a=%61%61%61%61", limits)->get("a"), "aaaa");
  CHECK_EQ(parse_form("a=1&&&&&&&&&&&&&&&&&&", limits).error(), FormError::too_large);
}

TEST_CASE("parameters are added to whatever query a URL has") {
  Form form{{"code", "a b"}, {"iss", "https://x"}};
  CHECK_EQ(add_query("https://a/cb", form), "https://a/cb?code=a+b&iss=https%3A%2F%2Fx");
  CHECK_EQ(add_query("https://a/cb?", form), "https://a/cb?code=a+b&iss=https%3A%2F%2Fx");
  CHECK_EQ(add_query("https://a/cb?x=1", form), "https://a/cb?x=1&code=a+b&iss=https%3A%2F%2Fx");
  CHECK_EQ(add_query("https://a/cb?x=1#f", form), "https://a/cb?x=1&code=a+b&iss=https%3A%2F%2Fx#f");
  CHECK_EQ(add_query("https://a/cb?x=1#f", {}), "https://a/cb?x=1#f");
}

TEST_CASE("any form of text survives being written and read") {
  CHECK(rc::check([] {
    auto word = rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
    Form form;
    for (const auto& [name, value] :
         *rc::gen::container<std::vector<std::pair<std::string, std::string>>>(rc::gen::pair(word, word))) {
      form.add(name, value);
    }
    RC_ASSERT((parse_form(write_form(form), {.parameters_max = 1000}) == form));
  }));
}

}  // namespace
}  // namespace troupe::wire
