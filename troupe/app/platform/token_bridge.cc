// See token_bridge.h for what is remembered, and why.
#include "troupe/app/platform/token_bridge.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto forget_every = 10s;
constexpr auto overtaken_within = 30s;  // longer than any ask for a token may wait

realtime::Identity identity_of(const oauth::TokenClaims& claims) {
  return {.user = realtime::UserId{claims.subject},
          .scopes = {claims.scope.begin(), claims.scope.end()},
          .token = realtime::TokenId{claims.id.text()},
          .expires_at = claims.expires_at};
}

}  // namespace

void TokenBridge::started(actor::Context& context) { context.every(this, "forget", forget_every, Forget{}); }

bool TokenBridge::was_revoked(const oauth::TokenClaims& claims) const {
  return revoked_.contains(claims.id.text()) || revoked_.contains(claims.family.value());
}

actor::Task<std::expected<realtime::Identity, realtime::TokenRefusal>> TokenBridge::handle(
    realtime::VerifyToken message, actor::Context&) {
  if (ends_.tokens.size() == 0) co_return std::unexpected(realtime::TokenRefusal::unavailable);  // still starting
  auto claims = co_await ends_.tokens.next().ask(oauth::ValidateToken{std::move(message.token)});
  if (!claims) {
    const bool refused = claims.error().domain && *claims.error().domain == oauth::errors::invalid_token;
    co_return std::unexpected(refused ? realtime::TokenRefusal::invalid : realtime::TokenRefusal::unavailable);
  }
  const bool is_for_us = std::ranges::find(claims->audience, audience_) != claims->audience.end();
  if (!is_for_us || was_revoked(*claims)) co_return std::unexpected(realtime::TokenRefusal::invalid);
  vouched_[claims->family].insert_or_assign(claims->id.text(), claims->expires_at);
  co_return identity_of(*claims);
}

void TokenBridge::handle(oauth::TokensRevoked message, actor::Context& context) {
  const auto family = vouched_.find(message.family);
  if (message.token) {
    const std::string token = message.token->text();
    revoked_[token] = context.now();
    tell(token);
    if (family != vouched_.end()) family->second.erase(token);
    return;
  }
  revoked_[message.family.value()] = context.now();
  if (family == vouched_.end()) return;
  for (const auto& [token, expires_at] : family->second) tell(token);
  vouched_.erase(family);
}

void TokenBridge::handle(Forget, actor::Context& context) {
  std::erase_if(revoked_, [&](const auto& each) { return each.second + overtaken_within < context.now(); });
  for (auto& [family, tokens] : vouched_) {
    std::erase_if(tokens, [&](const auto& each) { return each.second < context.wall(); });
  }
  std::erase_if(vouched_, [](const auto& each) { return each.second.empty(); });
}

void TokenBridge::inspect(actor::Inspection& out) const {
  out.add("families", vouched_.size());
  out.add("revoked_lately", revoked_.size());
}

}  // namespace troupe::app
