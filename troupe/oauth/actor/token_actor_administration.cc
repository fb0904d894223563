// Token Actor: what is taken back by those who may, and what is listed for those who administer. See token_actor.h.
#include "troupe/oauth/actor/live_tokens.h"
#include "troupe/oauth/actor/token_actor.h"

namespace troupe::oauth {

actor::Task<PageOf<LiveGrant>> TokenActor::handle(ListGrants message, actor::Context& context) {
  auto page =
      co_await parts_.storage.read([message, now = context.wall()](Tables& t) { return live_grants(t, message, now); });
  co_return page;
}

actor::Task<PageOf<TokenClaims>> TokenActor::handle(ListTokens message, actor::Context& context) {
  auto page =
      co_await parts_.storage.read([message, now = context.wall()](Tables& t) { return live_tokens(t, message, now); });
  co_return page;
}

actor::Task<std::optional<TokenAtHand>> TokenActor::handle(GetToken message, actor::Context& context) {
  auto token = co_await parts_.storage.read(
      [id = message.id, now = context.wall()](Tables& t) { return token_at_hand(t, id, now); });
  co_return token;
}

actor::Task<TokenRevoked> TokenActor::handle(RevokeTokenById message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, message.cause, "token_revoked");
  auto taken =
      co_await parts_.storage.write([id = message.id, now, event](Tables& t) { return take_back(t, id, now, event); });
  if (!taken) co_return TokenRevoked{};
  ++revoked_;
  if (taken->use == TokenUse::access) {
    tell_revoked(taken->family, message.id);
  } else {
    tell_revoked(taken->family);
  }
  co_return TokenRevoked{};
}

actor::Task<FamilyRevoked> TokenActor::handle(RevokeFamily message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, message.cause, "family_revoked", message.reason);
  event.family = message.family;
  co_await parts_.storage.write([message, now, event](Tables& t) {
    if (end_grant(t, message.family, now, message.reason)) t.audit.append(event);
  });
  ++revoked_;
  tell_revoked(message.family);
  co_return FamilyRevoked{};
}

}  // namespace troupe::oauth
