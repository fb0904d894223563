// Rows about the parameters of authorization requests and of forms: T7 to T11, T22 to T24, T70 and T79.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

wire::Form plus(wire::Form form, std::string_view name, std::string value) {
  form.add(std::string{name}, std::move(value));
  return form;
}

bool refuses(const Exchange& seen) {
  const auto error = value_in(query_of(seen.answer.field("location")), "error");
  const bool is_page = seen.answer.status >= 400 && seen.answer.status < 500;
  return is_page || error == "invalid_request";
}

void twice(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  trial.expect_page(trial.authorize(plus(asked.form, "client_id", client.id)), "client_id twice");
  trial.expect_page(trial.authorize(plus(asked.form, "redirect_uri", client.redirect_uri)), "redirect_uri twice");
  for (const char* name : {"scope", "response_type", "code_challenge", "nonce", "state"}) {
    const auto seen = trial.authorize(plus(asked.form, name, value_in(asked.form, name)));
    trial.expect(refuses(seen), fmt::format("{} twice must be invalid_request", name), seen);
  }
  const auto split = trial.post(trial.authorize_url(asked.form), {{"scope", "openid"}});
  trial.expect(refuses(split) || split.answer.status == 405, "one scope in the query and one in the body", split);
  const wire::Form code{{"grant_type", "authorization_code"}, {"code", trial.random_text(30)}};
  for (const auto& form :
       {plus(code, "code", trial.random_text(30)), plus(code, "grant_type", "authorization_code"),
        plus(plus(code, "redirect_uri", "https://a.example"), "redirect_uri", "https://b.example")}) {
    trial.expect_refused(trial.token(client, form), {"invalid_request"}, "a parameter twice at the token endpoint");
  }
}

void empty(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  for (const char* name : {"prompt", "max_age", "nonce", "login_hint", "response_mode"}) {
    const auto seen = trial.authorize(with(asked.form, name, ""));
    const bool holds = seen.answer.status < 400 && value_in(query_of(seen.answer.field("location")), "error").empty();
    trial.expect(holds, fmt::format("an empty {} must be as if it were absent", name), seen);
  }
  const auto sent = with(asked.form, "response_type", "");
  trial.expect_sent_back(trial.authorize(sent), sent, {"invalid_request", "unsupported_response_type"},
                         "an empty response_type");
  trial.expect_refused(trial.token(client, {{"grant_type", ""}}), {"invalid_request"}, "an empty grant_type");
  trial.expect_refused(trial.token(client, {{"grant_type", "authorization_code"}, {"code", ""}}), {"invalid_request"},
                       "an empty code");
}

void unknown(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto form = plus(plus(trial.request_for(client).form, "unheard_of", "1"), "x<y", "\"'>");
  const auto seen = trial.authorize(form);
  const bool holds = seen.answer.status < 400 && value_in(query_of(seen.answer.field("location")), "error").empty();
  trial.expect(holds, "an unknown parameter must be ignored", seen);
  trial.expect_refused(trial.token(client, {{"grant_type", "authorization_code"},
                                            {"code", trial.random_text(30)},
                                            {"redirect_uri", client.redirect_uri},
                                            {"code_verifier", trial.random_text(43)},
                                            {"unheard_of", "1"}}),
                       {"invalid_grant"}, "an unknown parameter beside an unknown code");
}

void response_types(Trial& trial) {
  const auto asked = trial.request_for(trial.given().client);
  const auto none = without(asked.form, "response_type");
  trial.expect_sent_back(trial.authorize(none), none, {"invalid_request"}, "no response_type");
  for (const char* type : {"token", "code token", "none", "id_token", "code id_token token", "CODE", "password"}) {
    if (trial.target().lists("response_types_supported", type)) {
      trial.expect(false, fmt::format("response_type {} is supported (RFC 9700, 2.1.2)", type));
      continue;
    }
    const auto sent = with(asked.form, "response_type", type);
    const auto seen = trial.authorize(sent);
    const auto location = seen.answer.field("location");
    const auto hash = location.find('#');  // where answers of these types go
    const auto error = hash == std::string::npos ? value_in(query_of(location), "error")
                                                 : value_in(query_of("?" + location.substr(hash + 1)), "error");
    const bool is_back = leads_to(location, value_in(sent, "redirect_uri"));
    const bool holds = is_back && (error == "unsupported_response_type" || error == "invalid_request" ||
                                   error == "unauthorized_client");
    trial.expect(holds, fmt::format("response_type {} must be refused at the client", type), seen);
  }
}

