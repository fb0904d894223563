// Clients that want to be told of the end of a session (OpenID Connect Back-Channel Logout 1.0): who is told, what, and
// what becomes of one that does not listen (T69).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/crypto/jwt.h"
#include "troupe/oauth/sim/oauth_world.h"
#include "troupe/wire/form.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

constexpr auto told_at = "https://listener.example/out";

ClientMetadata listening(const char* uri = told_at) {
  return {.name = "Listener",
          .redirect_uris = {"https://listener.example/cb"},
          .grant_types = {GrantType::authorization_code, GrantType::refresh_token},
          .scope = ScopeSet::parse("openid profile offline_access read").value(),
          .backchannel_logout_uri = uri};
}

struct ListenerWorld : OauthWorld {
  explicit ListenerWorld(std::uint64_t seed, OauthOptions options = {})
      : OauthWorld({.seed = seed, .oauth = std::move(options)}) {
    listener = add(listening());
    servers->answer = [](const web::Fetch&) { return web::Fetched{200, ""}; };
  }

  /// Signs alice in at the client, in this browser; gives its tokens.
  Reply sign_in(Browser& browser, const ClientApp& client, std::string_view scope = "openid+read") {
    const auto query = authorization_query(client, fmt::format("scope={}", scope));
    auto page = browser.follow(browser.get("/oauth/authorize?" + query));
    if (page.body().contains("password")) {
      page = browser.follow(browser.submit(page, "/login", {{"username", alice.name}, {"password", alice.password}}));
    }
    if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
    return redeem(client, std::string{page.location_query().get("code").value_or("")});
  }
  void sign_out(Browser& browser, const Reply& tokens) {
    browser.get("/oauth/logout?id_token_hint=" + tokens.at("id_token"));
    REQUIRE_FALSE(browser.cookies.contains("troupe_session"));
  }

  /// What was told the n-th time.
  std::string logout_token(std::size_t n = 0) const {
    const web::Fetch& fetch = servers->asked.at(n);
    CHECK_EQ(fetch.content_type, "application/x-www-form-urlencoded");
    const auto form = wire::parse_form(fetch.body).value();
    CHECK_EQ(form.size(), 1);
    return std::string{form.get("logout_token").value_or("")};
  }
  /// Its claims, once its signature by the server and its type are found to be good.
  wire::Json claims_told(std::size_t n = 0) {
    const auto keys = world().block_on(actors().keys.ask(GetKeys{})).value();
    for (const crypto::PublicKey& key : keys->verifying) {
      crypto::Verifier verifier{key};
      const auto jwt = crypto::verify_jwt(verifier, logout_token(n), {.typ = "logout+jwt"});
      if (jwt) return wire::parse_json(jwt->claims).value();
    }
    FAIL("no key of the server has signed it");
    return {};
  }
  static wire::Json claims_in(const std::string& jwt) {
    return wire::parse_json(crypto::read_unverified_jwt(jwt).value().claims).value();
  }

  ClientApp listener;
};

TEST_CASE("Back-Channel Logout, 2.4: a logout token says who, whose session, for whom and until when") {
  ListenerWorld oauth{1};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener);
  const wire::Json id = ListenerWorld::claims_in(tokens.at("id_token"));
  oauth.sign_out(browser, tokens);
  oauth.advance(2s);
  REQUIRE_EQ(oauth.servers->asked.size(), 1);
  CHECK_EQ(oauth.servers->asked[0].url, told_at);
  const wire::Json claims = oauth.claims_told();
  CHECK_EQ(*claims.string_at("iss"), oauth.options().issuer);
  CHECK_EQ(*claims.string_at("aud"), oauth.listener.id.value());
  CHECK_EQ(*claims.string_at("sub"), *id.string_at("sub"));
  CHECK_EQ(*claims.string_at("sid"), *id.string_at("sid"));
  CHECK_GE(claims.string_at("jti")->size(), 16);
  const std::int64_t now = oauth.world().manual_clock().wall().seconds();
  CHECK_LE(std::abs(*claims.find("iat")->integer() - now), 3);
  CHECK_EQ(*claims.find("exp")->integer() - *claims.find("iat")->integer(), 120);
  const wire::Json* events = claims.find("events");
  REQUIRE(events != nullptr);
  REQUIRE_EQ(events->object()->size(), 1);
  const wire::Json* event = events->find("http://schemas.openid.net/event/backchannel-logout");
  REQUIRE(event != nullptr);
  CHECK(event->object()->empty());
  CHECK_EQ(claims.find("nonce"), nullptr);  // so that it is never taken for an ID token
}

