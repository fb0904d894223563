// Rows about tokens and who may see, use and take them back: T52 to T59 and T78.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/json.h"

namespace troupe::attack {
namespace {

constexpr int guesses_at_once = 500;

/// `{"active": false}` and nothing else (RFC 7662, 2.2).
bool is_bare_inactive(const Exchange& seen) {
  const auto json = wire::parse_json(seen.answer.body);
  if (seen.answer.status != 200 || !json || json->object() == nullptr || json->object()->size() != 1) return false;
  const wire::Json* active = json->find("active");
  return active != nullptr && active->boolean() != nullptr && !*active->boolean();
}

void introspection_by_strangers(Trial& trial) {
  const std::string url = trial.endpoint("introspection_endpoint");
  const Tokens tokens = trial.tokens_for(trial.given().client);
  const wire::Form form{{"token", tokens.access}};
  trial.expect_status(trial.post(url, form), {401}, "introspection without credentials");
  const auto wrong =
      trial.post(url, form, {{"Authorization", basic_header(trial.target().introspector().id, "wrong")}});
  trial.expect_status(wrong, {401}, "introspection with a wrong secret");
  if (trial.given().public_client.is_given()) {
    const auto seen = trial.post_as(trial.given().public_client, url, form);
    trial.expect(seen.answer.status >= 400 && seen.answer.status < 500, "introspection by a public client", seen);
  }
  std::vector<Request> guesses;
  for (int i = 0; i < guesses_at_once; ++i)
    guesses.push_back(
        trial.request_as(trial.target().introspector(), url, {{"token", trial.random_text(tokens.access.size())}}));
  for (const Exchange& seen : trial.send_at_once(std::move(guesses)))
    trial.expect(is_bare_inactive(seen) || seen.answer.status == 429, "a guessed token", seen);
}

void introspection_of_garbage(Trial& trial) {
  const std::string url = trial.endpoint("introspection_endpoint");
  const KnownClient& caller = trial.target().introspector();
  const Tokens tokens = trial.tokens_for(trial.given().client);
  std::string changed = tokens.access;
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& garbage :
       {std::string{"x"}, std::string{"a.b.c"}, std::string{"' OR 1=1 --"}, std::string{"\xe2\x98\x83"},
        std::string(5000, 'a'), changed, tokens.access + "A", trial.random_text(43)}) {
    const auto seen = trial.post_as(caller, url, {{"token", garbage}});
    trial.expect(is_bare_inactive(seen), "what is no token must be {\"active\":false} and nothing else", seen);
  }
  const auto hinted = trial.post_as(caller, url, {{"token", tokens.access}, {"token_type_hint", "refresh_token"}});
  trial.expect(hinted.answer.status == 200 && !is_bare_inactive(hinted), "a wrong hint must not hide a token", hinted);
  if (trial.endpoint("revocation_endpoint").empty()) return;
  trial.post_as(trial.given().client, trial.endpoint("revocation_endpoint"), {{"token", tokens.access}});
  const auto over = trial.post_as(caller, url, {{"token", tokens.access}});
  trial.expect(is_bare_inactive(over), "a revoked token must be {\"active\":false} and nothing else", over);
}

void revoking_of_others(Trial& trial) {
  const std::string url = trial.endpoint("revocation_endpoint");
  const Tokens tokens = trial.tokens_for(trial.given().client);
  for (const KnownClient* stranger : {&trial.given().other_client, &trial.given().public_client}) {
    if (!stranger->is_given()) continue;
    for (const std::string& token : {tokens.access, tokens.refresh}) {
      if (token.empty()) continue;
      const auto seen = trial.post_as(*stranger, url, {{"token", token}});
      trial.expect_status(seen, {200, 400, 401}, "revoking another client's token");
    }
  }
  trial.expect(trial.is_active(tokens.access), "the token must stay valid when others revoke it");
  const auto wrong =
      trial.post(url, {{"token", tokens.access}}, {{"Authorization", basic_header(trial.given().client.id, "wrong")}});
  trial.expect_status(wrong, {401}, "revoking with a wrong secret");
  trial.expect(trial.is_active(tokens.access), "the token must stay valid after a wrong secret");
  trial.expect_status(trial.post_as(trial.given().client, url, {{"token", trial.random_text(43)}}), {200},
                      "an unknown token");
  const auto hinted =
      trial.post_as(trial.given().client, url, {{"token", tokens.access}, {"token_type_hint", "unheard_of"}});
  trial.expect(hinted.answer.status == 200 || json_text(hinted.answer.body, "error") == "unsupported_token_type",
               "an unknown hint must be ignored or refused as unsupported_token_type", hinted);
  trial.expect_status(trial.post_as(trial.given().client, url, {{"token", tokens.access}}), {200}, "its own client");
  trial.expect(!trial.is_active(tokens.access), "a token that its client has revoked must not be active");
}

void after_revocation(Trial& trial) {
  const std::string url = trial.endpoint("revocation_endpoint");
  const KnownClient& client = trial.given().client;
  const Tokens one = trial.tokens_for(client);
  trial.expect_status(trial.post_as(client, url, {{"token", one.access}}), {200}, "revoking an access token");
  trial.expect(!trial.is_active(one.access), "a revoked access token must not be active");
  if (!trial.endpoint("userinfo_endpoint").empty())
    trial.expect_status(trial.userinfo(one.access), {401}, "userinfo with a revoked access token");
  const Tokens two = trial.tokens_for(client);
  if (two.refresh.empty()) return;
  trial.expect_status(trial.post_as(client, url, {{"token", two.refresh}}), {200}, "revoking a refresh token");
  trial.transport().wait(std::chrono::seconds{1});
  trial.expect(!trial.is_active(two.access), "the access token of a revoked refresh token must not be active");
}

void expect_never_kept(Trial& trial, const Exchange& seen, std::string_view what) {
  trial.expect(wire::to_lower(seen.answer.field("cache-control")).contains("no-store"),
               fmt::format("{} must say Cache-Control: no-store", what), seen);
}

void caches(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  const auto asked = trial.request_for(client);
  expect_never_kept(trial, browser.open(trial.authorize_url(asked.form)).last(), "the sign-in page");
  const auto granted = trial.redeem(client, trial.code_for(client));
  expect_never_kept(trial, granted, "an answer with tokens");
  expect_never_kept(trial, trial.token(client, {{"grant_type", "nonsense"}}), "a refusal of the token endpoint");
  const Tokens tokens = trial.tokens_in(granted);
  if (!trial.endpoint("introspection_endpoint").empty())
    expect_never_kept(trial, trial.introspect(tokens.access), "introspection");
  if (!trial.endpoint("userinfo_endpoint").empty()) expect_never_kept(trial, trial.userinfo(tokens.access), "userinfo");
}

void foreign_origins(Trial& trial) {
  const std::vector<Field> evil{{"Origin", "https://evil.example"}};
  const auto asked = trial.request_for(trial.given().client);
  const auto judge = [&trial](const Exchange& seen, std::string_view where) {
    const std::string allowed = seen.answer.field("access-control-allow-origin");
    trial.expect(allowed.empty() || allowed == "null" || !(allowed == "*" || allowed.contains("evil")),
                 fmt::format("{} must not be open to scripts of other origins", where), seen);
    trial.expect(wire::to_lower(seen.answer.field("access-control-allow-credentials")) != "true",
                 fmt::format("{} must not allow credentials to other origins", where), seen);
  };
  judge(trial.get(trial.authorize_url(asked.form), evil), "authorize");
  for (const char* name : {"token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"}) {
    const std::string url = trial.endpoint(name);
    if (url.empty()) continue;
    judge(trial.post(url, {{"token", "x"}}, evil), name);
    judge(trial.send({"OPTIONS",
                      url,
                      {{"Origin", "https://evil.example"},
                       {"Access-Control-Request-Method", "POST"},
                       {"Access-Control-Request-Headers", "authorization"}},
                      ""}),
          name);
  }
}

void ways_of_bearing(Trial& trial) {
  const std::string url = trial.endpoint("userinfo_endpoint");
  const Tokens tokens = trial.tokens_for(trial.given().client);
  trial.expect_status(trial.userinfo(tokens.access), {200}, "userinfo with its token");
  const auto in_query = trial.get(wire::add_query(url, {{"access_token", tokens.access}}));
  trial.expect_status(in_query, {400, 401}, "a token in the URL");
  const auto twice = trial.post(url, {{"access_token", tokens.access}}, {{"Authorization", "Bearer " + tokens.access}});
  trial.expect_status(twice, {400}, "a token in header and body");
  const auto headers =
      trial.get(url, {{"Authorization", "Bearer " + tokens.access}, {"Authorization", "Bearer " + tokens.access}});
  trial.expect_status(headers, {400, 401}, "the Authorization header twice");
  trial.expect_status(trial.get(url, {{"Authorization", "bearer " + tokens.access}}), {200},
                      "the scheme in lower case");
  const auto none = trial.get(url);
  trial.expect_status(none, {401}, "no token");
  const std::string challenge = none.answer.field("www-authenticate");
  trial.expect(wire::to_lower(challenge).starts_with("bearer") && !challenge.contains("error="),
               "the challenge must name no error when nobody tried (RFC 6750, 3.1)", none);
  for (const char* header : {"Bearer", "Bearer ", "Bearer a b", "Bearer \"x\"", "Bearer x, Bearer y"}) {
    const auto seen = trial.get(url, {{"Authorization", header}});
    trial.expect_status(seen, {400, 401}, "a malformed Authorization header");
  }
}

void too_little_scope(Trial& trial) {
  const KnownClient& machine = trial.given().machine;
  const Tokens tokens = trial.tokens_in(trial.token(machine, {{"grant_type", "client_credentials"}}));
  const auto seen = trial.userinfo(tokens.access);
  trial.expect_status(seen, {403}, "userinfo with a token without openid");
  const std::string challenge = seen.answer.field("www-authenticate");
  trial.expect(challenge.contains("insufficient_scope"), "the challenge must say insufficient_scope", seen);
  trial.expect(challenge.contains("scope=\"") && challenge.contains("openid"), "and which scope", seen);
}

void client_as_user(Trial& trial) {
  const KnownClient& machine = trial.given().machine;
  const Tokens of_machine = trial.tokens_in(trial.token(machine, {{"grant_type", "client_credentials"}}));
  const Tokens of_user = trial.tokens_for(trial.given().client);
  trial.expect(of_machine.id.empty() && of_machine.refresh.empty(),
               "client_credentials must give neither ID token nor refresh token");
  const auto one = trial.introspect(of_machine.access), other = trial.introspect(of_user.access);
  const std::string sub = json_text(one.answer.body, "sub"), user = json_text(other.answer.body, "sub");
  trial.expect(sub != user, "a client must not be a user", one);
  trial.expect(sub.empty() || sub == json_text(one.answer.body, "client_id"),
               "the subject of a client's token is the client", one);
  trial.expect(json_text(one.answer.body, "username").empty(), "a client has no user name", one);
  if (trial.endpoint("userinfo_endpoint").empty()) return;
  const auto seen = trial.userinfo(of_machine.access);
  trial.expect(seen.answer.status == 401 || seen.answer.status == 403, "there are no claims about a user without one",
               seen);
}

constexpr Row rows[] = {
    {"T52", "introspection without credentials, or by guessing", flow | Need::introspect, introspection_by_strangers},
    {"T53", "introspection of garbage, or of what is over", flow | Need::introspect, introspection_of_garbage},
    {"T54", "revoking another client's token", flow | Need::revoke | Need::other_client, revoking_of_others},
    {"T55", "tokens after revocation", flow | Need::revoke, after_revocation},
    {"T56", "answers kept by a cache", flow, caches},
    {"T57", "scripts of other origins", Need::client | Need::authorize, foreign_origins},
    {"T58", "access tokens in the URL, in two places, or missing", flow | Need::userinfo, ways_of_bearing},
    {"T59", "an access token without the scope", Need::machine | Need::userinfo, too_little_scope},
    {"T78", "a client that passes for a user", flow | Need::machine | Need::introspect, client_as_user},
};

}  // namespace

std::span<const Row> token_rows() { return rows; }

}  // namespace troupe::attack
