// A client that is changed, disabled or removed while its user signs in: what it had when the flow began counts no
// more.
#include <doctest/doctest.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

enum class Told : std::uint8_t { page, invalid_scope, as_ever };

struct Change {
  const char* name;
  void (*make)(OauthWorld&, const ClientId&);
  Told told;
};

/// The operator gives the client other metadata, or another state.
void operate(OauthWorld& oauth, const ClientId& id, void (*change)(Client&)) {
  const auto& clients = oauth.actors().clients;
  Client changed = *oauth.world().block_on(clients.ask(GetClient{id})).value();
  change(changed);
  CHECK(oauth.world().block_on(clients.ask(UpdateClient{id, changed.metadata, changed.state})).has_value());
}

const Change changes[] = {
    {"nothing", [](OauthWorld&, const ClientId&) {}, Told::as_ever},
    {"disabled",
     [](OauthWorld& oauth, const ClientId& id) {
       operate(oauth, id, [](Client& c) { c.state = ClientState::disabled; });
     },
     Told::page},
    {"removed",
     [](OauthWorld& oauth, const ClientId& id) {
       CHECK(oauth.world().block_on(oauth.actors().clients.ask(DeleteClient{id})).has_value());
     },
     Told::page},
    {"another redirect URI",
     [](OauthWorld& oauth, const ClientId& id) {
       operate(oauth, id, [](Client& c) { c.metadata.redirect_uris = {"https://new.example/cb"}; });
     },
     Told::page},
    {"a narrower scope",
     [](OauthWorld& oauth, const ClientId& id) {
       operate(oauth, id, [](Client& c) { c.metadata.scope = ScopeSet::parse("openid profile").value(); });
     },
     Told::invalid_scope},
};

void check_page(const Reply& reply) {
  CHECK_EQ(reply.status(), 400);
  CHECK_EQ(reply.header("location"), "");
  CHECK(reply.body().contains("The client or its redirect URI is not registered."));
}

/// That the answer is what is told of such a change, and otherwise has `parameter`.
void check(const Reply& reply, Told told, std::string_view parameter, std::string_view value = "") {
  if (told == Told::page) return check_page(reply);
  const auto back = reply.location_query();
  CHECK(reply.header("location").starts_with("https://shop.example/cb?"));
  CHECK_EQ(back.get("state"), "s1");
  if (told == Told::invalid_scope) {
    CHECK_EQ(back.get("error"), "invalid_scope");
  } else {
    REQUIRE(back.get(parameter));
    if (!value.empty()) CHECK_EQ(back.get(parameter), value);
  }
}

std::string address(const OauthWorld& oauth) { return "/oauth/authorize?" + oauth.authorization_query(oauth.web_shop); }

const wire::Form password{{"username", alice.name}, {"password", alice.password}};

TEST_CASE(
    "who allows or denies what a client asked for that was changed meanwhile sends it nothing that it may not have") {
  for (const Change& change : changes) {
    CAPTURE(change.name);
    OauthWorld oauth{{.seed = 41}};
    Browser browser{oauth};
    const auto page = [&] { return browser.follow(browser.get(address(oauth))); };
    const auto allowing = browser.follow(browser.submit(page(), "/login", password));
    const auto denying = page();
    change.make(oauth, oauth.web_shop.id);
    const bool is_told = change.told != Told::page;  // that it was denied, whatever else was taken from it
    check(browser.submit(denying, "/consent", {{"decision", "deny"}}), is_told ? Told::as_ever : Told::page, "error",
          "access_denied");
    check(browser.submit(allowing, "/consent", {{"decision", "allow"}}), change.told, "code");
  }
}

TEST_CASE("who signs in and agreed to all before gives a client that was changed meanwhile no code") {
  for (const Change& change : changes) {
    CAPTURE(change.name);
    OauthWorld oauth{{.seed = 42}};
    REQUIRE_NE(oauth.authorize(alice, oauth.web_shop), "");  // agrees, in another browser
    Browser browser{oauth};
    const auto login = browser.follow(browser.get(address(oauth)));
    change.make(oauth, oauth.web_shop.id);
    check(browser.submit(login, "/login", password), change.told, "code");
    CHECK(browser.cookies.contains("troupe_session"));
  }
}

TEST_CASE("that somebody else has signed in is told to nobody at an address that is registered no more") {
  OauthWorld oauth{{.seed = 43}};
  const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(bob, oauth.web_shop));
  Browser browser{oauth};
  const std::string wanted = address(oauth) + "&id_token_hint=" + tokens.at("id_token");
  const auto first = browser.follow(browser.get(wanted));
  check(browser.submit(first, "/login", password), Told::as_ever, "error", "login_required");
  Browser other{oauth};
  const auto second = other.follow(other.get(wanted));
  operate(oauth, oauth.web_shop.id, [](Client& c) { c.metadata.redirect_uris = {"https://new.example/cb"}; });
  check_page(other.submit(second, "/login", password));
}

TEST_CASE("a code gives what its client may still have, at an address that is still its own") {
  OauthWorld oauth{{.seed = 44}};
  const auto narrowed = oauth.authorize(alice, oauth.web_shop);
  const auto moved = oauth.authorize(alice, oauth.web_shop);
  operate(oauth, oauth.web_shop.id, [](Client& c) { c.metadata.scope = ScopeSet::parse("openid read").value(); });
  const auto tokens = oauth.redeem(oauth.web_shop, narrowed);
  CHECK_EQ(tokens.at("scope"), "openid read");
  CHECK_EQ(tokens.at("refresh_token"), "");  // offline_access is gone, too
  operate(oauth, oauth.web_shop.id, [](Client& c) { c.metadata.redirect_uris = {"https://new.example/cb"}; });
  CHECK_EQ(oauth.redeem(oauth.web_shop, moved).error(), "invalid_grant");
}

}  // namespace
}  // namespace troupe::oauth::test