TEST_CASE("a logout token is good for nothing here") {
  ListenerWorld oauth{2};
  Browser browser{oauth}, other{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener);
  oauth.sign_in(other, oauth.listener);
  oauth.sign_out(browser, tokens);
  oauth.advance(2s);
  const std::string token = oauth.logout_token();
  CHECK_EQ(oauth.userinfo(token).status(), 401);
  CHECK_FALSE(oauth.is_active(token));
  const auto asked = other.get("/oauth/logout?id_token_hint=" + token);
  CHECK_EQ(asked.header("location"), "");
  CHECK(other.cookies.contains("troupe_session"));
}

TEST_CASE("each client of the session is told once, and nobody who has no part in it") {
  ListenerWorld oauth{3};
  const ClientApp second = oauth.add(listening("https://second.example/out"));
  const ClientApp stranger = oauth.add(listening("https://stranger.example/out"));
  Browser browser{oauth}, elsewhere{oauth};
  oauth.sign_in(browser, oauth.listener);
  oauth.sign_in(browser, oauth.listener, "openid+offline_access");
  oauth.sign_in(browser, oauth.web_shop);  // does not want to know
  const auto tokens = oauth.sign_in(browser, second);
  oauth.sign_in(elsewhere, stranger);  // of the same person, in another session
  oauth.sign_out(browser, tokens);
  oauth.advance(5s);
  std::set<std::string> told;
  for (const web::Fetch& fetch : oauth.servers->asked) told.insert(fetch.url);
  CHECK_EQ(oauth.servers->asked.size(), 2);
  CHECK_EQ(told, std::set<std::string>{told_at, "https://second.example/out"});
}

TEST_CASE("a client whose tokens ended before the session is told of its end all the same") {
  ListenerWorld oauth{13};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener, "openid+offline_access");
  oauth.post_as(oauth.listener, "/oauth/revoke", {{"token", tokens.at("refresh_token")}});
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  oauth.sign_out(browser, tokens);
  oauth.advance(2s);
  CHECK_EQ(oauth.servers->asked.size(), 1);
}

TEST_CASE("whatever ends a session, its clients are told") {
  struct Row {
    const char* what;
    std::function<void(ListenerWorld&, Browser&)> end;
  };
  const auto user_of = [](ListenerWorld& oauth) {
    const auto users = oauth.world().block_on(oauth.actors().users.ask(ListUsers{})).value();
    return *std::ranges::find(users, UserName{alice.name}, &User::name);
  };
  const Row rows[] = {
      {"another session of theirs ends it",
       [](ListenerWorld& oauth, Browser&) {
         Browser other{oauth};
         oauth.sign_in(other, oauth.web_shop);
         const SessionToken cookie{other.cookies.at("troupe_session")};
         (void)oauth.world().block_on(oauth.actors().sessions.ask(EndOtherSessions{cookie, std::nullopt}));
       }},
      {"the password is changed",
       [](ListenerWorld& oauth, Browser& browser) {
         const SessionToken cookie{browser.cookies.at("troupe_session")};
         const auto changed = oauth.world().block_on(
             oauth.actors().users.ask(ChangePassword{.token = cookie,
                                                     .present = crypto::Password{alice.password},
                                                     .next = crypto::Password{"another correct horse"}}));
         REQUIRE(changed);
       }},
      {"the user is removed",
       [&](ListenerWorld& oauth, Browser&) {
         REQUIRE(oauth.world().block_on(oauth.actors().users.ask(RemoveUser{user_of(oauth).id})));
       }},
      {"somebody else signs in at this browser",
       [](ListenerWorld& oauth, Browser& browser) {
         const auto query = oauth.authorization_query(oauth.web_shop, "prompt=login&scope=openid");
         auto page = browser.follow(browser.get("/oauth/authorize?" + query));
         browser.submit(page, "/login", {{"username", bob.name}, {"password", bob.password}});
       }},
  };
  std::uint64_t seed = 40;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ListenerWorld oauth{++seed};
    Browser browser{oauth};
    oauth.sign_in(browser, oauth.listener);
    row.end(oauth, browser);
    oauth.advance(3s);
    CHECK_EQ(oauth.servers->asked.size(), 1);
    oauth.advance(13h);
    CHECK_EQ(oauth.servers->asked.size(), 1);  // nor when the session would have been over by itself
  }
}

