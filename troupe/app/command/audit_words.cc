// See audit_words.h. An event that has no row here is told by its name.
#include "troupe/app/command/audit_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace troupe::app {
namespace {

struct Words {
  std::string_view name;
  std::string_view words;
};

constexpr std::array kinds = {
    Words{"administration_refused", "Somebody tried to administer who may not"},
    Words{"audit_removed", "Old events were removed, their time being over"},
    Words{"client_deleted", "A client was removed, and every token of it with it"},
    Words{"client_refused", "A client was not let in"},
    Words{"client_registered", "A client was registered"},
    Words{"client_secret_renewed", "A client got another secret"},
    Words{"client_updated", "A client was changed"},
    Words{"code_made", "A code was made for what the user had agreed to"},
    Words{"code_redeemed", "A code was redeemed"},
    Words{"code_refused", "A code was refused, and is as good as before"},
    Words{"code_replay", "A code was shown a second time, so all tokens that came of it were taken back"},
    Words{"consent_denied", "The user refused what the client asked for"},
    Words{"consent_given", "The user agreed to what the client asked for"},
    Words{"consent_revoked", "The user took back what the client had been allowed, and its tokens"},
    Words{"family_revoked", "All tokens of a grant were taken back"},
    Words{"introspection_refused", "A client asked what a token stands for that it may not know"},
    Words{"key_revoked", "A signing key was revoked, and what it had signed is accepted no longer"},
    Words{"keys_made", "Signing keys were made"},
    Words{"keys_rotated", "New keys sign from now on"},
    Words{"keys_sealed", "The server's keys were sealed anew, as the encryption key says"},
    Words{"login_failed", "A sign-in failed"},
    Words{"login_refused", "A sign-in was not looked at"},
    Words{"login_succeeded", "A user signed in"},
    Words{"logout_failed", "A client could not be told that a session had ended"},
    Words{"logout_told", "A client was told that a session had ended"},
    Words{"password_change_failed", "A password was not changed"},
    Words{"password_changed", "A password was changed; all sessions and tokens before it ended"},
    Words{"refresh_refused", "A refresh token was refused"},
    Words{"refresh_token_reuse",
          "A refresh token was used again after its time, so all tokens of the grant were taken back"},
    Words{"refresh_token_used", "A refresh token gave new tokens"},
    Words{"registration_refused", "A registration was refused"},
    Words{"revocation_refused", "A client tried to take back a token that is not its own"},
    Words{"session_ended", "A session ended"},
    Words{"session_started", "A session began"},
    Words{"sessions_ended", "Other sessions of the user ended"},
    Words{"token_issued", "An access token was issued"},
    Words{"token_refused", "No token was issued"},
    Words{"token_revoked", "A token was taken back"},
    Words{"user_added", "A user was added"},
    Words{"user_disabled", "A user was disabled; their sessions and tokens ended"},
    Words{"user_enabled", "A user may sign in again"},
    Words{"user_removed", "A user was removed, and their tokens with them"},
    Words{"user_updated", "A user got another name or address"},
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
  if (space == std::string_view::npos || event.kind.starts_with("custom.")) return find(reasons, reason);
  return find(reasons, reason.substr(0, space)) + std::string{reason.substr(space)};
}

}  // namespace

std::string in_words(const oauth::AuditEvent& event) {
  std::string words = find(kinds, event.kind);
  if (event.client) words += fmt::format(", client {}", event.client->value());
  if (event.user) words += fmt::format(", user {}", *event.user);
  if (!event.reason.empty()) words += fmt::format(": {}", reason_in_words(event));
  words += '.';
  if (!event.done_by.empty()) words += fmt::format(" Done by: {}.", event.done_by);
  return words;
}

}  // namespace troupe::app
