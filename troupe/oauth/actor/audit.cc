// See audit.h.
#include "troupe/oauth/actor/audit.h"

#include "troupe/crypto/digest.h"

namespace troupe::oauth {

AuditEvent Auditor::event(actor::Context& context, std::string_view kind, std::string_view reason) {
  return {.id = ids_.next(context.wall(), context.random()),
          .kind = std::string{kind},
          .client = std::nullopt,
          .user = std::nullopt,
          .family = std::nullopt,
          .reason = std::string{reason}};
}

AuditEvent about(AuditEvent event, const ClientId& client) {
  event.client = client;
  return event;
}

AuditEvent about(AuditEvent event, const UserId& user) {
  event.user = crypto::hex(crypto::sha256(user.value()).view().substr(0, 8));
  return event;
}

AuditEvent about(AuditEvent event, const Grant& grant) {
  event = about(std::move(event), grant.client);
  if (grant.authentication) event = about(std::move(event), grant.authentication->user);
  event.family = grant.family;
  return event;
}

}  // namespace troupe::oauth
