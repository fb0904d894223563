// ToyServer: an authorization server small enough to be read at once, with holes that tests may open.
//
// In memory, for one thread: it answers each request of a "moment" one after the other. It knows one user, one client
// and PKCE, and nothing of what no test asks it. It is right unless told to be wrong.
#pragma once

#include <fmt/format.h>

#include <map>

#include "troupe/attack/address.h"
#include "troupe/attack/http/transport.h"
#include "troupe/attack/target.h"
#include "troupe/attack/trial.h"
#include "troupe/crypto/digest.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::attack::testing {

struct Holes {
  bool redirects_by_prefix = false;  // a redirect URI that begins with the registered one is taken
  bool spends_codes_twice = false;
  bool keeps_tokens_of_replayed_codes = false;
  bool logs_out_anywhere = false;  // post_logout_redirect_uri is followed as it is
  bool forgets_pkce = false;
  bool fails = false;               // 500 at the token endpoint
  bool registers_anything = false;  // whoever asks, with whatever addresses
  bool shows_registrations = false;
  bool believes_unsigned = false;  // client assertions without a signature
};

/// What it offers beyond the least; off, so that tests see rows that do not apply.
enum class Extras { none, registration_and_assertions };

inline constexpr const char* toy_issuer = "http://toy.example";
inline constexpr const char* toy_callback = "https://client.example/callback";

class ToyServer final : public Transport {
 public:
  explicit ToyServer(Holes holes = {}, Extras extras = Extras::none) : holes_(holes), extras_(extras) {}

  std::vector<Answer> send_at_once(const std::vector<Request>& requests) override {
    std::vector<Answer> answers;
    for (const Request& request : requests) answers.push_back(answer(request));
    return answers;
  }
  std::string send_raw(const std::string&, const std::string&) override { return "HTTP/1.1 400 Bad Request\r\n\r\n"; }
  void wait(base::Duration) override {}

  static TargetOptions options() {
    TargetOptions options;
    options.url = toy_issuer;
    options.client = {"shop", base::Secret<std::string>{"shop secret"}, toy_callback, "", "openid"};
    options.registration_token = base::Secret<std::string>{"initial"};
    options.user = {"alice", Password{"correct horse"}};
    return options;
  }

 private:
  struct Issued {
    std::string challenge;
    std::string token;  // what the first redemption gave
  };

  Answer answer(const Request& request) {
    const std::string origin = toy_issuer;
    if (!request.url.starts_with(origin)) return {.status = 404};
    const std::string path = request.url.substr(origin.size(), request.url.find('?') - origin.size());
    const auto query = query_of(request.url);
    const auto body = wire::parse_form(request.body).value_or(wire::Form{});
    if (path == "/.well-known/openid-configuration") return discovery();
    if (path == "/authorize") return authorize(query);
    if (path == "/login") return log_in(query, body);
    if (path == "/token") return holes_.fails ? Answer{.status = 500} : token(request, body);
    if (path == "/introspect") return introspect(body);
    if (path == "/logout") return log_out(query);
    if (path.starts_with("/register")) return registration(request, path);
    return {.status = 404};
  }

