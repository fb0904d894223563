// Events in plain words.
#include "troupe/app/command/audit_words.h"

#include <doctest/doctest.h>

namespace troupe::app {
namespace {

TEST_CASE("an event is told in words, with whom it concerns, why, and by whom") {
  CHECK_EQ(in_words({.kind = "code_refused", .client = oauth::ClientId{"c_x"}, .reason = "another_client"}),
           "A code was refused, and is as good as before, client c_x: it belongs to another client.");
  CHECK_EQ(in_words({.kind = "user_disabled", .user = "00ff", .done_by = "command line"}),
           "A user was disabled; their sessions and tokens ended, user 00ff. Done by: command line.");
}

TEST_CASE("what concerns keys, secrets, sign-outs and those who administer has words as well") {
  CHECK_EQ(
      in_words({.kind = "administration_refused", .client = oauth::ClientId{"c_x"}, .reason = "lacks admin.users"}),
      "Somebody tried to administer who may not, client c_x: the token lacks admin.users.");
  CHECK_EQ(in_words({.kind = "key_revoked", .reason = "kid-1"}),
           "A signing key was revoked, and what it had signed is accepted no longer: kid-1.");
  CHECK_EQ(in_words({.kind = "keys_sealed", .reason = "start"}),
           "The server's keys were sealed anew, as the encryption key says: the server has started.");
  CHECK_EQ(in_words({.kind = "client_secret_renewed", .client = oauth::ClientId{"c_x"}}),
           "A client got another secret, client c_x.");
  CHECK_EQ(in_words({.kind = "logout_failed", .client = oauth::ClientId{"c_x"}, .reason = "answered 400"}),
           "A client could not be told that a session had ended, client c_x: answered 400.");
  CHECK(in_words({.kind = "logout_told"}).starts_with("A client was told"));
}

TEST_CASE("what stands behind the name of a reason is told as it stands") {
  CHECK_EQ(in_words({.kind = "revocation_refused", .client = oauth::ClientId{"c_x"}, .reason = "another_client c_y"}),
           "A client tried to take back a token that is not its own, client c_x: it belongs to another client c_y.");
  CHECK_EQ(in_words({.kind = "client_refused", .reason = "wrong_secret (after 3 refusals that were only counted)"}),
           "A client was not let in: the secret is wrong (after 3 refusals that were only counted).");
  CHECK_EQ(in_words({.kind = "client_updated", .reason = "disabled, scope"}), "A client was changed: disabled, scope.");
  CHECK_EQ(in_words({.kind = "client_updated", .reason = "by_itself (scope)"}),
           "A client was changed: by itself (scope).");
  CHECK_EQ(in_words({.kind = "client_registered", .reason = "pkce_optional"}),
           "A client was registered: it may do without PKCE.");
  CHECK_EQ(in_words({.kind = "custom.x", .reason = "busy at noon"}), "custom.x: busy at noon.");
}

TEST_CASE("an event or reason that has no words is told by its name") {
  CHECK_EQ(in_words({.kind = "custom.invoice_paid", .reason = "42 EUR"}), "custom.invoice_paid: 42 EUR.");
}

}  // namespace
}  // namespace troupe::app
