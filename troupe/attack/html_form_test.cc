// What a person could fill in on a page: of sound pages, of odd ones, and of no pages at all.
#include "troupe/attack/html_form.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "troupe/attack/browser.h"
#include "troupe/base/random.h"

using namespace troupe;
using namespace troupe::attack;

TEST_CASE("a form is read with its fields, their kinds and values") {
  const auto forms = forms_in(R"(<!doctype html><form method="POST" action="/login?a=1&amp;b=2">
    <input type="hidden" name="csrf" value="a&quot;b">
    <INPUT NAME=user type=email>
    <input type='password' name='pass word' required>
    <input type=checkbox name=remember checked><input type=radio name=r value=1>
    <select name=lang><option value=en>English<option value=de selected>Deutsch</select>
    <button name=decision value=allow>Allow</button><button type=button name=more>More</button>
    </form><input name=outside>)");
  REQUIRE(forms.size() == 1);
  const HtmlForm& form = forms.front();
  CHECK_EQ(form.action, "/login?a=1&b=2");
  CHECK_EQ(form.method, "post");
  REQUIRE(form.fields.size() == 7);
  CHECK_EQ(form.first(FieldKind::hidden)->value, "a\"b");
  CHECK_EQ(form.first(FieldKind::text)->name, "user");
  CHECK_EQ(form.first(FieldKind::password)->name, "pass word");
  CHECK(form.fields[3].is_checked);
  CHECK_EQ(form.fields[3].value, "on");
  CHECK_FALSE(form.fields[4].is_checked);
  CHECK_EQ(form.fields[5].value, "de");
  CHECK_EQ(form.fields[6].label, "Allow");
}

TEST_CASE("what is no tag makes no form") {
  for (const char* html :
       {"", "<", "<form", "<!-- <form action=/x></form> -->", "<script>'<form>'</script>", "a < b > c", "</form>"}) {
    CAPTURE(html);
    CHECK(forms_in(html).size() <= (std::string{html} == "<form" ? 1 : 0));
  }
  CHECK(forms_in("<form action='/x").size() == 1);  // cut off in the middle
  CHECK(forms_in("<form><input name=a ==b='c' / value=\"1\">").front().fields.front().value == "1");
}

TEST_CASE("whatever a server sends, reading it ends within the bounds") {
  constexpr std::array<std::string_view, 16> pieces = {
      "<", ">", "form", "<form ", "<input ", "/",   "=",        "\"",
      "'", " ", "&",    "&#x",    "<!--",    "-->", "<script>", std::string_view{"\0", 1}};
  base::SeededRandom random{17};
  for (int page = 0; page < 20'000; ++page) {
    std::string html;
    for (auto length = random.below(40); length > 0; --length) html += pieces[random.below(pieces.size())];
    CAPTURE(html);
    const auto forms = forms_in(html);
    CHECK(forms.size() <= 16);
    for (const HtmlForm& form : forms) CHECK(form.fields.size() <= 200);
    CHECK(decode_entities(html).size() <= html.size());
  }
}

TEST_CASE("there is an end to what is read") {
  std::string many = "<form>";
  for (int i = 0; i < 1000; ++i) many += "<input name=a>";
  CHECK_EQ(forms_in(many).front().fields.size(), 200);
  std::string forms;
  for (int i = 0; i < 1000; ++i) forms += "<form></form>";
  CHECK_EQ(forms_in(forms).size(), 16);
}

TEST_CASE("entities that everybody knows are decoded, others stay") {
  CHECK_EQ(decode_entities("a&amp;b&lt;&gt;&quot;&#39;&#x27;&apos;"), "a&b<>\"'''");
  CHECK_EQ(decode_entities("&nbsp; & &; &#; &#999999; &amp"), "&nbsp; & &; &#; &#999999; &amp");
}

TEST_CASE("the button that agrees is found by what it says, and one that refuses is never pressed") {
  const auto button = [](const char* html) -> std::string {
    const auto forms = forms_in(html);
    const HtmlField* found = agreeing_button(forms.front());
    return found ? found->value : "none";
  };
  CHECK_EQ(button("<form><button name=d value=deny>Deny</button><button name=d value=allow>Allow</button></form>"),
           "allow");
  CHECK_EQ(button("<form><input type=submit value=Cancel><input type=submit value=Weiter></form>"), "Weiter");
  CHECK_EQ(button("<form><button value=no>Do not allow, go back</button></form>"), "none");
}
