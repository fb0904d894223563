// Rows about JWTs that somebody made up or took from elsewhere: T47, T49 and T50.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/base/clock.h"
#include "troupe/crypto/digest.h"
#include "troupe/crypto/key.h"
#include "troupe/crypto/signature.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::attack {
namespace {

/// Signs with a key that the target has never seen, whatever the header says.
class Forger {
 public:
  Forger() : signer_(crypto::PrivateKey::generate(crypto::Algorithm::es256)) {}

  std::string sign(std::string_view header, std::string_view claims) {
    const std::string input = wire::to_base64url(header) + "." + wire::to_base64url(claims);
    return input + "." + wire::to_base64url(signer_.sign(input));
  }
  std::string jwk() const { return signer_.key().public_key().jwk(); }

  static std::string unsigned_jwt(std::string_view header, std::string_view claims) {
    return wire::to_base64url(header) + "." + wire::to_base64url(claims) + ".";
  }
  /// HS256 with something public as its key.
  static std::string with_public_secret(std::string_view secret, std::string_view header, std::string_view claims) {
    const std::string input = wire::to_base64url(header) + "." + wire::to_base64url(claims);
    return input + "." + wire::to_base64url(crypto::hmac_sha256(secret, input).view());
  }

 private:
  crypto::Signer signer_;
};

std::string claims_of(Trial& trial, std::string_view iss, std::string_view sub, std::string_view aud,
                      std::int64_t lifetime = 300) {
  const auto now = base::system_clock().wall().seconds();
  std::string claims;
  wire::JsonWriter writer{claims};
  writer.begin_object()
      .member("iss", iss)
      .member("sub", sub)
      .member("aud", aud)
      .member("client_id", trial.given().client.id)
      .member("scope", "openid profile email")
      .member("jti", trial.random_text(20))
      .member("iat", now)
      .member("exp", now + lifetime)
      .end_object();
  return claims;
}

/// The first key of the target as JSON text, and its kid.
std::pair<std::string, std::string> a_key_of(Trial& trial) {
  const auto seen = trial.get(trial.endpoint("jwks_uri"));
  const auto json = wire::parse_json(seen.answer.body);
  const wire::Json* keys = json ? json->find("keys") : nullptr;
  if (keys == nullptr || keys->array() == nullptr || keys->array()->empty()) return {};
  const wire::Json& first = keys->array()->front();
  const std::string* kid = first.string_at("kid");
  return {wire::write_json(first), kid ? *kid : ""};
}

struct Forged {
  std::string what, token;
};

/// Tokens with these claims that nobody may take, by what is wrong with their headers.
std::vector<Forged> forgeries(Trial& trial, std::string_view typ, const std::string& claims) {
  Forger forger;
  const auto [key, kid] = a_key_of(trial);
  const auto header = [typ](std::string_view alg, std::string_view more) {
    return fmt::format(R"({{"alg":"{}","typ":"{}"{}}})", alg, typ, more);
  };
  std::vector<Forged> all = {
      {"alg none", Forger::unsigned_jwt(header("none", ""), claims)},
      {"alg None", Forger::unsigned_jwt(header("None", ""), claims)},
      {"alg none with a kid of the server's",
       Forger::unsigned_jwt(header("none", fmt::format(R"(,"kid":"{}")", kid)), claims)},
      {"HS256 with a public key as the secret",
       Forger::with_public_secret(key, header("HS256", fmt::format(R"(,"kid":"{}")", kid)), claims)},
      {"HS256 with an empty secret", Forger::with_public_secret("", header("HS256", ""), claims)},
      {"a foreign key", forger.sign(header("ES256", ""), claims)},
      {"a foreign key under a kid of the server's",
       forger.sign(header("ES256", fmt::format(R"(,"kid":"{}")", kid)), claims)},
      {"a kid that is a path", forger.sign(header("ES256", R"(,"kid":"../../../../dev/null")"), claims)},
      {"a kid that is SQL", forger.sign(header("ES256", R"(,"kid":"' UNION SELECT 'a' --")"), claims)},
      {"a kid of 6 KiB", forger.sign(header("ES256", fmt::format(R"(,"kid":"{}")", std::string(6000, 'k'))), claims)},
      {"its own key as jwk", forger.sign(header("ES256", fmt::format(R"(,"jwk":{})", forger.jwk())), claims)},
      {"a jku", forger.sign(header("ES256", R"(,"jku":"https://evil.example/jwks")"), claims)},
      {"an x5u", forger.sign(header("ES256", R"(,"x5u":"https://evil.example/cert.pem")"), claims)},
      {"an unknown crit", forger.sign(header("ES256", R"(,"crit":["unheard-of"],"unheard-of":true)"), claims)},
      {"b64 false", forger.sign(header("ES256", R"(,"crit":["b64"],"b64":false)"), claims)},
      {"zip", forger.sign(header("ES256", R"(,"zip":"DEF")"), claims)},
      {"an empty signature", wire::to_base64url(header("ES256", "")) + "." + wire::to_base64url(claims) + "."},
      {"a signature of zeros", wire::to_base64url(header("ES256", "")) + "." + wire::to_base64url(claims) + "." +
                                   wire::to_base64url(std::string(64, '\0'))},
      {"a header that is no JSON", wire::to_base64url("{") + "." + wire::to_base64url(claims) + ".AAAA"},
      {"a JWE", wire::to_base64url(R"({"alg":"dir","enc":"A128GCM","zip":"DEF"})") + "..AAAA.AAAA.AAAA"},
  };
  return all;
}

bool says_active(const Exchange& seen) {
  const auto json = wire::parse_json(seen.answer.body);
  const wire::Json* active = json ? json->find("active") : nullptr;
  return active != nullptr && active->boolean() != nullptr && *active->boolean();
}

void header_tricks(Trial& trial) {
  const Tokens tokens = trial.tokens_for(trial.given().client);
  const auto about = trial.userinfo(tokens.access);
  trial.expect_status(about, {200}, "userinfo with its token");
  const auto claims =
      claims_of(trial, trial.target().issuer, json_text(about.answer.body, "sub"), trial.target().issuer);
  for (const auto& [what, token] : forgeries(trial, "at+jwt", claims)) {
    const auto seen = trial.userinfo(token);
    trial.expect_status(seen, {401}, "an access token with " + what);
    if (trial.endpoint("introspection_endpoint").empty()) continue;
    const auto told = trial.introspect(token);  // one that is too long for a form is refused as such
    trial.expect(told.answer.status == 400 || !says_active(told), "no such token is active: " + what, told);
  }
}

void other_tokens(Trial& trial) {
  const Tokens tokens = trial.tokens_for(trial.given().client);
  const auto refuse = [&trial](const std::string& token, std::string_view what) {
    if (token.empty()) return;
    const auto seen = trial.userinfo(token);
    trial.expect_status(seen, {401}, what);
    trial.expect(seen.answer.field("www-authenticate").contains("invalid_token"),
                 "the challenge must say invalid_token", seen);
  };
  trial.expect_status(trial.userinfo(tokens.access), {200}, "userinfo with its token");
  refuse(tokens.id, "an ID token as access token");
  refuse(tokens.refresh, "a refresh token as access token");
  Forger forger;
  refuse(forger.sign(R"({"alg":"ES256","typ":"at+jwt"})",
                     claims_of(trial, "https://other.example", "u1", trial.target().issuer)),
         "an access token of another issuer");
  const KnownClient& client = trial.given().client;
  for (const std::string& wrong : {tokens.access, tokens.id}) {
    if (!wrong.empty() && !tokens.refresh.empty())
      trial.expect_refused(trial.refresh(client, wrong), {"invalid_grant"}, "an access or ID token as refresh token");
  }
  if (!trial.endpoint("introspection_endpoint").empty() && !tokens.id.empty())
    trial.expect(!trial.is_active(tokens.id), "an ID token is no token for resources");
}

/// Without a key of ours that the target knows, each of them must be refused for its signature at the latest.
void client_assertions(Trial& trial) {
  const std::string url = trial.endpoint("token_endpoint");
  const std::string id = trial.given().client.id;
  const auto refuse = [&](const std::string& assertion, const std::string& what) {
    const auto seen =
        trial.post(url, {{"grant_type", "authorization_code"},
                         {"code", trial.random_text(30)},
                         {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                         {"client_assertion", assertion}});
    // One that is longer than a form's value may be is no request at all.
    trial.expect_refused(seen, {"invalid_client", assertion.size() > 4096 ? "invalid_request" : "invalid_client"},
                         "an assertion with " + what);
  };
  for (const auto& [what, assertion] : forgeries(trial, "JWT", claims_of(trial, id, id, trial.target().issuer)))
    refuse(assertion, what);
  Forger forger;
  const std::string header = R"({"alg":"ES256","typ":"JWT"})";
  refuse(forger.sign(header, claims_of(trial, id, id, "https://other.example")), "another audience");
  refuse(forger.sign(header, claims_of(trial, id, "somebody-else", trial.target().issuer)), "another subject");
  refuse(forger.sign(header, claims_of(trial, "somebody-else", "somebody-else", trial.target().issuer)),
         "an unknown issuer");
  refuse(forger.sign(header, claims_of(trial, id, id, trial.target().issuer, -3600)), "an old exp");
  refuse(forger.sign(header, R"({"iss":"x"})"), "hardly any claims");
}

constexpr Row rows[] = {
    {"T47", "client assertions that are forged", Need::client | Need::assertion, client_assertions},
    {"T49", "JWT headers that bring keys, paths and extensions", flow | Need::userinfo, header_tricks},
    {"T50", "an ID or refresh token in the place of an access token", flow | Need::userinfo, other_tokens},
};

}  // namespace

std::span<const Row> jwt_rows() { return rows; }

}  // namespace troupe::attack