void scopes(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  std::string many = "s0";
  for (int i = 1; i < 1000; ++i) many += fmt::format(" s{}", i);
  for (const std::string& scope :
       {"openid no-such-scope-" + trial.random_text(6), std::string{"open\"id"}, std::string{"open\\id"}, many}) {
    const auto sent = with(asked.form, "scope", scope);
    const auto seen = trial.authorize(sent);
    trial.expect_sent_back(seen, sent, {"invalid_scope", "invalid_request"}, fmt::format("scope {:.40}", scope));
  }
  if (!trial.given().machine.is_given()) return;
  const KnownClient& machine = trial.given().machine;
  for (const std::string& scope : {"no-such-scope-" + trial.random_text(6), std::string{"re\"ad"}, many}) {
    trial.expect_refused(trial.token(machine, {{"grant_type", "client_credentials"}, {"scope", scope}}),
                         {"invalid_scope", "invalid_request"}, fmt::format("scope {:.40} of a machine", scope));
  }
}

void issuer_in_answers(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  for (const auto& sent : {with(asked.form, "response_type", "bad"), with(asked.form, "scope", "open\"id"),
                           with(asked.form, "prompt", "none")}) {
    const auto seen = trial.authorize(sent);
    const auto query = query_of(seen.answer.field("location"));
    trial.expect(query.get("error") && value_in(query, "iss") == trial.target().issuer,
                 "an error must carry iss (RFC 9207)", seen);
  }
  Browser browser = trial.browser(client);
  const Landing landing = browser.arrive(browser.open(trial.authorize_url(asked.form)), trial.given().user);
  const auto query = query_of(landing.callback.value_or(""));
  trial.expect(query.get("code") && value_in(query, "iss") == trial.target().issuer,
               "an answer with a code must carry iss (RFC 9207)", landing.last());
}

void states(Trial& trial) {
  const auto asked = trial.request_for(trial.given().client);
  for (const std::string& state : {std::string{"a\r\nX-Injected: 1\r\n\r\n<html>"}, std::string{"\"'&=?#%+ ;,"},
                                   std::string{"\xc3\xa4\xe2\x98\x83\xf0\x9f\x8e\xad"},
                                   std::string{"%0d%0aX-Injected:%201"}, std::string(1000, 's')}) {
    const auto sent = with(with(asked.form, "response_type", "bad"), "state", state);
    const auto seen = trial.authorize(sent);
    trial.expect_sent_back(seen, sent, {"unsupported_response_type", "invalid_request"}, "a state of odd characters");
    trial.expect(seen.answer.field("x-injected").empty(), "a state must not become a header", seen);
  }
  const auto sent = with(with(asked.form, "response_type", "bad"), "state", std::string(8192, 's'));
  const auto seen = trial.authorize(sent);
  const auto query = query_of(seen.answer.field("location"));
  const bool is_whole = value_in(query, "state") == value_in(sent, "state");
  const bool is_refused =
      value_in(query, "error") == "invalid_request" || (seen.answer.status >= 400 && seen.answer.status < 500);
  trial.expect(is_whole || is_refused, "a state of 8 KiB must come back whole or be refused", seen);
}

constexpr std::string_view script = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

void expect_escaped(Trial& trial, const Exchange& seen, std::string_view where) {
  const std::string type = wire::to_lower(seen.answer.field("content-type"));
  if (!type.contains("html")) {
    trial.expect(type.empty() || !type.contains("xml"), fmt::format("script in {} must not become a page", where),
                 seen);
    return;
  }
  const std::string& page = seen.answer.body;
  trial.expect(!page.contains("<script>alert(1)") && !page.contains("<img src=x"),
               fmt::format("script in {} must be escaped", where), seen);
  const std::string policy = seen.answer.field("content-security-policy");
  const bool is_strict =
      (policy.contains("default-src") || policy.contains("script-src")) &&
      !policy.contains("script-src 'unsafe-inline'") &&
      !(policy.contains("default-src 'unsafe-inline'") || policy.contains("default-src * 'unsafe-inline'"));
  trial.expect(is_strict, fmt::format("the page of {} must have a policy that allows no inline script", where), seen);
}

