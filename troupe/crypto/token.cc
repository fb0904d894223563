// See token.h.
#include "troupe/crypto/token.h"

#include "troupe/base/check.h"
#include "troupe/wire/base64.h"

namespace troupe::crypto {
namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::size_t secret_bytes = 24;
constexpr std::size_t mac_bytes = 10;
constexpr std::size_t body_text = 67;  // base64url of 50 bytes
constexpr TokenKind kinds[] = {TokenKind::access, TokenKind::refresh, TokenKind::code, TokenKind::device,
                               TokenKind::pushed_request};

std::uint8_t octet(char c) noexcept { return static_cast<std::uint8_t>(c); }
char character(std::uint64_t value) noexcept { return static_cast<char>(value & 0xff); }

void put_time(TokenId& id, std::int64_t milliseconds) noexcept {
  for (int i = 0; i < 6; ++i)
    id.bytes[static_cast<std::size_t>(i)] = character(static_cast<std::uint64_t>(milliseconds) >> (40 - 8 * i));
}

bool is_version_7(std::string_view bytes) noexcept {
  return (octet(bytes[6]) >> 4) == 7 && (octet(bytes[8]) >> 6) == 2;
}

}  // namespace

std::string_view prefix_of(TokenKind kind) noexcept {
  switch (kind) {
    case TokenKind::access:
      return "at";
    case TokenKind::refresh:
      return "rt";
    case TokenKind::code:
      return "ac";
    case TokenKind::device:
      return "dc";
    case TokenKind::pushed_request:
      return "pr";
  }
  std::unreachable();
}

std::optional<TokenKind> kind_of(std::string_view text) noexcept {
  if (text.size() != 3 + body_text || text[2] != '_') return std::nullopt;
  for (const TokenKind kind : kinds)
    if (text.substr(0, 2) == prefix_of(kind)) return kind;
  return std::nullopt;
}

base::UnixTime TokenId::time() const noexcept {
  std::int64_t milliseconds = 0;
  for (int i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | octet(bytes[static_cast<std::size_t>(i)]);
  return {milliseconds};
}

// The layout after UUIDv7's time, version and sequence: byte 8 the variant and six random bits,
// byte 9 the key, bytes 10 and 11 the shard, bytes 12 to 15 random.
std::uint8_t TokenId::key() const noexcept { return octet(bytes[9]); }
std::uint16_t TokenId::shard() const noexcept {
  return static_cast<std::uint16_t>(octet(bytes[10]) << 8 | octet(bytes[11]));
}

std::string TokenId::text() const { return wire::to_base64url(view()); }

std::optional<TokenId> TokenId::from_bytes(std::string_view bytes) {
  if (bytes.size() != id_bytes || !is_version_7(bytes)) return std::nullopt;
  TokenId id;
  std::ranges::copy(bytes, id.bytes.begin());
  return id;
}

std::optional<TokenId> TokenId::parse(std::string_view text) {
  const auto bytes = wire::from_base64url(text);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

TokenId TokenId::first_at(base::UnixTime time) noexcept {
  TokenId id;
  put_time(id, time.milliseconds);
  id.bytes[6] = character(0x70);
  id.bytes[8] = character(0x80);
  return id;
}

TokenId TokenIds::next(base::UnixTime now, base::Random& random, std::uint16_t shard, std::uint8_t key) {
  if (now.milliseconds > last_millisecond_) {
    last_millisecond_ = now.milliseconds;
    sequence_ = static_cast<std::uint32_t>(random.below(1 << 11));  // a random start leaves half of the room to count
  } else if (++sequence_ == 1 << 12) {
    ++last_millisecond_;  // more than the sequence holds in one millisecond: borrow from the next
    sequence_ = 0;
  }
  TokenId id;
  put_time(id, last_millisecond_);
  const std::uint64_t bits = random.next();
  id.bytes[6] = character(0x70 | sequence_ >> 8);
  id.bytes[7] = character(sequence_);
  id.bytes[8] = character(0x80 | (bits & 0x3f));
  id.bytes[9] = character(key);
  id.bytes[10] = character(shard >> 8);
  id.bytes[11] = character(shard);
  for (std::size_t i = 12; i < id_bytes; ++i) id.bytes[i] = character(bits >> (8 * (i - 11)));
  return id;
}

TokenCodec::TokenCodec(const TokenKeys& keys) {
  for (const auto& [id, key] : keys.by_id) keys_.emplace(id, Hmac{key});
}

std::optional<std::string> TokenCodec::authenticator(TokenKind kind, std::string_view id_and_secret, std::uint8_t key) {
  const auto hmac = keys_.find(key);
  if (hmac == keys_.end()) return std::nullopt;
  // The kind is authenticated too: a refresh token does not become a code by another prefix.
  std::string message;
  message.reserve(2 + id_bytes + secret_bytes);
  message += prefix_of(kind);
  message += id_and_secret;
  return std::string{hmac->second.sign(message).view().substr(0, mac_bytes)};
}

base::Secret<std::string> TokenCodec::write(TokenKind kind, const TokenId& id, const TokenSecret& secret) {
  std::string body;
  body.reserve(id_bytes + secret_bytes + mac_bytes);
  body += id.view();
  body.append(secret.data(), secret.size());
  const auto mac = authenticator(kind, body, id.key());
  INVARIANT(mac, "a token is made under a key that its codec does not have");
  body += *mac;
  std::string text;
  text.reserve(3 + body_text);
  text += prefix_of(kind);
  text += '_';
  text += wire::to_base64url(body);
  return base::Secret{std::move(text)};
}

std::optional<TokenId> TokenCodec::read(TokenKind kind, std::string_view text) {
  if (kind_of(text) != kind) return std::nullopt;
  const auto body = wire::from_base64url(text.substr(3));
  if (!body) return std::nullopt;
  const auto id = TokenId::from_bytes(std::string_view{*body}.substr(0, id_bytes));
  if (!id) return std::nullopt;
  const std::string_view whole = *body;
  const auto mac = authenticator(kind, whole.substr(0, id_bytes + secret_bytes), id->key());
  if (!mac || !equal_in_constant_time(*mac, whole.substr(id_bytes + secret_bytes))) return std::nullopt;
  return id;
}

TokenSecret fresh_secret(base::Random& random) {
  TokenSecret secret;
  random.fill(std::as_writable_bytes(std::span{secret}));
  return secret;
}

}  // namespace troupe::crypto
