// Opaque tokens: access tokens, refresh tokens, codes and the like, as our own servers make them.
//
//   <kind>_<base64url( 16 B id | 24 B secret | 10 B truncated HMAC-SHA-256 )>
//
// The id orders by time and is the key of the token's row, so rows of one time lie together
// and no index on a random value is needed; it also says which shard owns the token and under
// which key the HMAC was made. Only the SHA-256 of the whole text is stored. The HMAC is no
// proof that a token is good, only that it was made here: garbage is refused without a lookup.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/base/strong.h"
#include "troupe/crypto/digest.h"

namespace troupe::crypto {

enum class TokenKind : std::uint8_t { access, refresh, code, device, pushed_request };

/// "at", "rt", "ac", "dc" or "pr".
std::string_view prefix_of(TokenKind kind) noexcept;

/// 16 bytes that order by time: a UUID of version 7 (RFC 9562, 5.7) whose random part carries shard and key id.
struct TokenId {
  std::array<char, 16> bytes{};

  std::string_view view() const noexcept { return {bytes.data(), bytes.size()}; }
  /// When it was made, to the millisecond.
  base::UnixTime time() const noexcept;
  std::uint16_t shard() const noexcept;
  std::uint8_t key() const noexcept;
  /// 22 characters of base64url: the "jti" of a JWT.
  std::string text() const;
  /// The id with this text, or nothing when it is not exactly one of ours.
  static std::optional<TokenId> parse(std::string_view text);
  static std::optional<TokenId> from_bytes(std::string_view bytes);
  /// The smallest id of that millisecond: the end of a range of expired rows.
  static TokenId first_at(base::UnixTime time) noexcept;

  friend bool operator==(const TokenId&, const TokenId&) = default;
  friend std::strong_ordering operator<=>(const TokenId& a, const TokenId& b) noexcept {
    return a.view().compare(b.view()) <=> 0;
  }
};

/// Makes ids; one owner. Ids of one maker strictly rise, also when the wall clock is set back.
class TokenIds {
 public:
  TokenId next(base::UnixTime now, base::Random& random, std::uint16_t shard = 0, std::uint8_t key = 0);

 private:
  std::int64_t last_millisecond_ = -1;
  std::uint32_t sequence_ = 0;  // 12 bits within one millisecond
};

using TokenSecret = std::array<char, 24>;

/// The keys of the tokens' HMACs, by the id that stands in each token. Values; copies are independent.
struct TokenKeys {
  std::map<std::uint8_t, base::Secret<std::string>> by_id;  // 32 bytes each
};

/// Writes and reads token texts; one owner, since it keeps the keyed contexts.
class TokenCodec {
 public:
  explicit TokenCodec(const TokenKeys& keys);

  /// The token's text. `id.key()` must be one of the keys.
  base::Secret<std::string> write(TokenKind kind, const TokenId& id, const TokenSecret& secret);

  /// The id of a token that one of the keys made, or nothing: wrong kind, wrong length, unknown key, altered.
  std::optional<TokenId> read(TokenKind kind, std::string_view text);

 private:
  std::optional<std::string> authenticator(TokenKind kind, std::string_view id_and_secret, std::uint8_t key);

  std::map<std::uint8_t, Hmac> keys_;
};

/// What kind of token a text claims to be; nothing for a text without a known prefix, such as a JWT.
std::optional<TokenKind> kind_of(std::string_view text) noexcept;

/// 24 fresh random bytes.
TokenSecret fresh_secret(base::Random& random);

}  // namespace troupe::crypto
