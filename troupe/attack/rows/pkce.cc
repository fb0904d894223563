// Rows about PKCE (RFC 7636): T18 to T20.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/crypto/digest.h"
#include "troupe/wire/base64.h"

namespace troupe::attack {
namespace {

void wrong_verifier(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  const auto form = trial.redemption(code);
  trial.expect_refused(trial.token(client, without(form, "code_verifier")), {"invalid_grant", "invalid_request"},
                       "no verifier");
  std::string changed = code.verifier;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  for (const std::string& wrong :
       {trial.random_text(43), changed, code.verifier.substr(0, 42), std::string(129, 'a'), std::string(42, 'a') + "!",
        std::string(43, ' '), std::string(43, '\x01'), wire::to_base64url(crypto::sha256(code.verifier).view())}) {
    trial.expect_refused(trial.token(client, with(form, "code_verifier", wrong)), {"invalid_grant", "invalid_request"},
                         "a wrong or malformed verifier");
  }
  trial.expect_status(trial.token(client, form), {200}, "the right verifier afterwards");
}

wire::Form without_challenge(const wire::Form& form) {
  return without(without(form, "code_challenge"), "code_challenge_method");
}

/// Somebody took the challenge out of the request. Either the request is refused for it, or the verifier is.
void downgrade(Trial& trial) {
  const KnownClient& client = trial.given().client;
  auto asked = trial.request_for(client);
  asked.form = without_challenge(asked.form);
  const auto seen = trial.authorize(asked.form);
  if (!value_in(query_of(seen.answer.field("location")), "error").empty()) {
    trial.expect_sent_back(seen, asked.form, {"invalid_request"}, "a request without challenge");
    return;
  }
  Browser browser = trial.browser(client);
  const Code code = trial.code_for(client, browser, asked);
  trial.expect_refused(trial.redeem(client, code), {"invalid_grant", "invalid_request"},
                       "a verifier where the request had no challenge");
}

void weak_methods(Trial& trial) {
  const auto asked = trial.request_for(trial.given().client);
  for (const char* method : {"plain", "s256", "S512", "none"}) {
    const auto sent = with(asked.form, "code_challenge_method", method);
    trial.expect_sent_back(trial.authorize(sent), sent, {"invalid_request"}, fmt::format("the method {}", method));
  }
  const auto implied = without(asked.form, "code_challenge_method");  // which means plain
  trial.expect_sent_back(trial.authorize(implied), implied, {"invalid_request"}, "no method");
  const auto lone = without(asked.form, "code_challenge");
  trial.expect_sent_back(trial.authorize(lone), lone, {"invalid_request"}, "a method without challenge");
  for (const std::string& challenge : {std::string{"abc"}, std::string(43, '!'), std::string(200, 'a')}) {
    const auto sent = with(asked.form, "code_challenge", challenge);
    trial.expect_sent_back(trial.authorize(sent), sent, {"invalid_request"}, "a challenge outside the grammar");
  }
  if (!trial.given().public_client.is_given()) return;
  const auto bare = without_challenge(trial.request_for(trial.given().public_client).form);
  trial.expect_sent_back(trial.authorize(bare), bare, {"invalid_request"}, "a public client without PKCE");
}

constexpr Row rows[] = {
    {"T18", "a PKCE verifier that is missing, wrong or outside the grammar", flow, wrong_verifier},
    {"T19", "a verifier where the request had no challenge", flow, downgrade},
    {"T20", "weak PKCE methods, and none", Need::client | Need::authorize, weak_methods},
};

}  // namespace

std::span<const Row> pkce_rows() { return rows; }

}  // namespace troupe::attack
