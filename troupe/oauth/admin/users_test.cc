// People over the administration API: added, kept out and let in again, given passwords, removed.
#include "troupe/crypto/testing/breached_list.h"
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

TEST_CASE("nobody is given a password that has become known, and the error has its name") {
  const crypto::testing::BreachedList list{{"letmein123"}};
  auto options = quick(8);
  options.breached = list.opened();
  OauthWorld oauth{options};
  Office office{oauth};
  const auto path = path_of(office.sub_of(alice)) + "/password";
  for (auto refused : {office.post("/users", R"({"preferred_username":"carol","password":"letmein123"})"),
                       office.ask(Method::put, path, R"({"password":"letmein123"})")}) {
    CHECK_EQ(refused.status(), 400);
    CHECK_EQ(refused.at("code"), "breached_password");
    CHECK(refused.at("detail").contains("has become known"));
  }
  CHECK_EQ(office.column(office.get("/users"), "users", "sub").size(), 2);
  CHECK_NE(oauth.authorize(alice, oauth.web_shop), "");
  CHECK_EQ(office.ask(Method::put, path, R"({"password":"one that nobody knows"})").status(), 200);
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

TEST_CASE("who has changed since they were seen is not removed by who says so") {
  OauthWorld oauth{quick(10)};
  Office office{oauth};
  const auto path = path_of(office.sub_of(alice));
  const auto remove = [&](const std::string& target, const std::string& tag) {
    return office.ask(Method::delete_, target, "", {{"If-Match", tag}}).status();
  };
  const auto first = office.get(path).header("etag");
  const auto changed = office.ask(Method::patch, path, R"({"email":"b@example.org"})", {{"If-Match", first}});
  REQUIRE_EQ(changed.status(), 200);
  CHECK_EQ(remove(path, first), 412);
  CHECK_EQ(remove(path + "?dry_run=true", first), 412);
  CHECK_EQ(remove(path, "W/" + changed.header("etag")), 412);
  CHECK_EQ(office.get(path).status(), 200);
  CHECK_EQ(remove(path + "?dry_run=true", changed.header("etag")), 200);
  CHECK_EQ(remove(path, changed.header("etag")), 204);
  CHECK_EQ(remove(path, changed.header("etag")), 412);
  CHECK_EQ(remove(path, "*"), 412);
  CHECK_EQ(office.remove(path).status(), 204);
  CHECK_EQ(office.causes("user_removed").size(), 1);
}

TEST_CASE("somebody gets another name and address, and stays who they are, signed in") {
  OauthWorld oauth{quick(7)};
  Office office{oauth};
  const auto path = path_of(office.sub_of(alice));
  const auto token = tokens_of(oauth, alice).at("access_token");
  const auto patch = [&](std::string body, const std::string& tag) {
    return office.ask(Method::patch, path, std::move(body),
                      {{"If-Match", tag}, {"Content-Type", "application/merge-patch+json"}});
  };
  const auto first = office.get(path).header("etag");
  const auto renamed = patch(R"({"preferred_username":"alice b","email":"b@example.org"})", first);
  REQUIRE_EQ(renamed.status(), 200);
  CHECK_EQ(renamed.at("preferred_username"), "alice b");
  CHECK_EQ(renamed.at("email"), "b@example.org");
  CHECK_NE(renamed.header("etag"), first);
  CHECK_EQ(office.get(path).header("etag"), renamed.header("etag"));
  CHECK(oauth.is_active(token));
  CHECK_EQ(oauth.introspect(token).at("username"), "alice b");
  CHECK_EQ(oauth.authorize(alice, oauth.web_shop), "");
  CHECK_NE(oauth.authorize({"alice b", alice.password}, oauth.web_shop), "");

  CHECK_EQ(patch(R"({"email":"x@example.org"})", first).status(), 412);
  CHECK_EQ(office.ask(Method::patch, path, R"({"email":"x@example.org"})").status(), 428);
  const auto without = patch(R"({"email":null})", renamed.header("etag"));
  CHECK_EQ(without.json.find("email"), nullptr);
  CHECK_EQ(without.at("preferred_username"), "alice b");
  CHECK_EQ(patch("{}", without.header("etag")).status(), 200);
  CHECK_EQ(office.causes("user_updated"), std::vector<std::string>(2, office.me()));  // nothing changed the third time
}

TEST_CASE("what a user cannot become is refused, and says why") {
  OauthWorld oauth{quick(8)};
  Office office{oauth};
  const auto path = path_of(office.sub_of(alice));
  struct Row {
    const char* body;
    int status;
    const char* says;
  };
  const Row rows[] = {
      {R"({"preferred_username":"bob"})", 409, "already"},
      {R"({"preferred_username":" x"})", 400, "name"},
      {R"({"preferred_username":null})", 400, "`preferred_username`"},
      {R"({"email":"nowhere"})", 400, "@"},
      {R"({"email":7})", 400, "`email`"},
      {R"({"sub":"u_other"})", 400, "`sub`"},
      {R"({"password":"long enough"})", 400, "`password`"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const auto reply = office.ask(Method::patch, path, row.body, {{"If-Match", "*"}});
    CHECK_EQ(reply.status(), row.status);
    CHECK(reply.at("detail").contains(row.says));
  }
  CHECK_EQ(office.get(path).at("preferred_username"), "alice");
  CHECK_EQ(office.ask(Method::patch, "/users/u_nobody", "{}", {{"If-Match", "*"}}).status(), 404);
  CHECK(office.causes("user_updated").empty());
}

TEST_CASE("a dry run tells which grants a deed would end, and ends none") {
  OauthWorld oauth{quick(9)};
  Office office{oauth};
  const auto sub = office.sub_of(alice);
  const auto token = tokens_of(oauth, alice).at("access_token");
  const auto others = tokens_of(oauth, bob).at("access_token");
  const auto client = oauth.web_shop.id.value();
  struct Row {
    Method method;
    std::string target;
    std::size_t grants;
  };
  const Row rows[] = {
      {Method::post, path_of(sub) + "/disable?dry_run=true", 1},
      {Method::delete_, path_of(sub) + "?dry_run=true", 1},
      {Method::delete_, "/clients/" + client + "?dry_run=true", 2},
      {Method::delete_, "/clients/" + client + "?dry_run=true&limit=1", 1},
      {Method::delete_, "/grants?dry_run=true&client=" + client + "&user=" + sub, 1},
      {Method::delete_, path_of("u_nobody") + "?dry_run=true", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    const auto told = office.ask(row.method, row.target);
    REQUIRE_EQ(told.status(), 200);
    CHECK_EQ(office.column(told, "grants", "grant").size(), row.grants);
    CHECK(oauth.is_active(token));
    CHECK(oauth.is_active(others));
  }
  for (const auto* odd : {"?dry_run=yes", "?limit=1", "?dry_run=false&after=x", "?dry-run=true"}) {
    CAPTURE(odd);
    CHECK_EQ(office.remove(path_of(sub) + odd).status(), 400);
  }
  CHECK(oauth.is_active(token));
  CHECK_EQ(office.remove(path_of(sub) + "?dry_run=false").status(), 204);
  CHECK_FALSE(oauth.is_active(token));
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