TEST_CASE("a client is told of the end of a session in which its tokens were over long ago") {
  ListenerWorld oauth{49, {.refresh_idle = 1h, .refresh_absolute = 1h, .refresh_absolute_public = 1h}};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener);
  for (int hour = 0; hour < 8; ++hour) {
    oauth.advance(1h);
    browser.get("/account");  // somebody is still there
  }
  oauth.sign_out(browser, tokens);
  oauth.advance(3s);
  CHECK_EQ(oauth.servers->asked.size(), 1);
}

TEST_CASE(
    "a session that ends by its age or because nobody uses it ends like any other: told, noted, with its tokens") {
  struct Row {
    OauthOptions options;
    const char* reason;
  };
  const Row rows[] = {
      {{.session_idle = 1h, .session_absolute = 5min}, "expired"},
      {{.session_idle = 5min, .session_absolute = 1h}, "unused"},
  };
  std::uint64_t seed = 50;
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    ListenerWorld oauth{++seed, row.options};
    Browser browser{oauth};
    const auto bound = oauth.sign_in(browser, oauth.listener);
    const auto own = oauth.sign_in(browser, oauth.web_shop, "openid+offline_access");
    const auto begun = oauth.world().manual_clock().wall();
    oauth.advance(4min);
    CHECK(oauth.servers->asked.empty());
    CHECK(oauth.is_active(bound.at("access_token")));
    oauth.advance(1min + 15s);
    REQUIRE_EQ(oauth.servers->asked.size(), 1);
    const wire::Json claims = oauth.claims_told();
    CHECK_EQ(*claims.string_at("sid"), *ListenerWorld::claims_in(bound.at("id_token")).string_at("sid"));
    CHECK_FALSE(oauth.is_active(bound.at("access_token")));
    CHECK(oauth.is_active(own.at("access_token")));
    std::vector<AuditEvent> ended;
    for (const AuditEvent& event : oauth.events())
      if (event.kind == "session_ended") ended.push_back(event);
    REQUIRE_EQ(ended.size(), 1);
    CHECK_EQ(ended[0].reason, row.reason);
    CHECK_EQ(ended[0].done_by, "schedule");
    CHECK(ended[0].user.has_value());
    CHECK_GE(ended[0].id.time() - begun, 4min + 50s);
    oauth.advance(1min);
    CHECK_EQ(oauth.servers->asked.size(), 1);
  }
}

TEST_CASE("a session that is used does not end") {
  ListenerWorld oauth{55, {.session_idle = 5min}};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener);
  for (int i = 0; i < 3; ++i) {
    oauth.advance(4min);
    CHECK_EQ(browser.get("/account").status(), 200);
  }
  CHECK(oauth.servers->asked.empty());
}

