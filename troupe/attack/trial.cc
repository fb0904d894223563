// See trial.h.
#include "troupe/attack/trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/evidence.h"
#include "troupe/crypto/digest.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::attack {
namespace {

constexpr std::size_t findings_max = 20;  // more of one row tell nothing new

bool is_one_of(std::string_view one, Errors all) { return std::ranges::find(all, one) != all.end(); }

std::string listed(Errors errors) { return fmt::format("{}", fmt::join(errors, " or ")); }

}  // namespace

Trial::Trial(const Target& target, Transport& transport)
    : target_(target), transport_(transport), random_(base::secure_random()) {
  const TargetOptions& given = target.options;
  for (const KnownClient* client : {&given.client, &given.other_client, &given.machine, &given.resource_server})
    secrets_.push_back(client->secret.expose());
  secrets_.push_back(given.user.password.expose());
  secrets_.push_back(given.victim.password.expose());
  secrets_.push_back(given.registration_token.expose());
}

Exchange Trial::send(Request request) { return send_at_once({std::move(request)}).front(); }

std::vector<Exchange> Trial::send_at_once(std::vector<Request> requests) {
  std::vector<Answer> answers = transport_.send_at_once(requests);
  std::vector<Exchange> exchanges;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    exchanges.push_back({std::move(requests[i]), std::move(answers.at(i))});
    notice(exchanges.back());
  }
  return exchanges;
}

Exchange Trial::post(const std::string& url, const wire::Form& form, std::vector<Field> fields) {
  fields.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  return send({"POST", url, std::move(fields), wire::write_form(form)});
}

Request Trial::request_as(const KnownClient& client, const std::string& url, wire::Form form) const {
  std::vector<Field> fields{{"Content-Type", "application/x-www-form-urlencoded"}};
  if (client.is_public() || client.sends == KnownClient::Sends::post) {
    form.add("client_id", client.id);
    if (!client.is_public()) form.add("client_secret", client.secret.expose());
  } else {
    fields.push_back({"Authorization", basic_header(client.id, client.secret.expose())});
  }
  return {"POST", url, std::move(fields), wire::write_form(form)};
}

Asked Trial::request_for(const KnownClient& client) {
  Asked asked;
  asked.verifier = random_text(48);
  asked.form = {{"response_type", "code"},
                {"client_id", client.id},
                {"redirect_uri", client.redirect_uri},
                {"scope", client.scope},
                {"state", random_text(16)},
                {"nonce", random_text(16)},
                {"code_challenge", wire::to_base64url(crypto::sha256(asked.verifier).view())},
                {"code_challenge_method", "S256"}};
  // OpenID Connect gives a refresh token only where the person is asked (Core, 11).
  if (client.scope.contains("offline_access")) asked.form.add("prompt", "consent");
  return asked;
}

std::string Trial::authorize_url(const wire::Form& form) const {
  return wire::add_query(endpoint("authorization_endpoint"), form);
}

Exchange Trial::authorize(const wire::Form& form) { return get(authorize_url(form)); }

Code Trial::code_for(const KnownClient& client, Browser& browser, const Asked& asked) {
  const Landing landing = browser.arrive(browser.open(authorize_url(asked.form)), given().user);
  for (const Exchange& step : landing.way) notice(step);
  if (!landing.callback) throw TargetFailed{"signing in did not lead to the client: " + shown(landing.last())};
  const std::string code = value_in(query_of(*landing.callback), "code");
  if (code.empty()) throw TargetFailed{"no code came: " + shown(landing.last())};
  return {code, asked.verifier, client.redirect_uri};
}

Code Trial::code_for(const KnownClient& client) {
  Browser fresh = browser(client);
  return code_for(client, fresh, request_for(client));
}

wire::Form Trial::redemption(const Code& code) const {
  return {{"grant_type", "authorization_code"},
          {"code", code.value},
          {"redirect_uri", code.redirect_uri},
          {"code_verifier", code.verifier}};
}

Tokens Trial::tokens_in(const Exchange& exchange) const {
  const std::string& body = exchange.answer.body;
  Tokens tokens{json_text(body, "access_token"), json_text(body, "refresh_token"), json_text(body, "id_token")};
  if (exchange.answer.status != 200 || tokens.access.empty()) throw TargetFailed{"no tokens came: " + shown(exchange)};
  return tokens;
}

