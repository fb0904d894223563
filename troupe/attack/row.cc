// See row.h.
#include "troupe/attack/row.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"

namespace troupe::attack {
namespace {

using Reason = std::pair<Need, std::string_view>;

/// What the target lacks of the people and clients that were given.
std::string lacking(Need needs, const Target& target) {
  const TargetOptions& given = target.options;
  const bool has_loopback = given.public_client.redirect_uri.starts_with("http://127.0.0.1");
  const std::array<std::pair<Reason, bool>, 11> all = {{
      {{Need::client, "no confidential client was given ([client])"}, given.client.is_given()},
      {{Need::other_client, "no second client was given ([other_client])"}, given.other_client.is_given()},
      {{Need::public_client, "no public client was given ([public_client])"}, given.public_client.is_given()},
      {{Need::machine, "no client with client_credentials was given ([machine])"}, given.machine.is_given()},
      {{Need::user, "no user was given ([user])"}, given.user.is_given()},
      {{Need::victim, "no account to attack was given ([victim])"}, given.victim.is_given()},
      {{Need::code_lifetime, "code_lifetime was not given"}, given.code_lifetime.has_value()},
      {{Need::refresh_grace, "refresh_grace was not given"}, given.refresh_grace.has_value()},
      {{Need::disabled_client, "disabled_client was not given"}, !given.disabled_client.empty()},
      {{Need::admin, "admin_url was not given"}, !given.admin_url.empty()},
      {{Need::loopback, "the public client has no redirect URI at http://127.0.0.1"}, has_loopback},
  }};
  for (const auto& [reason, is_there] : all) {
    if (has(needs, reason.first) && !is_there) return std::string{reason.second};
  }
  return {};
}

}  // namespace

std::string_view text(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::passed:
      return "pass";
    case Outcome::failed:
      return "FAIL";
    case Outcome::not_applicable:
      return "not applicable";
  }
  return "";
}

std::string missing(const Row& row, const Target& target) {
  if (has(row.needs, Need::elsewhere)) return std::string{row.why_elsewhere};
  constexpr std::array<std::pair<Need, std::string_view>, 6> endpoints = {{
      {Need::authorize, "authorization_endpoint"},
      {Need::introspect, "introspection_endpoint"},
      {Need::revoke, "revocation_endpoint"},
      {Need::userinfo, "userinfo_endpoint"},
      {Need::logout, "end_session_endpoint"},
      {Need::registration, "registration_endpoint"},
  }};
  for (const auto& [need, name] : endpoints) {
    if (has(row.needs, need) && target.endpoint(name).empty()) return "the server offers no " + std::string{name};
  }
  if (has(row.needs, Need::assertion) && !target.lists("token_endpoint_auth_methods_supported", "private_key_jwt"))
    return "the server does not offer private_key_jwt";
  return lacking(row.needs, target);
}

Verdict judge(const Row& row, const Target& target, Transport& transport) {
  Verdict verdict{std::string{row.id}, std::string{row.title}, Outcome::failed, {}};
  if (auto reason = missing(row, target); !reason.empty()) {
    verdict.outcome = Outcome::not_applicable;
    verdict.reasons = {std::move(reason)};
    return verdict;
  }
  Trial trial{target, transport};
  try {
    row.run(trial);
    verdict.reasons = trial.findings();
  } catch (const NotApplicable& reason) {
    verdict.reasons = trial.findings();
    if (verdict.reasons.empty()) {
      verdict.outcome = Outcome::not_applicable;
      verdict.reasons = {reason.what()};
      return verdict;
    }
  } catch (const TargetFailed& failure) {
    verdict.reasons = trial.findings();
    verdict.reasons.emplace_back(failure.what());
  }
  verdict.checks = trial.checks();
  if (verdict.reasons.empty() && verdict.checks == 0) verdict.reasons = {"nothing was checked"};
  verdict.outcome = verdict.reasons.empty() ? Outcome::passed : Outcome::failed;
  if (verdict.outcome == Outcome::failed && trial.limited() > 0) {
    verdict.reasons.push_back(
        fmt::format("{} answers were 429: what failed may be the target's own rate limits; raise them for this run",
                    trial.limited()));
  }
  return verdict;
}

std::vector<Row> all_rows() {
  std::vector<Row> all;
  for (const auto rows : {redirect_rows(), request_rows(), code_rows(), pkce_rows(), client_rows(), refresh_rows(),
                          token_rows(), jwt_rows(), page_rows(), logout_rows(), registration_rows(), limit_rows(),
                          transport_rows(), elsewhere_rows(), sign_in_rows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace troupe::attack
