// TokenFactory: makes the texts of tokens out of what is kept about them, and finds out of a
// text which token it is. It decides nothing: whether a token is live is in its row.
//
// Owned by one actor, since it keeps signing contexts. The same row makes the same claims, byte
// for byte, so an access token can be written again when a client asks again (RFC 9700, 4.14.2).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/crypto/signature.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/actor/proven_tokens.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/key_set.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/records.h"

namespace troupe::oauth {

/// A token of ours as its text shows it. That it was made here is proven, that it is live is not.
struct ReadToken {
  TokenUse use = TokenUse::access;
  crypto::TokenId id;
  crypto::Digest hash;      // what its row must hold
  std::string signed_by{};  // the `kid` of a JWT; "": it is none
};

/// What is kept of the access token that is made of a row.
using AccessHash = std::function<crypto::Digest(const AccessRecord&)>;

class TokenFactory {
 public:
  /// `issuer` is the "iss" of all tokens.
  TokenFactory(std::string issuer, KeySetPtr keys);
  ~TokenFactory();
  TokenFactory(TokenFactory&&) noexcept;
  TokenFactory& operator=(TokenFactory&&) noexcept;

  /// From now on, unless it has a later set: a publication may come after the answer that overtook it.
  void use(KeySetPtr keys);

  /// Whether there is a key of that algorithm: at the first start that of RSA comes a moment later than the others.
  bool can_sign(crypto::Algorithm algorithm) const { return signers_.contains(algorithm); }
  /// Whether there are keys for all that this client may be given for a grant that may be one of OpenID Connect.
  bool can_sign_for(const Client& client, bool may_be_openid) const {
    return can_sign(client.metadata.access_token_alg) && (!may_be_openid || can_sign(client.metadata.id_token_alg));
  }

  /// A code's text (RFC 6749, 4.1.2).
  TokenText code(const crypto::TokenId& id, const crypto::TokenSecret& secret);
  TokenText refresh_token(const crypto::TokenId& id, const crypto::TokenSecret& secret);
  /// A JWT (RFC 9068) or an opaque text, as the row says; `secret` is for the latter.
  TokenText access_token(const AccessRecord& token, const crypto::TokenSecret& secret);
  /// An ID token (OpenID Connect Core, section 2) to go with `access_token`; the grant must have a user. `told_of` is
  /// that user, where claims of them were asked for.
  TokenText id_token(const Client& client, const Grant& grant, const TokenText& access_token, base::UnixTime issued_at,
                     base::UnixTime expires_at, const std::optional<User>& told_of = std::nullopt);

  /// What a client is told when a session ends (OpenID Connect Back-Channel Logout, section 2.4). The same notice has
  /// the same `jti`, however often it is told.
  TokenText logout_token(const Client& client, const LogoutNotice& notice, base::UnixTime issued_at);

  /// What is kept of an access token that `access_token` makes of a row of that format and id, which is yet to be made,
  /// and `secret`: as a function that may run on any thread.
  AccessHash hasher(AccessTokenFormat format, const crypto::TokenId& id, const crypto::TokenSecret& secret);

  /// The secret that `id` gets when it takes the place of the token with this text: whoever shows the old one again
  /// can be given the same new one, though only hashes are kept. `id.key()` must be a key that is held.
  crypto::TokenSecret secret_after(const TokenText& presented, const crypto::TokenId& id);

  /// The user and the client of an ID token of ours, which may have expired; or nothing.
  struct ReadIdToken {
    UserId user;
    ClientId client;
  };
  std::optional<ReadIdToken> read_id_token(std::string_view text);

  /// The id of a code of ours, or nothing.
  std::optional<ReadToken> read_code(std::string_view text);
  /// An access or refresh token of ours, or nothing.
  std::optional<ReadToken> read(std::string_view text);

  /// How many signatures of access tokens were checked; the others were known.
  std::int64_t verified() const noexcept { return verified_; }

  /// The key that new ids of opaque tokens name.
  std::uint8_t token_key() const noexcept { return keys_->token_key; }

 private:
  std::optional<ReadToken> read_jwt(std::string_view text);
  std::optional<ReadToken> prove_jwt(std::string_view text);
  crypto::Signer& signer_for(crypto::Algorithm algorithm);

  std::string issuer_;
  KeySetPtr keys_;
  std::map<crypto::Algorithm, crypto::Signer> signers_;
  std::map<std::string, crypto::Verifier, std::less<>> verifiers_;  // by kid
  crypto::TokenCodec codec_;
  ProvenTokens<ReadToken> proven_{4096};  // at 200 bytes each
  std::int64_t verified_ = 0;
};

}  // namespace troupe::oauth
