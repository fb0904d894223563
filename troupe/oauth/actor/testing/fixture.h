// A small world for the tests of oauth/actor: one set of keys, a public and a confidential
// client, one user.
#pragma once

#include <memory>
#include <string>

#include "troupe/crypto/key.h"
#include "troupe/oauth/model/key_set.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth::fixture {

inline constexpr base::UnixTime start{1'700'000'000'000};

inline ScopeSet scope(std::string_view text) { return ScopeSet::parse(text).value(); }

/// Keys of every algorithm, made once for all tests of the executable.
inline KeySetPtr keys() {
  static const KeySetPtr made = [] {
    auto set = std::make_shared<KeySet>();
    for (const auto algorithm : {crypto::Algorithm::rs256, crypto::Algorithm::es256, crypto::Algorithm::eddsa}) {
      set->signing.push_back(crypto::PrivateKey::generate(algorithm));
      set->verifying.push_back(set->signing.back().public_key());
    }
    set->token_keys.by_id.emplace(std::uint8_t{1}, base::Secret{std::string(32, 'k')});
    set->token_key = 1;
    return set;
  }();
  return made;
}

inline Client phone() {
  return {.id = ClientId{"c_phone"},
          .metadata = {.name = "Phone",
                       .auth_method = ClientAuthMethod::none,
                       .redirect_uris = {"com.example.phone:/cb"},
                       .grant_types = {GrantType::authorization_code, GrantType::refresh_token},
                       .scope = scope("openid offline_access read write"),
                       .id_token_alg = crypto::Algorithm::es256},
          .created_at = start};
}

inline Client shop() {
  return {.id = ClientId{"c_shop"},
          .metadata = {.name = "Shop",
                       .redirect_uris = {"https://shop.example/cb"},
                       .grant_types = {GrantType::authorization_code, GrantType::refresh_token,
                                       GrantType::client_credentials},
                       .scope = scope("openid offline_access read write"),
                       .id_token_alg = crypto::Algorithm::es256},
          .created_at = start};
}

inline UserRecord alice() {
  return {.user = {.id = UserId{"u_alice"}, .name = UserName{"alice"}, .email = std::nullopt, .created_at = start},
          .password_hash = "$argon2id$x",
          .password_changed_at = start};
}

/// Ids that rise, from a seed.
struct Ids {
  base::SeededRandom random{1};
  crypto::TokenIds maker;
  crypto::TokenId next(base::UnixTime now = start) { return maker.next(now, random, 0, 1); }
};

inline Grant grant_of(const Client& client, const crypto::TokenId& family, const crypto::TokenId& session) {
  return {
      .family = FamilyId{family.text()},
      .client = client.id,
      .scope = scope("openid offline_access read"),
      .audience = {"https://issuer.example"},
      .authentication = Authentication{.user = alice().user.id, .session = SessionId{session.text()}, .time = start},
      .nonce = "n-1"};
}

inline void fill(Tables tables) {
  tables.clients.insert(phone());
  tables.clients.insert(shop());
  tables.users.insert(alice());
}

}  // namespace troupe::oauth::fixture
