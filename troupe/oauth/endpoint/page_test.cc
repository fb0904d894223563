// Pages: text from outside stays text, and nothing runs or is framed.
#include "troupe/oauth/endpoint/page.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace troupe::oauth {
namespace {

constexpr auto attack = "<script>alert('x')</script>\"&";

FormPlace place() { return {FlowId{"f1"}, CsrfToken{std::string{"t1"}}}; }

const User alice_here{.id = UserId{"u1"}, .name = UserName{"alice"}};

AuthRequest hostile_request() {
  auto client = std::make_shared<Client>();
  client->metadata.name = attack;
  return {.client = client, .redirect_uri = "https://app.example/cb", .scope = ScopeSet::parse("<b> openid").value()};
}

TEST_CASE("what comes from outside is text on our pages in every language, never markup (T24)") {
  auto request = hostile_request();
  const LogoutRequest logout{.client_id = attack, .state = attack};
  const std::string address = std::string{"https://a.example/"} + attack;
  for (const Language language : {Language::english, Language::german}) {
    for (const auto& response :
         {login_page(200, place(), {language, attack, attack, attack}),
          consent_page(language, place(), request,
                       {.id = UserId{std::string{attack}}, .name = UserName{std::string{attack}}}),
          logout_page(language, logout, CsrfToken{std::string{attack}}), signed_out_page(language, address),
          error_page({.code = attack, .description = attack}, language)}) {
      CHECK_FALSE(response.body.view().contains("<script"));
      CHECK_FALSE(response.body.view().contains("<b>"));
      CHECK(response.body.view().contains("&lt;script&gt;"));
      CHECK(response.body.view().contains(std::string{"<html lang=\""} + std::string{tag_of(language)} + "\">"));
    }
  }
}

TEST_CASE("pages run nothing, load nothing but their style and the logo, and stand in no frame (T24, T28, T32, T56)") {
  auto response = login_page(200, place(), {.client = "Shop"});
  CHECK_EQ(response.headers.get("content-security-policy"),
           "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'");
  CHECK_EQ(response.headers.get("x-frame-options"), "DENY");
  CHECK_EQ(response.headers.get("referrer-policy"), "no-referrer");
  CHECK_EQ(response.headers.get("cache-control"), "no-store");
}

TEST_CASE("what a scope of topics allows is said in words, and a scope that we do not know as it is") {
  AuthRequest request = hostile_request();
  request.scope =
      ScopeSet::parse("topic:chat.*:subscribe topic:chat.<b:publish topic:>:subscribe topic:>:publish orders:read")
          .value();
  const auto consent = consent_page(Language::english, place(), request, alice_here).body;
  for (const std::string_view item :
       {"Receive the messages of <bdi>chat.*</bdi>", "Send messages to <bdi>chat.&lt;b</bdi>",
        "Receive the messages of all topics", "Send messages to all topics", "<bdi>orders:read</bdi>"}) {
    CAPTURE(item);
    CHECK(consent.view().contains(fmt::format("<li>{}</li>", item)));
  }
  CHECK(consent_page(Language::german, place(), request, alice_here)
            .body.view()
            .contains("<li>Die Nachrichten von <bdi>chat.*</bdi> empfangen</li>"));
}

TEST_CASE("names of others stand apart in our sentences, so that their direction turns nothing around them") {
  constexpr auto hebrew = "\u05d7\u05e0\u05d5\u05ea";
  const std::string apart = fmt::format("<bdi>{}</bdi>", hebrew);
  auto request = hostile_request();
  auto client = std::make_shared<Client>();
  client->metadata.name = hebrew;
  request.client = client;
  request.redirect_uri = std::string{hebrew};
  const User user{.id = UserId{"u1"}, .name = UserName{hebrew}};
  const auto consent = consent_page(Language::english, place(), request, user).body;
  for (const std::string& sentence :
       {"<h1>Allow " + apart + "?</h1>", "as <strong>" + apart + "</strong>. " + apart + " asks to:",
        "The answer goes to " + apart + ".", fmt::format("<title>Allow \u2068{}\u2069?</title>", hebrew)}) {
    CAPTURE(sentence);
    CHECK(consent.view().contains(sentence));
  }
  CHECK(login_page(200, place(), {.client = hebrew}).body.view().contains("to continue to " + apart));
  CHECK(signed_out_page(Language::english, hebrew).body.view().contains(apart + "</a>"));
}

TEST_CASE("each form carries its flow and the token of its page") {
  auto body = consent_page(Language::english, place(), hostile_request(), alice_here).body;
  CHECK(body.view().contains(R"(name="flow" value="f1")"));
  CHECK(body.view().contains(R"(name="csrf" value="t1")"));
  CHECK(body.view().contains("Know who you are here"));
  CHECK(body.view().contains("app.example"));
}

}  // namespace
}  // namespace troupe::oauth