  static Answer json(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, std::move(body), ""};
  }
  static Answer page(int status, std::string body) {
    return {status, {{"Content-Type", "text/html"}}, std::move(body), ""};
  }
  static Answer redirect(std::string to) { return {303, {{"Location", std::move(to)}}, "", ""}; }

  Answer discovery() const {
    constexpr auto more = R"(,"registration_endpoint":"http://toy.example/register",)"
                          R"("token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"])";
    return json(200,
                fmt::format(R"({{"issuer":"{0}","authorization_endpoint":"{0}/authorize","token_endpoint":"{0}/token",)"
                            R"("introspection_endpoint":"{0}/introspect","end_session_endpoint":"{0}/logout"{1}}})",
                            toy_issuer, extras_ == Extras::none ? "" : more));
  }

  static bool is_sound(const wire::Json& metadata) {
    for (const char* name : {"jwks_uri", "sector_identifier_uri", "backchannel_logout_uri"}) {
      const std::string* url = metadata.string_at(name);
      if (url != nullptr && !url->starts_with("https://")) return false;
    }
    const std::string* uri = metadata.find("redirect_uris")->array()->front().string();
    return uri->starts_with("https://") && uri->size() > 8 && !uri->contains('#');
  }

  static std::string bearer_of(const Request& request) {
    for (const Field& field : request.fields) {
      if (field.name == "Authorization" && field.value.starts_with("Bearer ")) return field.value.substr(7);
    }
    return "";
  }

  Answer registration(const Request& request, const std::string& path) {
    if (path != "/register") {
      const bool is_theirs = holes_.shows_registrations || path == "/register/" + bearer_of(request);
      return is_theirs ? json(request.method == "DELETE" ? 204 : 200, "{}") : json(401, R"({"error":"invalid_token"})");
    }
    const auto metadata = wire::parse_json(request.body);
    if (!holes_.registers_anything) {
      if (bearer_of(request) != "initial") return json(401, R"({"error":"invalid_token"})");
      if (metadata->find("software_statement")) return refuse("invalid_software_statement");
      if (!is_sound(*metadata)) return refuse("invalid_redirect_uri");
    }
    const std::string id = fmt::format("c{}", ++registered_);
    const std::string* jwks_uri = metadata->string_at("jwks_uri");
    return json(201, fmt::format(R"({{"client_id":"{0}","registration_client_uri":"{1}/register/{0}",)"
                                 R"("registration_access_token":"{0}","jwks_uri":"{2}"}})",
                                 id, toy_issuer, jwks_uri ? *jwks_uri : ""));
  }

  bool is_registered(const std::string& redirect_uri) const {
    if (holes_.redirects_by_prefix) return redirect_uri.starts_with(toy_callback);
    return redirect_uri == toy_callback;
  }

  Answer authorize(const wire::Form& query) {
    if (value_in(query, "client_id") != "shop" || !is_registered(value_in(query, "redirect_uri")))
      return page(400, "<p>No.</p>");
    const std::string flow = fmt::format("flow{}", ++flows_);
    asked_[flow] = query;
    return redirect("/login?flow=" + flow);
  }

  Answer log_in(const wire::Form& query, const wire::Form& body) {
    const std::string flow = value_in(body.empty() ? query : body, "flow");
    if (!asked_.contains(flow)) return page(400, "<p>No such flow.</p>");
    if (value_in(body, "password") != "correct horse" || value_in(body, "name") != "alice")
      return page(body.empty() ? 200 : 400,
                  fmt::format("<form method=post action='/login'><input type=hidden name=flow value={}>"
                              "<input name=name><input type=password name=password><button>Sign in</button></form>",
                              flow));
    const wire::Form asked = asked_[flow];
    const std::string code = fmt::format("code-{}", ++codes_made_);
    codes_[code] = {value_in(asked, "code_challenge"), ""};
    return redirect(wire::add_query(value_in(asked, "redirect_uri"),
                                    {{"code", code}, {"state", value_in(asked, "state")}, {"iss", toy_issuer}}));
  }

  static Answer refuse(std::string_view error) { return json(400, fmt::format(R"({{"error":"{}"}})", error)); }

  Answer token(const Request& request, const wire::Form& body) {
    const std::string assertion = value_in(body, "client_assertion");
    bool is_shop = holes_.believes_unsigned && assertion.ends_with('.');
    for (const Field& field : request.fields) is_shop = is_shop || field.value == basic_header("shop", "shop secret");
    if (!is_shop) return json(401, R"({"error":"invalid_client"})");
    const auto code = codes_.find(value_in(body, "code"));
    if (code == codes_.end()) return refuse("invalid_grant");
    Issued& issued = code->second;
    const std::string proof = wire::to_base64url(crypto::sha256(value_in(body, "code_verifier")).view());
    if (proof != issued.challenge && !holes_.forgets_pkce) return refuse("invalid_grant");
    if (!issued.token.empty() && !holes_.spends_codes_twice) {
      if (!holes_.keeps_tokens_of_replayed_codes) active_.erase(issued.token);
      return refuse("invalid_grant");
    }
    issued.token = fmt::format("token-{}", ++tokens_made_);
    active_[issued.token] = true;
    return json(200, fmt::format(R"({{"access_token":"{}","token_type":"Bearer"}})", issued.token));
  }

  Answer introspect(const wire::Form& body) {
    return json(200, active_.contains(value_in(body, "token")) ? R"({"active":true})" : R"({"active":false})");
  }

  Answer log_out(const wire::Form& query) {
    const std::string to = value_in(query, "post_logout_redirect_uri");
    return holes_.logs_out_anywhere && !to.empty() ? redirect(to) : page(200, "<p>Signed out.</p>");
  }

  Holes holes_;
  Extras extras_;
  int registered_ = 0;
  int flows_ = 0, codes_made_ = 0, tokens_made_ = 0;
  std::map<std::string, wire::Form> asked_;
  std::map<std::string, Issued> codes_;
  std::map<std::string, bool> active_;
};

}  // namespace troupe::attack::testing
