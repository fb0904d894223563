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
  return memory_->revoked.contains(claims.id.text()) || memory_->revoked.contains(claims.family.value());
}

actor::Task<std::expected<realtime::Identity, realtime::TokenRefusal>> TokenBridge::handle(
    realtime::VerifyToken message, actor::Context&) {
  if (memory_->ends.tokens.size() == 0)
    co_return std::unexpected(realtime::TokenRefusal::unavailable);  // still starting
  auto claims = co_await memory_->ends.tokens.next().ask(oauth::ValidateToken{std::move(message.token)});
  if (!claims) {
    const bool refused = claims.error().domain && *claims.error().domain == oauth::errors::invalid_token;
    co_return std::unexpected(refused ? realtime::TokenRefusal::invalid : realtime::TokenRefusal::unavailable);
  }
  const bool is_for_us = std::ranges::find(claims->audience, audience_) != claims->audience.end();
  if (!is_for_us || was_revoked(*claims)) co_return std::unexpected(realtime::TokenRefusal::invalid);
  memory_->vouched[claims->family].insert_or_assign(claims->id.text(), claims->expires_at);
  co_return identity_of(*claims);
}

void TokenBridge::handle(oauth::TokensRevoked message, actor::Context& context) {
  const auto family = memory_->vouched.find(message.family);
  if (message.token) {
    const std::string token = message.token->text();
    memory_->revoked[token] = context.now();
    tell(token);
    if (family != memory_->vouched.end()) family->second.erase(token);
    return;
  }
  memory_->revoked[message.family.value()] = context.now();
  if (family == memory_->vouched.end()) return;
  for (const auto& [token, expires_at] : family->second) tell(token);
  memory_->vouched.erase(family);
}

void TokenBridge::handle(Forget, actor::Context& context) {
  std::erase_if(memory_->revoked, [&](const auto& each) { return each.second + overtaken_within < context.now(); });
  for (auto& [family, tokens] : memory_->vouched) {
    std::erase_if(tokens, [&](const auto& each) { return each.second < context.wall(); });
  }
  std::erase_if(memory_->vouched, [](const auto& each) { return each.second.empty(); });
}

void TokenBridge::inspect(actor::Inspection& out) const {
  out.add("families", memory_->vouched.size());
  out.add("revoked_lately", memory_->revoked.size());
}

}  // namespace troupe::app
