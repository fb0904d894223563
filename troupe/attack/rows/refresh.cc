// Rows about refresh tokens: T40 to T44. A family ends together, and only its client goes on with it.
#include <fmt/format.h>

#include <set>
#include <sstream>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"

namespace troupe::attack {
namespace {

constexpr int uses_at_once = 100;

/// The client whose refresh tokens must rotate, if there is one.
const KnownClient& rotating(Trial& trial) {
  const TargetOptions& given = trial.given();
  return given.public_client.is_given() ? given.public_client : given.client;
}

void of_another_client(Trial& trial) {
  const Tokens tokens = trial.tokens_for(trial.given().client);
  trial.expect_refused(trial.refresh(trial.given().other_client, tokens.refresh), {"invalid_grant"},
                       "a refresh token at another client");
  trial.expect_status(trial.refresh(trial.given().client, tokens.refresh), {200}, "at its own client afterwards");
}

void reused_after_grace(Trial& trial) {
  const KnownClient& client = rotating(trial);
  const Tokens first = trial.tokens_for(client);
  const Tokens second = trial.tokens_in(trial.refresh(client, first.refresh));
  const bool rotates = !second.refresh.empty() && second.refresh != first.refresh;
  if (!rotates && !client.is_public())
    throw NotApplicable{"the server does not rotate refresh tokens of confidential clients"};
  if (!trial.expect(rotates, "a public client's refresh token must rotate (RFC 9700, 4.14.2)")) return;
  trial.transport().wait(*trial.given().refresh_grace + std::chrono::milliseconds{1200});
  trial.expect_refused(trial.refresh(client, first.refresh), {"invalid_grant"},
                       "a rotated refresh token after its grace");
  trial.expect_refused(trial.refresh(client, second.refresh), {"invalid_grant"}, "its successor after the reuse");
  trial.expect(!trial.is_active(second.access), "the access token of the family must be revoked after the reuse");
}

void used_at_once(Trial& trial) {
  const KnownClient& client = rotating(trial);
  const Tokens first = trial.tokens_for(client);
  if (first.refresh.empty()) throw NotApplicable{"the server gives these clients no refresh token"};
  const wire::Form form{{"grant_type", "refresh_token"}, {"refresh_token", first.refresh}};
  const std::vector<Request> same(uses_at_once, trial.request_as(client, trial.endpoint("token_endpoint"), form));
  std::set<std::string> successors;
  int granted = 0;
  for (const Exchange& one : trial.send_at_once(same)) {
    if (one.answer.status != 200) {
      trial.expect_refused(one, {"invalid_grant"}, "a refresh token used at once");
      continue;
    }
    ++granted;
    successors.insert(trial.tokens_in(one).refresh);
  }
  trial.expect(granted == 1 || granted == uses_at_once,
               fmt::format("of {} uses at once {} succeeded: neither one nor all", uses_at_once, granted));
  trial.expect(successors.size() == 1, fmt::format("{} successors of one refresh token, not one", successors.size()));
  if (granted != uses_at_once || successors.size() != 1 || successors.begin()->empty()) return;
  trial.expect_status(trial.refresh(client, *successors.begin()), {200}, "the one successor");
}

void wider(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Tokens tokens = trial.tokens_for(client);
  trial.expect_refused(trial.refresh(client, tokens.refresh, {{"scope", client.scope + " admin-of-everything"}}),
                       {"invalid_scope"}, "a refresh for more scope");
  trial.expect_refused(trial.refresh(client, tokens.refresh, {{"resource", "https://unknown.example/api"}}),
                       {"invalid_target"}, "a refresh for another resource");
  const std::string less = client.scope.substr(0, client.scope.find(' '));
  const auto narrowed = trial.refresh(client, tokens.refresh, {{"scope", less}});
  trial.expect_status(narrowed, {200}, "a refresh for less scope");
  trial.expect(json_text(narrowed.answer.body, "scope") == less || less == client.scope,
               "the answer must state a scope that is less", narrowed);
}

/// Scopes of the client that neither make it OpenID Connect nor outlive the session; "" where there are none.
std::string bound_scope(const KnownClient& client) {
  std::string bound, word;
  for (std::istringstream words{client.scope}; words >> word;) {
    if (word != "openid" && word != "offline_access") bound += (bound.empty() ? "" : " ") + word;
  }
  return bound;
}

/// What was given without offline_access ends with the session (OpenID Connect Back-Channel Logout, 2.7).
void after_sign_out(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const std::string scope = bound_scope(client);
  if (scope.empty()) return;
  Browser browser = trial.browser(client);
  const Tokens hint = trial.tokens_in(trial.redeem(client, trial.code_for(client, browser, trial.request_for(client))));
  auto asked = trial.request_for(client);
  asked.form = with(without(asked.form, "prompt"), "scope", scope);
  const Tokens bound = trial.tokens_in(trial.redeem(client, trial.code_for(client, browser, asked)));
  if (bound.refresh.empty()) return;
  const wire::Form leaving{{"id_token_hint", hint.id}, {"client_id", client.id}};
  Landing end = browser.open(wire::add_query(trial.endpoint("end_session_endpoint"), leaving));
  const auto forms = forms_in(end.page());
  if (!forms.empty() && agreeing_button(forms.front()))
    end = browser.submit(end, forms.front(), {}, agreeing_button(forms.front()));
  trial.expect_refused(trial.refresh(client, bound.refresh), {"invalid_grant"},
                       "a refresh token without offline_access after sign-out");
}

void after_the_end(Trial& trial) {
  const KnownClient& client = trial.given().client;
  if (const auto revocation = trial.endpoint("revocation_endpoint"); !revocation.empty()) {
    const Tokens tokens = trial.tokens_for(client);
    trial.expect_status(trial.post_as(client, revocation, {{"token", tokens.refresh}}), {200},
                        "revoking a refresh token");
    trial.expect_refused(trial.refresh(client, tokens.refresh), {"invalid_grant"},
                         "a refresh token after its revocation");
  }
  if (!trial.endpoint("end_session_endpoint").empty()) after_sign_out(trial);
}

constexpr Row rows[] = {
    {"T40", "another client's refresh token", flow | Need::other_client, of_another_client},
    {"T41", "a rotated refresh token after its grace", flow | Need::refresh_grace, reused_after_grace},
    {"T42", "the same refresh token a hundred times at once", flow, used_at_once},
    {"T43", "a refresh for more scope or another resource", flow, wider},
    {"T44", "a refresh token after revocation and sign-out", flow, after_the_end},
};

}  // namespace

std::span<const Row> refresh_rows() { return rows; }

}  // namespace troupe::attack
