// See audit_words.h. An event that has no row here is told by its name.
#include "troupe/app/command/audit_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "troupe/oauth/storage/audit_kinds.h"

namespace troupe::app {
namespace {

struct Words {
  std::string_view name;
  std::string_view words;
};

constexpr std::array reasons = {
    Words{"another_audience", "the token is for somebody else"},
    Words{"another_client", "it belongs to another client"},
    Words{"another_grant", "it is not registered for that grant"},
    Words{"another_method", "it proves itself in a way that it is not registered for"},
    Words{"another_redirect_uri", "the redirect URI is not the one that was sent at first"},
    Words{"another_target", "the resource is not among those that were granted"},
    Words{"authorization_code", "its code was redeemed"},
    Words{"busy", "the server had too much to do"},
    Words{"by_itself", "by itself"},
    Words{"by_its_user", "its user wanted it"},
    Words{"by_their_user", "their user wanted it"},
    Words{"client_credentials", "the client acts for itself"},
    Words{"consent_revoked", "the user had taken back what they agreed to"},
    Words{"disabled", "it is disabled"},
    Words{"enabled", "it is let in again"},
    Words{"expired", "its time was over"},
    Words{"grant_is_over", "what was granted is over"},
    Words{"in_a_persons_name", "a token in a person's name opens nothing there"},
    Words{"invalid_token", "the token is not good"},
    Words{"lacks", "the token lacks"},
    Words{"logout", "the user signed out"},
    Words{"no_token", "no token was shown"},
    Words{"pkce_failed", "the verifier does not prove the challenge"},
    Words{"pkce_optional", "it may do without PKCE"},
    Words{"redirect_uri_is_gone", "its client has registered that redirect URI no more"},
    Words{"redirect_uri_missing", "the redirect URI that was sent at first is missing"},
    Words{"replay", "it had been used before"},
    Words{"request", "it was asked for"},
    Words{"revoked_by_client", "its client wanted it"},
    Words{"scope_is_gone", "nothing is left to its client of what was granted"},
    Words{"schedule", "it was due"},
    Words{"slow_down", "there were too many wrong passwords before"},
    Words{"start", "the server has started"},
    Words{"too_many", "the user had as many as they may"},
    Words{"unknown", "nobody knows it here"},
    Words{"unknown_client", "there is no such client"},
    Words{"unknown_user", "there is no such user"},
    Words{"unused", "it had not been used for too long"},
    Words{"used_before", "it had been used before"},
    Words{"wider_scope", "it asks for more than it may have"},
    Words{"wrong_password", "the password is wrong"},
    Words{"wrong_secret", "the secret is wrong"},
};

std::string find(std::span<const Words> table, std::string_view name) {
  const auto row = std::ranges::find(table, name, &Words::name);
  return std::string{row != table.end() ? row->words : name};
}

/// A reason that begins with a name of ours may say more behind it: which client, or how often.
std::string reason_in_words(const oauth::AuditEvent& event) {
  const std::string_view reason = event.reason;
  const auto space = reason.find(' ');
  if (space == std::string_view::npos || oauth::is_custom_kind(event.kind)) return find(reasons, reason);
  return find(reasons, reason.substr(0, space)) + std::string{reason.substr(space)};
}

}  // namespace

std::string in_words(const oauth::AuditEvent& event) {
  std::string words{oauth::words_of_kind(event.kind).value_or(event.kind)};
  if (event.client) words += fmt::format(", client {}", event.client->value());
  if (event.user) words += fmt::format(", user {}", *event.user);
  if (!event.reason.empty()) words += fmt::format(": {}", reason_in_words(event));
  words += '.';
  if (!event.done_by.empty()) words += fmt::format(" Done by: {}.", event.done_by);
  return words;
}

}  // namespace troupe::app
