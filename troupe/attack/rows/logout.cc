// Rows about signing out: T68 and T69.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/crypto/key.h"
#include "troupe/crypto/signature.h"
#include "troupe/wire/base64.h"

namespace troupe::attack {
namespace {

bool is_signed_in(Trial& trial, Browser browser) {
  const auto quiet = with(with(trial.request_for(trial.given().client).form, "prompt", "none"), "scope", "openid");
  const auto seen = browser.send({.url = trial.authorize_url(quiet)});
  return value_in(query_of(seen.answer.field("location")), "error") != "login_required";
}

/// The ID token with another signature, by a key that nobody knows.
std::string resigned(const std::string& id_token) {
  crypto::Signer signer{crypto::PrivateKey::generate(crypto::Algorithm::es256)};
  const auto first = id_token.find('.');
  const std::string input =
      wire::to_base64url(R"({"alg":"ES256","typ":"JWT"})") + id_token.substr(first, id_token.rfind('.') - first);
  return input + "." + wire::to_base64url(signer.sign(input));
}

void foreign_hints(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const std::string url = trial.endpoint("end_session_endpoint");
  Browser browser = trial.browser(client);
  const Tokens tokens =
      trial.tokens_in(trial.redeem(client, trial.code_for(client, browser, trial.request_for(client))));
  if (tokens.id.empty()) throw NotApplicable{"the client gets no ID token"};
  const auto first = tokens.id.find('.'), second = tokens.id.rfind('.');
  const std::string none = wire::to_base64url(R"({"alg":"none"})") + tokens.id.substr(first, second - first) + ".";
  for (const std::string& hint :
       {std::string{}, std::string{"x"}, none, resigned(tokens.id), tokens.id.substr(0, second + 1), tokens.access}) {
    wire::Form form{{"post_logout_redirect_uri", client.redirect_uri}, {"state", "s"}};
    if (!hint.empty()) form.add("id_token_hint", hint);
    const Exchange seen = browser.send({.url = wire::add_query(url, form)});
    trial.expect(!seen.answer.field("location").starts_with(client.redirect_uri), "a foreign hint must lead nowhere",
                 seen);
    trial.expect(is_signed_in(trial, browser), "a request to sign out without a genuine hint must be a question", seen);
  }
  const Exchange evil =
      browser.send({.url = wire::add_query(
                        url, {{"id_token_hint", tokens.id}, {"post_logout_redirect_uri", "https://evil.example/"}})});
  trial.expect(!evil.answer.field("location").contains("evil.example"), "a genuine hint must not open other addresses",
               evil);
}

constexpr Row rows[] = {
    {"T68", "signing out with somebody else's ID token", flow | Need::logout, foreign_hints},
    {"T69", "back-channel logout", Need::elsewhere, nullptr,
     "the client's side of it must be a server that the target reaches"},
};

}  // namespace

std::span<const Row> logout_rows() { return rows; }

}  // namespace troupe::attack
