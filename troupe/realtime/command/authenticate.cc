// Authenticating: verify, admit, adopt, and end what is no longer permitted.
#include "troupe/realtime/command/authenticate.h"

#include "troupe/realtime/command/forbidden.h"

namespace troupe::realtime {

actor::Task<void> run(Authenticate command, OptionalId id, Client& client) {
  auto identity = co_await client.verify(std::move(command.token));
  if (!identity) {
    client.answer(finished(identity.error(), id));
    co_return;
  }
  auto& session = client.session();
  if (client.has_user() && identity->user != session.identity.user) {
    refuse(client, id, ErrorCode::forbidden, "the token is another user's");
    co_return;
  }
  const bool admitted = co_await client.admit(identity->user, id);
  if (!admitted) co_return;
  client.answer(finished(Authenticated{identity->user, identity->expires_at}, id));
  co_await client.adopt(*std::move(identity));
  end_forbidden(client);
}

}  // namespace troupe::realtime
