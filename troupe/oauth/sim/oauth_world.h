// OauthWorld: the whole authorization server under one thread, virtual time and a seed, with
// two clients, a user, and a browser that keeps cookies. For tests only.
//
//   auto oauth = OauthWorld{{.seed = 7}};
//   auto code = oauth.authorize(alice, web_shop);
//   auto tokens = oauth.redeem(code);
//
// Requests take the way of real ones, through router and endpoint; only the sockets are missing.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/actor/sim/world.h"
#include "troupe/oauth/service/oauth_supervisor.h"
#include "troupe/store/sqlite.h"
#include "troupe/web/router.h"
#include "troupe/wire/form.h"
#include "troupe/wire/json.h"

namespace troupe::oauth::test {

/// Somebody who can sign in.
struct Person {
  const char* name;
  const char* password;
};

inline constexpr Person alice{"alice", "correct horse battery"};
inline constexpr Person bob{"bob", "staple of everything"};

/// A client as its own code sees it.
struct ClientApp {
  ClientId id;
  std::string secret;  // "" for a public one
  std::string redirect_uri;
};

/// An answer with its JSON already read.
struct Reply {
  web::Response http;
  wire::Json json;

  int status() const { return http.status; }
  std::string header(std::string_view name) const { return std::string{http.headers.get(name).value_or("")}; }
  std::string at(std::string_view name) const;
  std::string error() const { return at("error"); }
  std::string_view body() const { return http.body.view(); }
  /// The parameters in the query of its Location.
  wire::Form location_query() const;
};

/// The servers of clients, as a test plays them: asked by what stands here, in the order in which it happened.
struct ClientServers {
  std::vector<web::Fetch> asked;
  std::function<std::expected<web::Fetched, web::FetchFault>(const web::Fetch&)> answer;  // none: unreachable
  base::Duration takes{};                                                                 // each answer
  std::string hung;  // servers whose URLs begin so never answer; "" for none
};

struct OauthWorldOptions {
  actor::test::Seed seed = 1;
  OauthOptions oauth{};
  std::shared_ptr<const crypto::BreachedPasswords> breached{};
  KeyOptions keys{};  // many schedules do without RSA: reading such a key checks it, for as long as ten of them take
  base::Metrics* metrics = nullptr;  // what the endpoints count in; outlives the world
};

/// How a store fails: as databases do, or with an exception that nobody expects.
enum class Trouble : std::uint8_t { none, outage, surprise };

/// The trouble that the store of a world is in.
struct StoreState;

class OauthWorld;

/// A browser: cookies by name, one at a time.
class Browser {
 public:
  explicit Browser(OauthWorld& world) : world_(&world) {}

  Reply get(const std::string& target);
  Reply post(const std::string& path, const wire::Form& form, web::Headers more = {});
  /// Follows redirects within the server.
  Reply follow(Reply reply);
  /// Fills in the form of a page: hidden fields as they stand, and these.
  Reply submit(const Reply& page, std::string_view action, wire::Form fields);
  /// The same twice at once, as by a double click: gives the second answer, the only one that a browser then heeds.
  Reply submit_twice(const Reply& page, std::string_view action, wire::Form fields);

  /// The request as it stands, with the cookies.
  Reply send(web::Request request);

  std::map<std::string, std::string> cookies;
  std::string user_agent;       // "" for one that does not say
  std::string accept_language;  // the same

 private:
  /// The form of the page, filled in and ready to be sent.
  web::Request filled(const Reply& page, std::string_view action, wire::Form fields) const;
  web::Request with_cookies(web::Request request) const;
  void keep_cookies(const Reply& reply);

  OauthWorld* world_;
};

class OauthWorld {
 public:
  explicit OauthWorld(OauthWorldOptions options = {});
  ~OauthWorld();

  std::shared_ptr<ClientServers> servers = std::make_shared<ClientServers>();

  ClientApp web_shop;     // confidential, code + refresh + client_credentials
  ClientApp phone;        // public
  ClientApp other_shop;   // confidential too, knows nothing of the first
  ClientApp api;          // a resource server that may introspect every token
  ClientApp opaque_shop;  // gets opaque access tokens
  ClientApp chat;         // like the shop, for the topics chat.* of live delivery

  static constexpr std::string_view verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  static constexpr std::string_view challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

  /// A good authorization request of that client, as a query; `changes` replace its parameters, "-" removes one.
  std::string authorization_query(const ClientApp& client, std::string_view changes = "") const;

  /// The whole way of a person through the pages in a new browser: gives the code.
  std::string authorize(const Person& person, const ClientApp& client, std::string_view changes = "");

  /// The token request for a code, by the client's secret in the header where it has one.
  Reply redeem(const ClientApp& client, const std::string& code, std::string_view changes = "");
  Reply refresh(const ClientApp& client, const std::string& refresh_token, std::string_view changes = "");
  /// A POST with the client's authentication.
  Reply post_as(const ClientApp& client, const std::string& path, wire::Form form);
  Reply introspect(const std::string& token);
  bool is_active(const std::string& token);
  Reply userinfo(const std::string& token);

  /// A request as it stands.
  Reply send(web::Request request);
  /// What it is told if its body is over the limit of its path.
  web::Response too_large(const web::Request& request) const;
  /// All of them at once, as connections of their own would; `meanwhile` may run the world, and trouble it.
  std::vector<Reply> send_all(std::vector<web::Request> requests, const std::function<void()>& meanwhile = {});
  web::Request token_request(const ClientApp& client, wire::Form form, const std::string& path = "/oauth/token") const;

  ClientApp add(ClientMetadata metadata);

  void advance(base::Duration by);
  /// The audit trail, oldest first.
  std::vector<AuditEvent> events();
  actor::test::World& world() { return *world_; }
  const OauthActors& actors() const { return actors_; }
  const OauthOptions& options() const { return options_; }
  /// Where everything is kept, for who damages some of it.
  store::SqliteConnection& disk() { return *disk_; }
  /// From now on everything that the store is asked throws, until it is repaired.
  void break_store(Trouble trouble = Trouble::outage);
  void repair_store();

 private:
  void add(const Person& person);

  OauthOptions options_;
  KeyOptions keys_;
  std::shared_ptr<StoreState> store_;
  std::shared_ptr<store::SqliteConnection> disk_;
  std::unique_ptr<actor::test::World> world_;
  OauthActors actors_;
  std::shared_ptr<web::Router> router_;
};

}  // namespace troupe::oauth::test
