// See audit_kinds.h.
#include "troupe/oauth/storage/audit_kinds.h"

#include <algorithm>
#include <array>

namespace troupe::oauth {
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

}  // namespace

std::optional<std::string_view> words_of_kind(std::string_view kind) noexcept {
  const auto* row = std::ranges::find(kinds, kind, &Words::name);
  if (row == kinds.end()) return std::nullopt;
  return row->words;
}

bool is_custom_kind(std::string_view kind) noexcept { return kind.starts_with("custom."); }

bool is_audit_kind(std::string_view kind) noexcept { return words_of_kind(kind) || is_custom_kind(kind); }

}  // namespace troupe::oauth