void reflected_script(Trial& trial) {
  const auto asked = trial.request_for(trial.given().client);
  for (const char* name : {"client_id", "redirect_uri", "scope", "state", "response_type", "login_hint", "prompt",
                           "ui_locales", "acr_values", "claims", "response_mode", "id_token_hint"}) {
    Browser browser = trial.browser(trial.given().client);
    const Landing landing = browser.open(trial.authorize_url(with(asked.form, name, std::string{script})));
    for (const Exchange& step : landing.way) expect_escaped(trial, step, name);
  }
  if (const auto logout = trial.endpoint("end_session_endpoint"); !logout.empty()) {
    for (const char* name : {"post_logout_redirect_uri", "state", "id_token_hint", "client_id", "logout_hint"})
      expect_escaped(trial, trial.get(wire::add_query(logout, {{name, std::string{script}}})), name);
  }
  Browser browser = trial.browser(trial.given().client);
  const Landing login = browser.open(trial.authorize_url(asked.form));
  if (!login.login_form()) return;
  const KnownUser nobody{std::string{script}, Password{"no such password"}};
  expect_escaped(trial, browser.log_in(login, nobody).last(), "the user name");
}

void prompts(Trial& trial) {
  const KnownClient& client = trial.given().client;
  auto quiet = with(with(trial.request_for(client).form, "prompt", "none"), "scope", "openid");
  trial.expect_sent_back(trial.authorize(quiet), quiet, {"login_required"}, "prompt=none without a session");
  const auto both = with(quiet, "prompt", "none login");
  trial.expect_sent_back(trial.authorize(both), both, {"invalid_request"}, "prompt=none login");
  for (const char* age : {"-1", "soon", "1e3"}) {
    const auto sent = with(without(quiet, "prompt"), "max_age", age);
    trial.expect_sent_back(trial.authorize(sent), sent, {"invalid_request"}, fmt::format("max_age={}", age));
  }
  Browser browser = trial.browser(client);
  (void)trial.code_for(client, browser, trial.request_for(client));
  const auto old = with(quiet, "max_age", "0");
  trial.transport().wait(std::chrono::milliseconds{1100});
  trial.expect_sent_back(browser.send({.url = trial.authorize_url(old)}), old, {"login_required"},
                         "prompt=none with max_age=0 in a session of a second");
  const Landing again = browser.open(trial.authorize_url(with(old, "prompt", "login")));
  trial.expect(again.login_form().has_value(), "prompt=login must ask for the password again", again.last());
  if (!trial.given().other_client.is_given()) return;
  const KnownClient& other = trial.given().other_client;
  Browser at_other = browser;
  const auto unasked = with(trial.request_for(other).form, "prompt", "none");
  const auto seen = at_other.send({.url = trial.authorize_url(unasked)});
  const auto query = query_of(seen.answer.field("location"));
  const bool is_known = query.get("code").has_value();  // agreed in an earlier row, or not needed
  if (!is_known)
    trial.expect_sent_back(seen, unasked, {"consent_required", "interaction_required"}, "prompt=none without consent");
}

void resources(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  for (const char* resource :
       {"https://api.example/#fragment", "/relative", "not a uri", "https://unknown.example/api"}) {
    const auto sent = plus(asked.form, "resource", resource);
    trial.expect_sent_back(trial.authorize(sent), sent, {"invalid_target", "invalid_request"},
                           fmt::format("resource {} at authorize", resource));
    if (!trial.given().machine.is_given()) continue;
    trial.expect_refused(
        trial.token(trial.given().machine, {{"grant_type", "client_credentials"}, {"resource", resource}}),
        {"invalid_target", "invalid_request"}, fmt::format("resource {} of a machine", resource));
  }
}

constexpr Row rows[] = {
    {"T7", "a parameter that comes twice", Need::client | Need::authorize, twice},
    {"T8", "a parameter without value", Need::client | Need::authorize, empty},
    {"T9", "an unknown parameter", Need::client | Need::authorize, unknown},
    {"T10", "a response_type other than code", Need::client | Need::authorize, response_types},
    {"T11", "a scope outside the grammar or the client's", Need::client | Need::authorize, scopes},
    {"T22", "mixing up authorization servers", flow, issuer_in_answers},
    {"T23", "a state of line breaks, quotes and excess", Need::client | Need::authorize, states},
    {"T24", "script in the parameters of our pages", Need::client | Need::authorize, reflected_script},
    {"T70", "prompt=none where somebody must act, and max_age", flow, prompts},
    {"T79", "a resource that is unknown or malformed", Need::client | Need::authorize, resources},
};

}  // namespace

std::span<const Row> request_rows() { return rows; }

}  // namespace troupe::attack
