// Evidence shows what happened and no secret.
#include "troupe/attack/evidence.h"

#include <doctest/doctest.h>

using namespace troupe::attack;

TEST_CASE("tokens are cut and known secrets left out, also where they are encoded") {
  CHECK_EQ(shortened("code=abcdefghijklmnopqrstuvwxyz0123&x=1", {}), "code=abcdef..&x=1");
  CHECK_EQ(shortened("password=my+pass%21 my pass!", {"my pass!"}), "password=*** ***");
  CHECK_EQ(shortened("short", {""}), "short");
}

TEST_CASE("an exchange is one line of printable characters") {
  const Exchange seen{{"POST", "https://a.example/token", {}, "code=a\x01"},
                      {400, {{"Location", "/x"}}, "{\"a\":\n1}", ""}};
  CHECK_EQ(text_of(seen, {}), "POST https://a.example/token code=a%01: 400 to /x, {\"a\": 1}");
  const Exchange silent{{.url = "https://a.example/"}, {.failure = "Timeout was reached"}};
  CHECK_EQ(text_of(silent, {}), "GET https://a.example/: no answer, Timeout was reached");
  const Exchange long_one{{.url = "https://a.example/"}, {200, {}, std::string(5000, '.'), ""}};
  CHECK(text_of(long_one, {}).size() < 600);
}
