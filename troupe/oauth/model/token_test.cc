// Tokens: whose they are, read from their text.
#include "troupe/oauth/model/token.h"

#include <doctest/doctest.h>
#include "troupe/base/random.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

TEST_CASE("the owner of a token is read from its text, opaque or signed") {
  base::SeededRandom random{1};
  crypto::TokenIds ids;
  crypto::TokenCodec codec{{.by_id = {{1, base::Secret<std::string>{std::string(32, 'k')}}}}};
  auto id = ids.next({1'700'000'000'000}, random, 3, 1);
  auto code = codec.write(crypto::TokenKind::code, id, crypto::fresh_secret(random));
  CHECK_EQ(owner_key(code.expose()), 3);

  auto part = [](std::string_view json) { return wire::to_base64url(json); };
  auto jwt = part(R"({"alg":"ES256","typ":"at+jwt","kid":"k"})") + "." + part(R"({"jti":")" + id.text() + R"("})") +
             "." + part("signature");
  CHECK_EQ(owner_key(jwt), 3);
}

TEST_CASE("garbage has an owner too, so that somebody refuses it (T15)") {
  for (auto text : {"", "at_", "ac_short", "a.b.c", "....", "rt_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"}) {
    CAPTURE(text);
    CHECK_EQ(owner_key(text), 0);
  }
}

}  // namespace
}  // namespace troupe::oauth
