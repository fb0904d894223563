// Office: somebody who administers a test world over HTTP, with a token for each scope.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {

/// A world whose keys are made in no time.
inline OauthWorldOptions quick(actor::test::Seed seed) {
  return {.seed = seed, .keys = {.algorithms = {crypto::Algorithm::es256}}};
}

class Office {
 public:
  explicit Office(OauthWorld& oauth) : oauth_(oauth) {
    std::string scopes = "admin introspect";
    for (const admin::Call& call : admin::calls()) scopes += " " + std::string{call.scope};
    desk = add(scopes);
  }

  /// A client that acts for itself and may have these scopes, each of which may stand there twice.
  ClientApp add(const std::string& scopes) {
    const ClientMetadata metadata{
        .name = "Desk", .grant_types = {GrantType::client_credentials}, .scope = ScopeSet::parse(scopes).value()};
    auto made = oauth_.world().block_on(oauth_.actors().clients.ask(RegisterClient{metadata})).value();
    return {made.client->id, made.secret->expose(), ""};
  }

  /// A token of the desk with this scope; one for all who ask for it.
  const std::string& token(const std::string& scope) {
    std::string& known = tokens_[scope];
    if (known.empty()) {
      known = oauth_.post_as(desk, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", scope}})
                  .at("access_token");
      REQUIRE_FALSE(known.empty());
    }
    return known;
  }

  /// `target` is a path below /admin/v1 with its query.
  web::Request request(web::Method method, std::string target, std::string body = {}, web::Headers headers = {}) {
    web::Request request{.method = method, .headers = std::move(headers)};
    const auto mark = std::min(target.find('?'), target.size());
    request.path = "/admin/v1" + target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    if (!request.headers.has("Authorization")) request.headers.add("Authorization", "Bearer " + token("admin"));
    if (!body.empty() && !request.headers.has("Content-Type")) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    return request;
  }

  Reply ask(web::Method method, std::string target, std::string body = {}, web::Headers headers = {}) {
    return oauth_.send(request(method, std::move(target), std::move(body), std::move(headers)));
  }
  Reply get(std::string target) { return ask(web::Method::get, std::move(target)); }
  Reply post(std::string target, std::string body = {}) {
    return ask(web::Method::post, std::move(target), std::move(body));
  }
  Reply remove(std::string target) { return ask(web::Method::delete_, std::move(target)); }
  /// As somebody with this token.
  Reply ask_with(const std::string& token, web::Method method, std::string target, std::string body = {},
                 web::Headers headers = {}) {
    headers.add("Authorization", "Bearer " + token);
    return ask(method, std::move(target), std::move(body), std::move(headers));
  }

  /// One member of each row of a list.
  std::vector<std::string> column(const Reply& reply, std::string_view list, std::string_view member) {
    std::vector<std::string> texts;
    const wire::Json* rows = reply.json.find(list);
    REQUIRE(rows != nullptr);
    REQUIRE(rows->array() != nullptr);
    for (const wire::Json& row : *rows->array()) {
      const std::string* text = row.string_at(member);
      texts.push_back(text != nullptr ? *text : "");
    }
    return texts;
  }

  /// By whom all events of that kind were brought about, the newest first.
  std::vector<std::string> causes(const std::string& kind) {
    return column(get("/events?kind=" + kind), "events", "by");
  }
  std::string me() const { return "client " + desk.id.value(); }

  /// The `sub` of somebody who can sign in.
  std::string sub_of(const Person& person) {
    const auto users = oauth_.world().block_on(oauth_.actors().users.ask(ListUsers{})).value();
    for (const User& user : users)
      if (user.name.value() == person.name) return user.id.value();
    return {};
  }

  ClientApp desk;

 private:
  OauthWorld& oauth_;
  std::map<std::string, std::string> tokens_;
};

}  // namespace troupe::oauth::test
