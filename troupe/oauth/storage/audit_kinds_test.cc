// The kinds of events.
#include "troupe/oauth/storage/audit_kinds.h"

#include <doctest/doctest.h>

#include "troupe/oauth/storage/audit_verifier.h"

namespace troupe::oauth {
namespace {

TEST_CASE("a kind of ours has words, one of others is known by its prefix, and nothing else is a kind") {
  CHECK(words_of_kind("code_redeemed") == "A code was redeemed");
  CHECK(is_audit_kind("code_redeemed"));
  CHECK(is_audit_kind(audit_removal_kind));
  CHECK_FALSE(words_of_kind("custom.invoice_paid").has_value());
  CHECK(is_audit_kind("custom.invoice_paid"));
  for (const auto* none : {"", "code_redeem", "custom", "invoice_paid"}) CHECK_FALSE(is_audit_kind(none));
}

}  // namespace
}  // namespace troupe::oauth
