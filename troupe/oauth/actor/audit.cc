// See audit.h.
#include "troupe/oauth/actor/audit.h"

#include "troupe/crypto/digest.h"

namespace troupe::oauth {

AuditEvent Auditor::event(actor::Context& context, std::string_view kind, std::string_view reason) {
  return {.id = ids_.next(context.wall(), context.random()), .kind = std::string{kind}, .reason = std::string{reason}};
}

AuditEvent Auditor::event(actor::Context& context, const Cause& cause, std::string_view kind, std::string_view reason) {
  AuditEvent event = this->event(context, kind, reason);
  event.request = cause.request;
  event.done_by = cause.by;
  return event;
}

AuditEvent about(AuditEvent event, const ClientId& client) {
  event.client = client;
  return event;
}

AuditEvent about(AuditEvent event, const UserId& user) {
  event.user = audit_name_of(user);
  return event;
}

AuditEvent about(AuditEvent event, const crypto::TokenId& token) {
  event.token = token;
  return event;
}

std::string audit_name_of(const UserId& user) {
  return crypto::hex(crypto::sha256(user.value()).view().substr(0, 8));
}

AuditEvent about(AuditEvent event, const Grant& grant) {
  event = about(std::move(event), grant.client);
  if (grant.authentication) event = about(std::move(event), grant.authentication->user);
  event.family = grant.family;
  return event;
}

}  // namespace troupe::oauth