Exchange Trial::refresh(const KnownClient& client, const std::string& refresh_token, const wire::Form& more) {
  if (refresh_token.empty()) throw NotApplicable{"the server gives these clients no refresh token"};
  wire::Form form{{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}};
  for (const auto& [name, value] : more) form.add(name, value);
  return token(client, form);
}

Exchange Trial::introspect(const std::string& token) {
  return post_as(target_.introspector(), endpoint("introspection_endpoint"), {{"token", token}});
}

Exchange Trial::userinfo(const std::string& token) {
  return get(endpoint("userinfo_endpoint"), {{"Authorization", "Bearer " + token}});
}

bool Trial::is_active(const std::string& token) {
  if (endpoint("introspection_endpoint").empty()) {
    if (endpoint("userinfo_endpoint").empty()) throw NotApplicable{"the server tells of no token whether it is active"};
    return userinfo(token).answer.status == 200;
  }
  const Exchange seen = introspect(token);
  const auto json = wire::parse_json(seen.answer.body);
  const wire::Json* active = json ? json->find("active") : nullptr;
  if (seen.answer.status != 200 || active == nullptr || active->boolean() == nullptr)
    throw TargetFailed{"introspection did not answer: " + shown(seen)};
  return *active->boolean();
}

bool Trial::expect(bool holds, std::string_view what, const Exchange& seen) {
  ++checks_;
  if (!holds) find(fmt::format("{}: {}", what, shown(seen)));
  return holds;
}

bool Trial::expect(bool holds, std::string_view what) {
  ++checks_;
  if (!holds) find(std::string{what});
  return holds;
}

bool Trial::expect_page(const Exchange& seen, std::string_view what) {
  const bool holds = seen.answer.status >= 400 && seen.answer.status < 500 && seen.answer.field("location").empty();
  return expect(holds, fmt::format("{}: should be a page with 4xx and no redirect", what), seen);
}

bool Trial::expect_sent_back(const Exchange& seen, const wire::Form& sent, Errors errors, std::string_view what) {
  const std::string location = seen.answer.field("location");
  const auto query = query_of(location);
  const bool is_redirect = seen.answer.status == 302 || seen.answer.status == 303;
  const bool holds = is_redirect && leads_to(location, value_in(sent, "redirect_uri")) &&
                     is_one_of(value_in(query, "error"), errors) &&
                     value_in(query, "state") == value_in(sent, "state") && !query.get("code");
  return expect(holds, fmt::format("{}: should go back to the client with {} and its state", what, listed(errors)),
                seen);
}

bool Trial::expect_refused(const Exchange& seen, Errors errors, std::string_view what) {
  const int status = seen.answer.status;
  const bool holds = (status == 400 || status == 401) && is_one_of(json_text(seen.answer.body, "error"), errors);
  return expect(holds, fmt::format("{}: should be refused with {}", what, listed(errors)), seen);
}

bool Trial::expect_status(const Exchange& seen, std::initializer_list<int> statuses, std::string_view what) {
  const bool holds = std::ranges::find(statuses, seen.answer.status) != statuses.end();
  return expect(holds, fmt::format("{}: should be answered with {}", what, fmt::join(statuses, " or ")), seen);
}

std::string Trial::random_text(std::size_t bytes) {
  std::string random(bytes, '\0');
  random_->fill(std::as_writable_bytes(std::span{random}));
  return wire::to_base64url(random).substr(0, bytes);
}

void Trial::notice(const Exchange& seen) {
  const int status = seen.answer.status;
  if (status == 0) find("no answer: " + shown(seen));
  if (status == 429) ++limited_;
  if (status == 500 || status == 502 || status == 504) find("the server failed: " + shown(seen));
}

void Trial::find(std::string finding) {
  if (findings_.size() < findings_max) findings_.push_back(std::move(finding));
}

std::string Trial::shown(const Exchange& seen) const { return text_of(seen, secrets_); }

std::string json_text(const std::string& json, std::string_view member) {
  const auto parsed = wire::parse_json(json);
  const std::string* text = parsed ? parsed->string_at(member) : nullptr;
  return text ? *text : std::string{};
}

std::string basic_header(std::string_view id, std::string_view secret) {
  return "Basic " + wire::to_base64(wire::form_encode(id) + ":" + wire::form_encode(secret));
}

bool leads_to(std::string_view location, std::string_view redirect_uri) {
  return !redirect_uri.empty() && location.starts_with(redirect_uri) && location.size() > redirect_uri.size() &&
         std::string_view{"?&#"}.contains(location[redirect_uri.size()]);
}

}  // namespace troupe::attack
