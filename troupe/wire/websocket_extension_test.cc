// The header of extensions: every form that the grammar allows, and what it refuses.
#include "troupe/wire/websocket_extension.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "troupe/wire/ascii.h"

namespace troupe::wire {
namespace {

/// The offers, as "name; parameter; parameter=value" each; "refused" when the grammar is broken.
std::vector<std::string> read(std::string_view field) {
  std::vector<ExtensionOffer> offers;
  if (!parse_extensions(field, offers)) return {"refused"};
  std::vector<std::string> texts;
  for (const auto& offer : offers) {
    std::string text = offer.name;
    for (const auto& [name, value] : offer.parameters) text += "; " + name + (value ? "=" + *value : "");
    texts.push_back(text);
  }
  return texts;
}

TEST_CASE("offers, parameters and values are read in every form that they may have") {
  struct Row {
    std::string_view field;
    std::vector<std::string> offers;
  };
  const Row rows[] = {
      {"", {}},
      {" , ,\t", {}},
      {"foo", {"foo"}},
      {"foo, bar", {"foo", "bar"}},
      {"foo,,bar ,", {"foo", "bar"}},
      {"foo; a; b=1, bar; c", {"foo; a; b=1", "bar; c"}},
      {"foo;a;b=1,bar;c", {"foo; a; b=1", "bar; c"}},
      {"foo ; a = 1", {"foo; a=1"}},
      {"foo; a=\"1\"", {"foo; a=1"}},
      {"foo; a=\"1\\2\"; b", {"foo; a=12; b"}},
      {"foo; a=\"x\" , bar", {"foo; a=x", "bar"}},
      {"foo; a; a", {"foo; a; a"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.field);
    CHECK_EQ(read(row.field), row.offers);
  }
}

TEST_CASE("what breaks the grammar is refused") {
  for (std::string_view field :
       {"foo bar",        "foo;",         "foo; ,bar",     ";a",         "=1",          "foo=1",
        "foo; a=",        "foo; a=,bar",  "foo; a=\"",     "foo; a=\"1", "foo; a=\"\"", "foo; a=\"1 2\"",
        "foo; a=\"1,2\"", "foo; a=\"1\\", "foo; a=\"1\"2", "foo; a b",   "foo; a=1 2",  "\"foo\"",
        "foo; \"a\"",     "f\xc3\xb6o",   "foo/bar",       "foo; a==1"}) {
    CAPTURE(field);
    CHECK_EQ(read(field), std::vector<std::string>{"refused"});
  }
}

TEST_CASE("several fields are one list") {
  std::vector<ExtensionOffer> offers;
  CHECK(parse_extensions("foo; a", offers));
  CHECK(parse_extensions("bar", offers));
  CHECK_EQ(offers, std::vector<ExtensionOffer>{{"foo", {{"a", {}}}}, {"bar", {}}});
}

TEST_CASE("property: whatever is accepted holds tokens alone") {
  CHECK(rc::check([] {
    const auto field = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ab,;=\"\\ \t1"}));
    std::vector<ExtensionOffer> offers;
    if (!parse_extensions(field, offers)) return;
    for (const auto& offer : offers) {
      RC_ASSERT(is_token(offer.name));
      for (const auto& [name, value] : offer.parameters) RC_ASSERT(is_token(name) && (!value || is_token(*value)));
    }
  }));
}

}  // namespace
}  // namespace troupe::wire
