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

TEST_CASE("what stands behind the name of a reason is told as it stands") {
  CHECK_EQ(in_words({.kind = "revocation_refused", .client = oauth::ClientId{"c_x"}, .reason = "another_client c_y"}),
           "A client tried to take back a token that is not its own, client c_x: it belongs to another client c_y.");
  CHECK_EQ(in_words({.kind = "client_refused", .reason = "wrong_secret (after 3 refusals that were only counted)"}),
           "A client was not let in: the secret is wrong (after 3 refusals that were only counted).");
  CHECK_EQ(in_words({.kind = "custom.x", .reason = "busy at noon"}), "custom.x: busy at noon.");
}

TEST_CASE("an event or reason that has no words is told by its name") {
  CHECK_EQ(in_words({.kind = "custom.invoice_paid", .reason = "42 EUR"}), "custom.invoice_paid: 42 EUR.");
}

}  // namespace
}  // namespace troupe::app
