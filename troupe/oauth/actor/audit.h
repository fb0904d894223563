// Auditor: writes what an actor did and why into the audit trail, in the same transaction as
// the deed itself. Owned by one actor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/storage/records.h"

namespace troupe::oauth {

class Auditor {
 public:
  /// An event that happens now. Keep it until its transaction and append it there.
  AuditEvent event(actor::Context& context, std::string_view kind, std::string_view reason = {});
  /// The same, with what it comes of.
  AuditEvent event(actor::Context& context, const Cause& cause, std::string_view kind, std::string_view reason = {});

 private:
  crypto::TokenIds ids_;
};

/// The event with what the grant says: its client, its family, its user by hash.
AuditEvent about(AuditEvent event, const Grant& grant);
AuditEvent about(AuditEvent event, const ClientId& client);
AuditEvent about(AuditEvent event, const UserId& user);
/// A code or token, by its public id.
AuditEvent about(AuditEvent event, const crypto::TokenId& token);
/// The name by which events know the user.
std::string audit_name_of(const UserId& user);

}  // namespace troupe::oauth
