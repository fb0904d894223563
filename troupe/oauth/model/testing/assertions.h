// Client assertions for tests: a client's key, and JWTs of it that are good but for one thing.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "troupe/crypto/signature.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/form.h"
#include "troupe/wire/json.h"

namespace troupe::oauth::testing {

/// `object` with these members in the place of its own; null removes one.
inline wire::Json changed(wire::Json object, const wire::Json::Object& changes) {
  for (const auto& [name, value] : changes) {
    std::erase_if(*object.object(), [&](const auto& member) { return member.name == name; });
    if (!value.is_null()) object.object()->push_back({name, value});
  }
  return object;
}

/// The key of a client that proves itself by one.
class AssertingClient {
 public:
  explicit AssertingClient(crypto::Algorithm algorithm = crypto::Algorithm::es256)
      : signer_(crypto::PrivateKey::generate(algorithm)) {}

  std::string jwks() const { return fmt::format(R"({{"keys":[{}]}})", signer_.key().public_key().jwk()); }
  const std::string& kid() const { return signer_.key().kid(); }

  /// An assertion of `client` for `audience` that lives for a minute from `now`; changes of its header and claims.
  std::string sign(const std::string& client, const std::string& audience, base::UnixTime now,
                   const wire::Json::Object& header_changes = {}, const wire::Json::Object& claim_changes = {}) {
    const wire::Json header = wire::Json::Object{{"alg", crypto::name_of(signer_.key().algorithm())}, {"kid", kid()}};
    const wire::Json claims = wire::Json::Object{{"iss", client},
                                                 {"sub", client},
                                                 {"aud", audience},
                                                 {"jti", fmt::format("{}-{}", kid(), ++made_)},
                                                 {"exp", now.seconds() + 60},
                                                 {"iat", now.seconds()}};
    const std::string text = wire::to_base64url(wire::write_json(changed(header, header_changes))) + "." +
                             wire::to_base64url(wire::write_json(changed(claims, claim_changes)));
    return text + "." + wire::to_base64url(signer_.sign(text));
  }

 private:
  crypto::Signer signer_;
  int made_ = 0;
};

}  // namespace troupe::oauth::testing
