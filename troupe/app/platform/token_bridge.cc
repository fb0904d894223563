// See token_bridge.h for what is remembered, and why.
#include "troupe/app/platform/token_bridge.h"

#include "troupe/crypto/digest.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto forget_every = 10s;
constexpr auto overtaken_within = 30s;      // longer than any ask for a token may wait
constexpr auto known_for = 30s;             // then a token is verified anew
constexpr std::size_t known_max = 100'000;  // about half a kilobyte each; past it tokens are verified each time

realtime::Identity identity_of(const oauth::TokenClaims& claims) {
  return {.user = realtime::UserId{claims.subject},
          .scopes = {claims.scope.begin(), claims.scope.end()},
          .token = realtime::TokenId{claims.id.text()},
          .expires_at = claims.expires_at};
}

}  // namespace

void TokenBridge::started(actor::Context& context) { context.every(this, "forget", forget_every, Forget{}); }

bool TokenBridge::was_revoked(const oauth::TokenClaims& claims) const {
  if (memory_->revoked.contains(claims.id.text()) || memory_->revoked.contains(claims.family.value())) return true;
  return is_over({claims.client, claims.user, {}}, {claims.issued_at, claims.expires_at, claims.signed_by});
}

bool TokenBridge::is_over(const BridgeMemory::Family& family, const BridgeMemory::Token& token) const {
  // Whatever time stands in a token of a key that somebody else has, it is none of ours.
  return has_ended(family.client.value(), token.issued_at) ||
         (family.user && has_ended(family.user->value(), token.issued_at)) || memory_->ended.contains(token.signed_by);
}

bool TokenBridge::has_ended(const std::string& owner, base::UnixTime issued_at) const {
  const auto ended = memory_->ended.find(owner);
  return ended != memory_->ended.end() && issued_at <= ended->second.at;
}

const BridgeMemory::Token* TokenBridge::vouched_for(const BridgeMemory::Known& known) const {
  const auto family = memory_->vouched.find(known.family);
  if (family == memory_->vouched.end()) return nullptr;
  const auto token = family->second.tokens.find(known.identity.token.value().view());
  return token != family->second.tokens.end() ? &token->second : nullptr;
}

std::optional<realtime::Identity> TokenBridge::recall(const std::string& digest, actor::Context& context) const {
  const auto known = memory_->known.find(digest);
  if (known == memory_->known.end() || known->second.verified_at + known_for < context.now()) return std::nullopt;
  const auto* token = vouched_for(known->second);
  if (token == nullptr || token->expires_at <= context.wall()) return std::nullopt;
  return known->second.identity;
}

actor::Task<std::expected<realtime::Identity, realtime::TokenRefusal>> TokenBridge::handle(
    realtime::VerifyToken message, actor::Context& context) {
  const std::string digest{crypto::sha256(message.token.expose()).view()};
  if (auto identity = recall(digest, context)) co_return *std::move(identity);
  if (!memory_->ends.tokens) co_return std::unexpected(realtime::TokenRefusal::unavailable);  // still starting
  auto claims = co_await memory_->ends.tokens.ask(oauth::ValidateToken{std::move(message.token)});
  if (!claims) {
    const bool refused = claims.error().domain && *claims.error().domain == oauth::errors::invalid_token;
    co_return std::unexpected(refused ? realtime::TokenRefusal::invalid : realtime::TokenRefusal::unavailable);
  }
  if (!claims->is_for(audience_) || was_revoked(*claims)) co_return std::unexpected(realtime::TokenRefusal::invalid);
  auto family = memory_->vouched.try_emplace(claims->family, claims->client, claims->user).first;
  family->second.tokens.insert_or_assign(claims->id.text(),
                                         BridgeMemory::Token{claims->issued_at, claims->expires_at, claims->signed_by});
  auto identity = identity_of(*claims);
  if (memory_->known.size() < known_max) {
    memory_->known.insert_or_assign(digest, BridgeMemory::Known{identity, claims->family, context.now()});
  }
  co_return identity;
}

void TokenBridge::handle(oauth::TokensRevoked message, actor::Context& context) {
  const auto family = memory_->vouched.find(message.family);
  if (message.token) {
    const std::string token = message.token->text();
    if (family != memory_->vouched.end()) family->second.tokens.erase(token);
    memory_->revoked[token] = context.now();
    tell(token);
    return;
  }
  memory_->revoked[message.family.value()] = context.now();
  if (family == memory_->vouched.end()) return;
  for (const auto& [token, times] : family->second.tokens) tell(token);
  memory_->vouched.erase(family);
}

oauth::EndingsHeard TokenBridge::handle(oauth::GrantsEnded message, actor::Context& context) {
  for (const oauth::Ending& ending : message.endings) {
    if (ending.family) {
      handle(oauth::TokensRevoked{*ending.family, ending.token}, context);
      continue;
    }
    memory_->ended.insert_or_assign(ending.owner(), BridgeMemory::Ended{ending.at, context.now()});
  }
  memory_->known.clear();  // what was issued about then is looked up again
  // Each family once, however many have ended: this is rare, and families are many.
  for (auto& [name, family] : memory_->vouched) {
    std::erase_if(family.tokens, [&](const auto& each) {
      const auto& [token, times] = each;
      const bool has_ended = is_over(family, times);
      if (has_ended) tell(token);
      return has_ended;
    });
  }
  return {};
}

void TokenBridge::handle(Forget, actor::Context& context) {
  std::erase_if(memory_->revoked, [&](const auto& each) { return each.second + overtaken_within < context.now(); });
  std::erase_if(memory_->ended, [&](const auto& each) { return each.second.heard + overtaken_within < context.now(); });
  for (auto& [name, family] : memory_->vouched) {
    std::erase_if(family.tokens, [&](const auto& each) { return each.second.expires_at < context.wall(); });
  }
  std::erase_if(memory_->vouched, [](const auto& each) { return each.second.tokens.empty(); });
  std::erase_if(memory_->known, [&](const auto& each) { return each.second.verified_at + known_for < context.now(); });
}

void TokenBridge::inspect(actor::Inspection& out) const {
  out.add("families", memory_->vouched.size());
  out.add("tokens_known", memory_->known.size());
  out.add("revoked_lately", memory_->revoked.size());
}

}  // namespace troupe::app
