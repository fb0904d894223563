// Rows that need more than HTTP: the server's machine, its clock, an administrator or a stopwatch.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"

namespace troupe::attack {
namespace {

void leaks(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const Code code = trial.code_for(client);
  const Tokens tokens = trial.tokens_in(trial.redeem(client, code));
  const auto metrics = trial.get(origin_of(trial.target().issuer) + "/metrics");
  if (metrics.answer.status != 200)
    throw NotApplicable{"logs and traces are not shown over HTTP, and there is no /metrics"};
  for (const std::string& secret : {code.value, code.verifier, tokens.access, tokens.refresh, tokens.id,
                                    client.secret.expose(), trial.given().user.password.expose()}) {
    trial.expect(secret.empty() || !metrics.answer.body.contains(secret), "the metrics must hold no secret");
  }
  trial.expect(!metrics.answer.body.contains(client.id), "the metrics must have no label by client");
}

void admin_api(Trial& trial) {
  const std::string url = trial.given().admin_url;
  trial.expect_status(trial.get(url), {401}, "administration without a token");
  trial.expect_status(trial.get(url, {{"Authorization", "Bearer " + trial.random_text(43)}}), {401},
                      "with a made-up token");
  const Tokens tokens = trial.tokens_for(trial.given().client);
  trial.expect_status(trial.get(url, {{"Authorization", "Bearer " + tokens.access}}), {401, 403},
                      "with a user's token");
  if (!tokens.id.empty())
    trial.expect_status(trial.get(url, {{"Authorization", "Bearer " + tokens.id}}), {401, 403}, "with an ID token");
  const auto changed = trial.send(
      {"POST", url, {{"Authorization", "Bearer " + tokens.access}, {"Content-Type", "application/json"}}, "{}"});
  trial.expect_status(changed, {401, 403, 404, 405}, "a change with a user's token");
}

constexpr Row rows[] = {
    {"T34", "how long comparisons of secrets take", Need::elsewhere, nullptr,
     "needs ten thousand samples on a quiet machine; comparisons are in constant time by construction"},
    {"T72", "secrets in metrics", flow, leaks},
    {"T76", "kill -9 in the middle of anything", Need::elsewhere, nullptr, "needs the server's machine"},
    {"T77", "a clock that jumps", Need::elsewhere, nullptr, "needs the server's clock"},
    {"T80", "administration without the scope", flow | Need::admin, admin_api},
};

}  // namespace

std::span<const Row> elsewhere_rows() { return rows; }

}  // namespace troupe::attack
