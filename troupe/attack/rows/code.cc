// Rows about authorization codes: T12 to T17 and T21. A code is spent once, by whom it was made for.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"

namespace troupe::attack {
namespace {

constexpr int redemptions_at_once = 1000;

/// What the first redemption gave must be worth nothing any more.
void expect_taken_back(Trial& trial, const KnownClient& client, const Tokens& tokens) {
  trial.expect(!trial.is_active(tokens.access), "the access token of a replayed code must be revoked");
  if (tokens.refresh.empty()) return;
  trial.expect_refused(trial.refresh(client, tokens.refresh), {"invalid_grant"},
                       "the refresh token of a replayed code");
}

void replayed(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  const Tokens tokens = trial.tokens_in(trial.redeem(client, code));
  trial.expect(trial.is_active(tokens.access), "a fresh access token must be active");
  trial.expect_refused(trial.redeem(client, code), {"invalid_grant"}, "the second redemption");
  expect_taken_back(trial, client, tokens);
}

void replayed_at_once(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  const std::vector<Request> same(redemptions_at_once,
                                  trial.request_as(client, trial.endpoint("token_endpoint"), trial.redemption(code)));
  const auto seen = trial.send_at_once(same);
  std::vector<Tokens> granted;
  for (const Exchange& one : seen) {
    if (one.answer.status == 200) {
      granted.push_back(trial.tokens_in(one));
    } else {
      trial.expect_refused(one, {"invalid_grant"}, "all but one of the redemptions at once");
    }
  }
  trial.expect(granted.size() == 1,
               fmt::format("of {} redemptions at once {} succeeded, not one", seen.size(), granted.size()));
  for (const Tokens& tokens : granted) expect_taken_back(trial, client, tokens);
}

void of_another_client(Trial& trial) {
  const Code code = trial.code_for(trial.given().client);
  trial.expect_refused(trial.redeem(trial.given().other_client, code), {"invalid_grant"}, "a code at another client");
  trial.expect_status(trial.redeem(trial.given().client, code), {200}, "the code at its own client afterwards");
}

void guessed(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  std::vector<std::string> wrong = {code.value + "A",
                                    code.value.substr(0, code.value.size() - 1),
                                    code.value.substr(1),
                                    trial.random_text(code.value.size()),
                                    "x",
                                    "' OR 1=1 --",
                                    "\xe2\x98\x83",
                                    code.value + " "};
  for (std::size_t at = 0; at < code.value.size(); at += std::max<std::size_t>(1, code.value.size() / 16)) {
    std::string flipped = code.value;
    flipped[at] = flipped[at] == 'A' ? 'B' : 'A';
    if (flipped != code.value) wrong.push_back(flipped);
  }
  for (const std::string& guess : wrong) {
    Code other = code;
    other.value = guess;
    trial.expect_refused(trial.redeem(client, other), {"invalid_grant"}, "a guessed, cut or changed code");
  }
  trial.expect_status(trial.redeem(client, code), {200}, "the code itself after all guesses");
}

void expired(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  trial.transport().wait(*trial.given().code_lifetime + std::chrono::seconds{1});
  trial.expect_refused(trial.redeem(client, code), {"invalid_grant"}, "a code after its lifetime");
}

void another_redirect_uri(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  const auto form = trial.redemption(code);
  for (const std::string& wrong :
       {client.redirect_uri + "/2", client.redirect_uri + "/", std::string{"https://evil.example/"}})
    trial.expect_refused(trial.token(client, with(form, "redirect_uri", wrong)), {"invalid_grant"},
                         "another redirect_uri");
  trial.expect_refused(trial.token(client, without(form, "redirect_uri")), {"invalid_request", "invalid_grant"},
                       "no redirect_uri though it was sent");
  trial.expect_status(trial.token(client, form), {200}, "the right redirect_uri afterwards");
}

/// The victim's code comes to the attacker's own session, whose verifier is another one.
void injected(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code of_victim = trial.code_for(client);
  const Code of_attacker = trial.code_for(client);
  Code injected = of_victim;
  injected.verifier = of_attacker.verifier;
  trial.expect_refused(trial.redeem(client, injected), {"invalid_grant"},
                       "a code in a session that did not ask for it");
  auto bare = trial.request_for(client).form;
  for (const char* name : {"code_challenge", "code_challenge_method", "nonce"}) bare = without(bare, name);
  trial.expect_sent_back(trial.authorize(bare), bare, {"invalid_request"}, "a request with neither PKCE nor nonce");
}

constexpr Row rows[] = {
    {"T12", "a code used twice, one after the other", flow, replayed},
    {"T13", "a code used a thousand times at once", flow, replayed_at_once},
    {"T14", "another client's code", flow | Need::other_client, of_another_client},
    {"T15", "a code guessed, cut or with a bit flipped", flow, guessed},
    {"T16", "a code after its lifetime", flow | Need::code_lifetime, expired},
    {"T17", "another redirect URI at the token endpoint, or none", flow, another_redirect_uri},
    {"T21", "a code injected into another session", flow, injected},
};

}  // namespace

std::span<const Row> code_rows() { return rows; }

}  // namespace troupe::attack
