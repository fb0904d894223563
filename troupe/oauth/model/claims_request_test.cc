// The parameter `claims`: what is understood of it, and what is no such thing.
#include "troupe/oauth/model/claims_request.h"

#include <doctest/doctest.h>

#include <string>

namespace troupe::oauth {
namespace {

TEST_CASE("Core, 5.5: claims of the user are asked for by the scopes that show them") {
  struct Row {
    const char* claims;
    const char* scopes;
  };
  const Row rows[] = {
      {"", ""},
      {"{}", ""},
      {R"({"userinfo":null})", ""},
      {R"({"userinfo":{"email":null}})", "email"},
      {R"({"userinfo":{"email":{"essential":true},"preferred_username":null,"picture":null}})", "email profile"},
      {R"({"id_token":{"preferred_username":{"essential":false}}})", "profile"},
      {R"({"userinfo":{"https://claims.example/x":{"value":7}},"elsewhere":{"email":null}})", ""},
      {R"({"userinfo":{"email":null,"verified_claims":{"verification":{"evidence":[{"type":{"value":"x"}}]}}}})",
       "email"},  // as deep as OpenID Connect for Identity Assurance goes
  };
  for (const Row& row : rows) {
    CAPTURE(row.claims);
    const auto request = read_claims_request(row.claims);
    REQUIRE(request);
    CHECK_EQ(request->scopes.text(), row.scopes);
    CHECK_FALSE(request->subject);
    CHECK_FALSE(request->is_acr_unmet);
  }
}

TEST_CASE("Core, 5.5.1.1: an acr that is essential must be one of those that are named") {
  struct Row {
    const char* acr;
    bool is_unmet;
  };
  const Row rows[] = {
      {"null", false},
      {R"({"essential":true})", false},
      {R"({"essential":true,"value":"1"})", false},
      {R"({"essential":true,"values":["2","1"]})", false},
      {R"({"essential":true,"value":"2"})", true},
      {R"({"essential":true,"values":["2","3"]})", true},
      {R"({"essential":true,"values":[]})", true},
      {R"({"essential":true,"values":[1]})", true},
      {R"({"values":["2"]})", false},
      {R"({"essential":false,"value":"2"})", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.acr);
    const auto request = read_claims_request(std::string{R"({"id_token":{"acr":)"} + row.acr + "}}");
    REQUIRE(request);
    CHECK_EQ(request->is_acr_unmet, row.is_unmet);
  }
}

TEST_CASE("Core, 5.5.1: a subject with a value is who must be signed in") {
  CHECK_EQ(read_claims_request(R"({"id_token":{"sub":{"value":"u_1"}}})")->subject, UserId{"u_1"});
  CHECK_EQ(read_claims_request(R"({"id_token":{"sub":{"values":["u_1"]}}})")->subject, UserId{"u_1"});
  CHECK_FALSE(read_claims_request(R"({"id_token":{"sub":null}})")->subject);
  CHECK_FALSE(read_claims_request(R"({"userinfo":{"sub":{"value":"u_1"}}})")->subject);
}

TEST_CASE("Core, 5.5: claims of the ID token are kept with the values that they may have, and others are not") {
  struct Row {
    const char* claims;
    const char* kept;
  };
  const Row rows[] = {
      {R"({"userinfo":{"email":null}})", ""},
      {R"({"id_token":{"auth_time":{"essential":true},"acr":null,"picture":null}})", ""},
      {R"({"id_token":{"email":null}})", R"({"email":[]})"},
      {R"({"id_token":{"email":{"essential":true},"preferred_username":null}})",
       R"({"preferred_username":[],"email":[]})"},
      {R"({"id_token":{"email":{"value":"a@b.example"}}})", R"({"email":["a@b.example"]})"},
      {R"({"id_token":{"email":{"values":["a@b.example",7,"\"\u0000"]}}})", R"({"email":["a@b.example","\"\u0000"]})"},
      {R"({"id_token":{"email":{"values":[7]},"preferred_username":{"values":[]}}})", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.claims);
    CHECK_EQ(read_claims_request(row.claims)->id_token, row.kept);
  }
}

TEST_CASE("Core, 5.5.1: a claim that was asked for with values is wanted with one of those alone") {
  CHECK(is_wanted(R"({"email":[]})", "email", "a@b.example"));
  CHECK(is_wanted(R"({"email":["x","a@b.example"]})", "email", "a@b.example"));
  CHECK_FALSE(is_wanted(R"({"email":["x"]})", "email", "a@b.example"));
  CHECK_FALSE(is_wanted(R"({"email":[]})", "preferred_username", "a"));
  CHECK_FALSE(is_wanted("", "email", "a@b.example"));
}

TEST_CASE("what is kept of a request can be read again, however much longer it is written") {
  for (const std::string_view escape : {R"(\b)", R"(\f)", R"(\u0001)", R"(\")", R"(\/)"}) {
    CAPTURE(escape);
    std::string values;
    while (values.size() < 4000) values += escape;
    const auto request = read_claims_request(R"({"id_token":{"email":{"value":")" + values + R"("}}})");
    REQUIRE(request.has_value());
    CHECK_FALSE(is_wanted(request->id_token, "email", "a@b.example"));
  }
}

TEST_CASE("what is kept of a request and was damaged since wants nothing, and stops nobody") {
  for (const char* damaged : {"{", "email", "[]", "null", R"({"email":1})", R"({"email":[]}})", "\xff"}) {
    CAPTURE(damaged);
    CHECK_FALSE(is_wanted(damaged, "email", "alice@example.org"));
  }
}

TEST_CASE("what is no such document is refused") {
  for (const std::string& text :
       {std::string{"x"}, std::string{"[]"}, std::string{R"({"userinfo":[]})"},
        std::string{R"({"id_token":{"acr":1}})"}, std::string{R"({"id_token":{"acr":{"essential":"yes"}}})"},
        std::string{R"({"id_token":{"acr":{"values":"1"}}})"}, std::string{R"({"id_token":{"sub":{"value":1}}})"},
        std::string{R"({"userinfo":{},"userinfo":{}})"},
        R"({"userinfo":{"x":{"value":")" + std::string(5000, 'x') + R"("}}})"}) {
    CAPTURE(text.substr(0, 60));
    CHECK_FALSE(read_claims_request(text));
  }
}

}  // namespace
}  // namespace troupe::oauth