TEST_CASE("who is slow or fails is told again, later and later, and does not hold up a sign-out (T69)") {
  ListenerWorld oauth{5};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener);
  oauth.servers->takes = 2s;
  int answers = 0;
  oauth.servers->answer = [&](const web::Fetch&) -> std::expected<web::Fetched, web::FetchFault> {
    switch (++answers) {
      case 1:
        return web::Fetched{500, "oh"};
      case 2:
        return web::Fetched{302, ""};
      case 3:
        return std::unexpected(web::FetchFault::too_slow);
      default:
        return web::Fetched{204, ""};
    }
  };
  const auto begin = oauth.world().manual_clock().wall();
  oauth.sign_out(browser, tokens);
  CHECK_LE(oauth.world().manual_clock().wall() - begin, 1s);  // the step in which the world waits
  oauth.advance(4s);
  CHECK_EQ(oauth.servers->asked.size(), 1);
  oauth.advance(10s);
  CHECK_EQ(oauth.servers->asked.size(), 2);
  oauth.advance(20s);
  CHECK_EQ(oauth.servers->asked.size(), 3);
  oauth.advance(1min);
  CHECK_EQ(oauth.servers->asked.size(), 4);
  const wire::Json first = oauth.claims_told(0), last = oauth.claims_told(3);
  CHECK_EQ(*first.string_at("jti"), *last.string_at("jti"));
  CHECK_GT(*last.find("iat")->integer(), *first.find("iat")->integer());
  oauth.advance(10min);
  CHECK_EQ(oauth.servers->asked.size(), 4);
}

TEST_CASE("a client that never listens is given up, and one that does not believe it at once") {
  struct Row {
    int status;
    base::Duration time;  // in which it happens
    std::size_t times;
    bool is_given_up;
  };
  std::uint64_t seed = 60;
  for (const Row& row : {Row{503, 5h, 9, true}, Row{404, 10s, 2, false}, Row{400, 10s, 1, true}}) {
    CAPTURE(row.status);
    ListenerWorld oauth{++seed};
    Browser browser{oauth};
    const auto tokens = oauth.sign_in(browser, oauth.listener);
    oauth.servers->answer = [&](const web::Fetch&) { return web::Fetched{row.status, ""}; };
    oauth.sign_out(browser, tokens);
    oauth.advance(row.time);
    CHECK_EQ(oauth.servers->asked.size(), row.times);
    const auto failed = [](const AuditEvent& event) { return event.kind == "logout_failed"; };
    CHECK_EQ(std::ranges::any_of(oauth.events(), failed), row.is_given_up);
  }
}

TEST_CASE("a client that is slow for everybody holds up no other") {
  ListenerWorld oauth{7};
  const ClientApp quick = oauth.add(listening("https://quick.example/out"));
  std::vector<Browser> browsers(6, Browser{oauth});
  std::vector<Reply> tokens;
  for (Browser& browser : browsers) tokens.push_back(oauth.sign_in(browser, oauth.listener));
  Browser last{oauth};
  const auto last_tokens = oauth.sign_in(last, quick);
  oauth.servers->takes = 2400ms;
  for (std::size_t i = 0; i < browsers.size(); ++i) oauth.sign_out(browsers[i], tokens[i]);
  oauth.sign_out(last, last_tokens);
  oauth.advance(2s);
  const auto is_quick = [](const web::Fetch& fetch) { return fetch.url.contains("quick"); };
  CHECK_EQ(std::ranges::count_if(oauth.servers->asked, is_quick), 1);
  oauth.advance(1min);
  CHECK_EQ(oauth.servers->asked.size(), 7);
}

TEST_CASE("a client that is disabled or wants to hear no more is not told") {
  ListenerWorld oauth{8};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, oauth.listener);
  oauth.servers->answer = {};
  oauth.sign_out(browser, tokens);
  oauth.advance(2s);
  const std::size_t before = oauth.servers->asked.size();
  const auto client = oauth.world().block_on(oauth.actors().clients.ask(GetClient{oauth.listener.id})).value();
  ClientMetadata silent = client->metadata;
  silent.backchannel_logout_uri.clear();
  REQUIRE(oauth.world().block_on(oauth.actors().clients.ask(UpdateClient{client->id, silent, ClientState::enabled})));
  oauth.advance(1h);
  CHECK_EQ(oauth.servers->asked.size(), before);
}

}  // namespace
}  // namespace troupe::oauth::test
