// People over the administration API: added, kept out and let in again, given passwords, removed.
#include "troupe/oauth/admin/testing/office.h"

namespace troupe::oauth::test {
namespace {

using web::Method;

constexpr Person carol{"carol", "a password of hers"};
constexpr std::string_view carol_document =
    R"({"preferred_username":"carol","email":"carol@example.org","password":"a password of hers"})";

std::string path_of(const std::string& sub) { return "/users/" + sub; }
Reply tokens_of(OauthWorld& oauth, const Person& person) {
  return oauth.redeem(oauth.web_shop, oauth.authorize(person, oauth.web_shop));
}

TEST_CASE("somebody who is added can sign in, and no answer has the password") {
  OauthWorld oauth{quick(1)};
  Office office{oauth};
  auto added = office.post("/users", std::string{carol_document});
  REQUIRE_EQ(added.status(), 201);
  CHECK_EQ(added.header("location"), "/admin/v1" + path_of(added.at("sub")));
  CHECK_EQ(added.at("email"), "carol@example.org");
  CHECK_EQ(tokens_of(oauth, carol).status(), 200);
  auto shown = office.get(path_of(added.at("sub")));
  CHECK_EQ(shown.at("preferred_username"), "carol");
  CHECK_EQ(office.column(office.get("/users"), "users", "preferred_username").size(), 3);
  for (const Reply& reply : {added, shown, office.get("/users")}) {
    CHECK_FALSE(reply.body().contains("password"));
    CHECK_FALSE(reply.body().contains("argon2"));
  }
  CHECK_EQ(office.causes("user_added").front(), office.me());
  CHECK_EQ(office.get("/users/u_nobody").status(), 404);
}

TEST_CASE("who cannot be added is not, and says why") {
  OauthWorld oauth{quick(2)};
  Office office{oauth};
  struct Row {
    const char* body;
    int status;
    const char* says;
  };
  const Row rows[] = {
      {R"({"preferred_username":"alice","password":"long enough"})", 409, "already"},
      {R"({"preferred_username":" x","password":"long enough"})", 400, "name"},
      {R"({"preferred_username":"x","password":"short"})", 400, "8 to 256"},
      {R"({"preferred_username":"x","password":"long enough","email":"nowhere"})", 400, "@"},
      {R"({"preferred_username":"x","password":"long enough","email":7})", 400, "`email`"},
      {R"({"preferred_username":"x"})", 400, "`password`"},
      {R"({"password":"long enough"})", 400, "`preferred_username`"},
      {R"({"preferred_username":"x","password":"long enough","admin":true})", 400, "`admin`"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    auto reply = office.post("/users", row.body);
    CHECK_EQ(reply.status(), row.status);
    CHECK(reply.at("detail").contains(row.says));
  }
  CHECK_EQ(office.column(office.get("/users"), "users", "sub").size(), 2);
}

TEST_CASE("who is disabled is out everywhere, once, and comes in again with nothing of before") {
  OauthWorld oauth{quick(3)};
  Office office{oauth};
  const auto sub = office.sub_of(alice);
  const auto token = tokens_of(oauth, alice).at("access_token");
  CHECK(oauth.is_active(token));
  auto disabled = office.post(path_of(sub) + "/disable");
  REQUIRE_EQ(disabled.status(), 200);
  CHECK_FALSE(*disabled.json.find("enabled")->boolean());
  CHECK_EQ(*disabled.json.find("grants_ended")->integer(), 1);
  CHECK_FALSE(oauth.is_active(token));
  CHECK_EQ(oauth.authorize(alice, oauth.web_shop), "");
  CHECK_EQ(*office.post(path_of(sub) + "/disable").json.find("grants_ended")->integer(), 0);
  CHECK(*office.post(path_of(sub) + "/enable").json.find("enabled")->boolean());
  CHECK_EQ(office.post(path_of(sub) + "/enable").status(), 200);
  CHECK_EQ(tokens_of(oauth, alice).status(), 200);
  CHECK_FALSE(oauth.is_active(token));
  CHECK_EQ(office.causes("user_disabled").size(), 1);
  CHECK_EQ(office.causes("user_enabled").size(), 1);
  CHECK_EQ(office.post("/users/u_nobody/disable").status(), 404);
  CHECK_EQ(office.post("/users/u_nobody/enable").status(), 404);
}

TEST_CASE("another password ends what the one before has opened") {
  OauthWorld oauth{quick(4)};
  Office office{oauth};
  const auto path = path_of(office.sub_of(alice)) + "/password";
  const auto token = tokens_of(oauth, alice).at("access_token");
  CHECK_EQ(office.ask(Method::put, path, R"({"password":"short"})").status(), 400);
  CHECK_EQ(office.ask(Method::put, path, R"({"passwort":"long enough"})").status(), 400);
  CHECK(oauth.is_active(token));
  CHECK_EQ(office.ask(Method::put, path, R"({"password":"quite another one"})").status(), 200);
  CHECK_FALSE(oauth.is_active(token));
  CHECK_EQ(oauth.authorize(alice, oauth.web_shop), "");
  CHECK_NE(oauth.authorize({"alice", "quite another one"}, oauth.web_shop), "");
  CHECK_EQ(office.ask(Method::put, "/users/u_nobody/password", R"({"password":"long enough"})").status(), 404);
  CHECK_EQ(office.causes("password_changed").size(), 1);
}

TEST_CASE("who is removed is gone with their tokens, and removing them twice is as once") {
  OauthWorld oauth{quick(5)};
  Office office{oauth};
  const auto sub = office.sub_of(alice);
  const auto token = tokens_of(oauth, alice).at("access_token");
  CHECK_EQ(office.remove(path_of(sub)).status(), 204);
  CHECK_EQ(office.remove(path_of(sub)).status(), 204);
  CHECK_FALSE(oauth.is_active(token));
  CHECK_EQ(office.get(path_of(sub)).status(), 404);
  CHECK_EQ(office.causes("user_removed").size(), 1);
}

TEST_CASE("people come page by page") {
  OauthWorld oauth{quick(6)};
  Office office{oauth};
  auto first = office.get("/users?limit=1");
  auto second = office.get("/users?limit=1&after=" + first.at("next"));
  CHECK_EQ(office.column(first, "users", "sub").size(), 1);
  CHECK_NE(office.column(first, "users", "sub"), office.column(second, "users", "sub"));
  CHECK_EQ(second.at("next"), "");
}

}  // namespace
}  // namespace troupe::oauth::test
