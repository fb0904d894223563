// Client assertions: what RFC 7523, section 3, and OpenID Connect Core, section 9, demand of them, rule by rule.
#include "troupe/oauth/model/client_assertion.h"

#include <doctest/doctest.h>

#include "troupe/oauth/model/testing/assertions.h"

namespace troupe::oauth {
namespace {

using testing::AssertingClient;
using wire::Json;
using Changes = Json::Object;

constexpr base::UnixTime now{1'700'000'000'000};
const std::string issuer = "https://id.example";
const std::vector<std::string> audiences{issuer, issuer + "/oauth/token"};

AssertingClient& signer() {
  static AssertingClient made;
  return made;
}

Client client() {
  return {.id = ClientId{"c_robot"},
          .metadata = {.name = "Robot", .auth_method = ClientAuthMethod::private_key_jwt, .jwks = signer().jwks()},
          .created_at = now};
}

std::expected<GoodAssertion, AssertionFault> check(const std::string& assertion, const Client& of = client()) {
  return check_assertion(assertion, of, read_client_keys(of.metadata.jwks).value(), audiences, now);
}

std::string assertion(const Changes& claims = {}, const Changes& header = {}) {
  return signer().sign("c_robot", issuer, now, header, claims);
}

struct Row {
  const char* what;
  Changes claims;
  std::optional<AssertionFault> fault;
};

void check_rows(std::span<const Row> rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto checked = check(assertion(row.claims));
    if (row.fault) {
      REQUIRE_FALSE(checked);
      CHECK_EQ(static_cast<int>(checked.error()), static_cast<int>(*row.fault));
    } else {
      CHECK(checked.has_value());
    }
  }
}

TEST_CASE("RFC 7523, 3 (1) and (2): issuer and subject are there, and are the client (Core, 9)") {
  const Row rows[] = {
      {"both", {}, std::nullopt},
      {"no issuer", {{"iss", nullptr}}, AssertionFault::malformed},
      {"no subject", {{"sub", nullptr}}, AssertionFault::malformed},
      {"an issuer that is no text", {{"iss", 7}}, AssertionFault::malformed},
      {"another issuer", {{"iss", "c_other"}}, AssertionFault::wrong_client},
      {"another subject", {{"sub", "c_other"}}, AssertionFault::wrong_client},
  };
  check_rows(rows);
  CHECK_EQ(read_assertion_hint(assertion())->client.value(), "c_robot");
  CHECK_FALSE(read_assertion_hint(assertion({{"sub", nullptr}})));
  CHECK_FALSE(read_assertion_hint(assertion({{"sub", std::string{"c_robot\0", 8}}})));  // not to be asked of a database
  CHECK_FALSE(read_assertion_hint(assertion({{"sub", "c_robot\n"}})));
}

TEST_CASE("RFC 7523, 3 (3): the audience is there, and names this server and nobody else") {
  const Row rows[] = {
      {"the token endpoint", {{"aud", issuer + "/oauth/token"}}, std::nullopt},
      {"a list of one", {{"aud", Json::Array{issuer}}}, std::nullopt},
      {"both names", {{"aud", Json::Array{issuer, issuer + "/oauth/token"}}}, std::nullopt},
      {"none", {{"aud", nullptr}}, AssertionFault::wrong_audience},
      {"an empty list", {{"aud", Json::Array{}}}, AssertionFault::wrong_audience},
      {"a number", {{"aud", 1}}, AssertionFault::wrong_audience},
      {"another server", {{"aud", "https://other.example"}}, AssertionFault::wrong_audience},
      {"other case", {{"aud", "https://ID.example"}}, AssertionFault::wrong_audience},
      {"a slash too many", {{"aud", issuer + "/"}}, AssertionFault::wrong_audience},
      {"others too", {{"aud", Json::Array{issuer, "https://other.example"}}}, AssertionFault::wrong_audience},
  };
  check_rows(rows);
}

TEST_CASE("RFC 7523, 3 (4): it ends, soon, and is not accepted afterwards but for the difference of clocks") {
  const std::int64_t second = now.seconds();
  const Row rows[] = {
      {"no end", {{"exp", nullptr}}, AssertionFault::malformed},
      {"an end that is no number", {{"exp", "soon"}}, AssertionFault::malformed},
      {"a negative one", {{"exp", -1}}, AssertionFault::malformed},
      {"one of another age", {{"exp", 1e18}}, AssertionFault::malformed},
      {"just over", {{"exp", second - 14}}, std::nullopt},
      {"over", {{"exp", second - 15}}, AssertionFault::expired},
      {"a fraction", {{"exp", static_cast<double>(second) + 1.5}}, std::nullopt},
      {"in an hour", {{"exp", second + 3600}}, std::nullopt},
      {"in more than an hour", {{"exp", second + 3700}}, AssertionFault::lives_too_long},
  };
  check_rows(rows);
}

TEST_CASE("RFC 7523, 3 (5) and (6): it is not good before `nbf`, and not made in the future or long ago") {
  const std::int64_t second = now.seconds();
  const Row rows[] = {
      {"no time of its making", {{"iat", nullptr}}, std::nullopt},
      {"clocks that differ a little", {{"iat", second + 15}, {"nbf", second + 15}}, std::nullopt},
      {"made in the future", {{"iat", second + 16}}, AssertionFault::not_yet_good},
      {"good in the future", {{"nbf", second + 16}}, AssertionFault::not_yet_good},
      {"a beginning that is no number", {{"nbf", "now"}}, AssertionFault::malformed},
      {"made two hours ago", {{"iat", second - 7200}}, AssertionFault::lives_too_long},
  };
  check_rows(rows);
}

TEST_CASE("RFC 7523, 3 (7): it has an identifier of its own, without which nobody could tell a second use (Core, 9)") {
  const Row rows[] = {
      {"none", {{"jti", nullptr}}, AssertionFault::malformed},
      {"an empty one", {{"jti", ""}}, AssertionFault::malformed},
      {"a number", {{"jti", 5}}, AssertionFault::malformed},
      {"an endless one", {{"jti", std::string(256, 'x')}}, AssertionFault::malformed},
      {"a long one", {{"jti", std::string(255, 'x')}}, std::nullopt},
  };
  check_rows(rows);
  CHECK_EQ(check(assertion({{"jti", "a"}}))->jti, "a");
}

TEST_CASE("RFC 7523, 3 (9): it is signed by a key of the client, with an algorithm that is its key's (T47)") {
  const auto fault_of = [](const std::string& text) { return check(text).error(); };
  CHECK(check(assertion({}, {{"typ", "JWT"}})));
  CHECK(check(assertion({}, {{"typ", "client-authentication+jwt"}})));
  CHECK(check(assertion({}, {{"kid", nullptr}})));
  CHECK(fault_of(assertion({}, {{"typ", "at+jwt"}})) == AssertionFault::malformed);
  CHECK(fault_of(assertion({}, {{"kid", "another"}})) == AssertionFault::unknown_key);
  CHECK(fault_of(assertion({}, {{"alg", "none"}})) == AssertionFault::wrong_algorithm);
  CHECK(fault_of(assertion({}, {{"alg", "HS256"}})) == AssertionFault::wrong_algorithm);
  CHECK(fault_of(assertion({}, {{"alg", "RS256"}})) == AssertionFault::unknown_key);
  CHECK(fault_of(assertion({}, {{"jwk", Json::Object{}}})) == AssertionFault::malformed);
  CHECK(fault_of(assertion({}, {{"crit", Json::Array{"x"}}})) == AssertionFault::malformed);
  AssertingClient stranger;
  CHECK(fault_of(stranger.sign("c_robot", issuer, now, {{"kid", signer().kid()}})) == AssertionFault::bad_signature);
  const std::string good = assertion();
  CHECK(fault_of(good.substr(0, good.rfind('.') + 1)) == AssertionFault::bad_signature);
  CHECK(fault_of("a.b") == AssertionFault::malformed);
  CHECK(fault_of("") == AssertionFault::malformed);
}

TEST_CASE("a client that is registered for one algorithm may use no other (Registration, 2)") {
  Client picky = client();
  picky.metadata.auth_signing_alg = crypto::Algorithm::es256;
  CHECK(check(assertion(), picky));
  picky.metadata.auth_signing_alg = crypto::Algorithm::rs256;
  CHECK(check(assertion(), picky).error() == AssertionFault::wrong_algorithm);
}

TEST_CASE("without a name of its key, a client with two of one algorithm is not guessed at") {
  AssertingClient second;
  const auto both =
      read_client_keys(fmt::format(R"({{"keys":[{},{}]}})", signer().jwks().substr(9, signer().jwks().size() - 11),
                                   second.jwks().substr(9, second.jwks().size() - 11)));
  REQUIRE(both);
  REQUIRE_EQ(both->size(), 2);
  CHECK(check_assertion(assertion(), client(), *both, audiences, now));
  CHECK(check_assertion(assertion({}, {{"kid", nullptr}}), client(), *both, audiences, now).error() ==
        AssertionFault::unknown_key);
}

}  // namespace
}  // namespace troupe::oauth
