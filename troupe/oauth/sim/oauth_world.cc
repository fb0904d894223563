// See oauth_world.h.
#include "troupe/oauth/sim/oauth_world.h"

#include <stdexcept>

#include <fmt/format.h>
#include "troupe/base/check.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/service/routes.h"
#include "troupe/oauth/storage/schema.h"
#include "troupe/store/database.h"
#include "troupe/store/migration.h"
#include "troupe/store/sqlite.h"
#include "troupe/web/fetcher.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/url.h"

namespace troupe::oauth::test {

struct StoreState {
  Trouble trouble = Trouble::none;
};

namespace {

/// The database in memory, as long as there is no outage.
class FragileSession final : public store::Session {
 public:
  FragileSession(std::unique_ptr<store::Session> real, std::shared_ptr<StoreState> state)
      : real_(std::move(real)), state_(std::move(state)) {}
  store::Outcomes write(std::span<const store::Work> pieces) override { return whole().write(pieces); }
  store::Outcomes read(std::span<const store::Work> pieces) override { return whole().read(pieces); }

 private:
  store::Session& whole() {
    if (state_->trouble == Trouble::outage) throw store::Error{store::Failure::unavailable, 0, "the disk is gone"};
    if (state_->trouble == Trouble::surprise) throw std::runtime_error{"nobody expected this"};
    return *real_;
  }

  std::unique_ptr<store::Session> real_;
  std::shared_ptr<StoreState> state_;
};

class FragileEngine final : public store::Engine {
 public:
  FragileEngine(std::shared_ptr<store::Engine> real, std::shared_ptr<StoreState> state)
      : real_(std::move(real)), state_(std::move(state)) {}
  std::unique_ptr<store::Session> open() override { return std::make_unique<FragileSession>(real_->open(), state_); }
  bool reads_beside_writer() const noexcept override { return real_->reads_beside_writer(); }

 private:
  std::shared_ptr<store::Engine> real_;
  std::shared_ptr<StoreState> state_;
};

/// Runs endpoints as the connection of a socket would: each in a coroutine of this actor.
struct Exchange {
  web::Request request;
  std::shared_ptr<std::optional<web::Response>> response;
};

class Connection {
 public:
  static constexpr bool interleaves = true;
  explicit Connection(std::shared_ptr<web::Router> router) : router_(std::move(router)) {}

  Task<void> handle(Exchange exchange) {
    auto match = router_->match(exchange.request.method, exchange.request.path);
    if (auto* refused = std::get_if<web::Response>(&match)) {
      *exchange.response = std::move(*refused);
      co_return;
    }
    const web::Route* route = std::get<const web::Route*>(match);
    auto response = co_await route->handler(std::move(exchange.request));
    *exchange.response = std::move(response);
  }

 private:
  std::shared_ptr<web::Router> router_;
};

/// Stands for the way to the servers of clients: a Fetcher, which waits so long as that does and no longer.
class PlayedFetcher {
 public:
  static constexpr bool interleaves = true;
  explicit PlayedFetcher(std::shared_ptr<ClientServers> servers) : servers_(std::move(servers)) {}
  actor::Task<std::expected<web::Fetched, web::FetchFault>> handle(web::Fetch message, actor::Context& context) {
    servers_->asked.push_back(message);
    const base::Duration within = web::FetchRules{}.within;
    const bool is_hung = !servers_->hung.empty() && message.url.starts_with(servers_->hung);
    const base::Duration takes = is_hung ? within : std::min(servers_->takes, within);
    if (takes > base::Duration{}) co_await context.sleep(takes);
    if (takes == within) co_return std::unexpected(web::FetchFault::too_slow);
    if (!servers_->answer) co_return std::unexpected(web::FetchFault::unreachable);
    co_return servers_->answer(message);
  }

 private:
  std::shared_ptr<ClientServers> servers_;
};

wire::Json json_of(const web::Response& response) {
  const auto type = response.headers.get("content-type").value_or("");
  if (type != "application/json" && type != "application/problem+json") return {};
  return wire::parse_json(response.body.view(), {.bytes_max = 4 * 1024 * 1024}).value();
}

/// A form whose parameters are replaced by those of `changes`; "-" removes one.
wire::Form with_changes(const wire::Form& usual, std::string_view changes) {
  auto changed = wire::parse_form(changes).value();
  wire::Form form;
  for (const auto& [name, value] : usual) {
    if (!changed.get(name)) form.add(name, value);
  }
  for (const auto& [name, value] : changed) {
    if (value != "-") form.add(name, value);
  }
  return form;
}

/// The signing keys that the Key Actor would make at `now`. Generating an RSA key costs many times what a whole
/// schedule does, so all worlds of a process have the same.
std::vector<SigningKeyRecord> signing_keys(const KeyOptions& options, base::UnixTime now) {
  static std::map<crypto::Algorithm, SigningKeyRecord> made;
  std::vector<SigningKeyRecord> keys;
  for (const KeyOrder& order : keys_to_make({}, now, options)) {
    auto known = made.find(order.algorithm);
    if (known == made.end()) known = made.emplace(order.algorithm, make_key(order, now, options)).first;
    SigningKeyRecord& key = keys.emplace_back(known->second);
    key.created_at = now;
    key.signs_from = order.signs_from;
    key.signs_until = key.signs_from + options.sign;
    key.retired_at = key.signs_until + options.retain;
  }
  return keys;
}

ScopeSet scope(std::string_view text) { return ScopeSet::parse(text).value(); }

web::Request form_request(const std::string& path, const wire::Form& form, web::Headers headers) {
  web::Request request{.method = web::Method::post, .path = path, .headers = std::move(headers)};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.body = wire::write_form(form);
  return request;
}

}  // namespace

std::string Reply::at(std::string_view name) const {
  const std::string* text = json.string_at(name);
  return text ? *text : "";
}

wire::Form Reply::location_query() const {
  auto url = wire::parse_url(header("location"));
  return wire::parse_form(url && url->query ? *url->query : "").value();
}

// --- the browser

web::Request Browser::with_cookies(web::Request request) const {
  std::string header;
  for (const auto& [name, value] : cookies) header += (header.empty() ? "" : "; ") + name + "=" + value;
  if (!header.empty()) request.headers.add("Cookie", header);
  if (!user_agent.empty()) request.headers.add("User-Agent", user_agent);
  if (!accept_language.empty()) request.headers.add("Accept-Language", accept_language);
  return request;
}

void Browser::keep_cookies(const Reply& reply) {
  for (const auto& [name, value] : reply.http.headers) {
    if (name != "Set-Cookie") continue;
    std::string pair = value.substr(0, value.find(';'));
    std::size_t equals = pair.find('=');
    if (value.contains("Max-Age=0")) {
      cookies.erase(pair.substr(0, equals));
    } else {
      cookies[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }
}

Reply Browser::send(web::Request request) {
  Reply reply = world_->send(with_cookies(std::move(request)));
  keep_cookies(reply);
  return reply;
}

Reply Browser::get(const std::string& target) {
  std::size_t mark = std::min(target.find('?'), target.size());
  web::Request request{.method = web::Method::get, .path = target.substr(0, mark)};
  if (mark < target.size()) request.query = target.substr(mark + 1);
  return send(std::move(request));
}

Reply Browser::post(const std::string& path, const wire::Form& form, web::Headers more) {
  return send(form_request(path, form, std::move(more)));
}

Reply Browser::follow(Reply reply) {
  while (reply.header("location").starts_with("/")) reply = get(reply.header("location"));
  return reply;
}

Reply Browser::submit(const Reply& page, std::string_view action, wire::Form fields) {
  return send(filled(page, action, std::move(fields)));
}

Reply Browser::submit_twice(const Reply& page, std::string_view action, wire::Form fields) {
  const web::Request request = with_cookies(filled(page, action, std::move(fields)));
  Reply reply = std::move(world_->send_all({request, request}).back());
  keep_cookies(reply);
  return reply;
}

web::Request Browser::filled(const Reply& page, std::string_view action, wire::Form fields) const {
  constexpr std::string_view mark = "<input type=\"hidden\" name=\"";
  std::string_view html = page.body();
  for (std::size_t at = html.find(mark); at != std::string_view::npos; at = html.find(mark)) {
    html.remove_prefix(at + mark.size());
    std::size_t name_end = html.find('"');
    std::size_t value_begin = name_end + std::string_view{"\" value=\""}.size();
    std::size_t value_end = html.find('"', value_begin);
    std::string name{html.substr(0, name_end)};
    if (!fields.get(name)) fields.add(name, std::string{html.substr(value_begin, value_end - value_begin)});
  }
  return form_request(std::string{action}, fields, {{"Sec-Fetch-Site", "same-origin"}});
}

// --- the world

OauthWorld::OauthWorld(OauthWorldOptions options)
    : options_(std::move(options.oauth)),
      keys_(std::move(options.keys)),
      store_(std::make_shared<StoreState>()),
      world_(std::make_unique<actor::test::World>(options.seed)),
      router_(std::make_shared<web::Router>()) {
  disk_ = store::SqliteConnection::in_memory();
  store::migrate(*disk_, schema(), world_->manual_clock().wall());
  disk_->transact([&](store::Transaction& transaction) {
    SqlTables tables{transaction};
    for (const SigningKeyRecord& key : signing_keys(keys_, world_->manual_clock().wall())) {
      tables.all().keys.insert_signing(key);
    }
  });
  auto engine = std::make_shared<FragileEngine>(store::sqlite_engine(disk_), store_);
  OauthParts parts{.storage = Storage{store::Database::start(*world_, engine)},
                   .options = options_,
                   .keys = keys_,
                   .passwords = {.cost = {.memory_kib = 64, .passes = 1}, .breached = std::move(options.breached)},
                   .fetcher = world_->spawn<PlayedFetcher>(web::fetcher_options(), servers),
                   .cores = 2};
  auto root = world_->spawn<OauthSupervisor>(oauth_supervisor_options(), parts);
  actors_ = world_->block_on(root.ask(GetOauthActors{})).value();
  routes(*router_, make_service(options_, actors_, options.metrics));
  admin::routes(*router_, make_admin_service(options_, actors_));

  const std::vector all_grants{GrantType::authorization_code, GrantType::refresh_token, GrantType::client_credentials};
  const ClientMetadata shop{.name = "Web Shop",
                            .redirect_uris = {"https://shop.example/cb"},
                            .post_logout_redirect_uris = {"https://shop.example/bye"},
                            .grant_types = all_grants,
                            .scope = scope("openid profile email offline_access read write")};
  web_shop = add(shop);
  other_shop = add(shop);
  ClientMetadata opaque = shop;
  opaque.access_token_format = AccessTokenFormat::opaque;
  opaque_shop = add(opaque);
  ClientMetadata chatting = shop;
  chatting.scope = scope("offline_access notes topic:chat.*:subscribe");
  chat = add(chatting);
  phone = add({.name = "Phone",
               .auth_method = ClientAuthMethod::none,
               .redirect_uris = {"http://127.0.0.1/cb"},
               .grant_types = {GrantType::authorization_code, GrantType::refresh_token},
               .scope = scope("openid profile offline_access read")});
  api = add({.name = "API", .grant_types = {GrantType::client_credentials}, .scope = scope("introspect register")});
  add(alice);
  add(bob);
}

OauthWorld::~OauthWorld() = default;

ClientApp OauthWorld::add(ClientMetadata metadata) {
  if (std::ranges::count(keys_.algorithms, metadata.id_token_alg) == 0)
    metadata.id_token_alg = keys_.algorithms.front();
  std::string uri = metadata.redirect_uris.empty() ? "" : metadata.redirect_uris.front();
  auto made = world_->block_on(actors_.clients.ask(RegisterClient{std::move(metadata)})).value();
  return {made.client->id, made.secret ? made.secret->expose() : "", std::move(uri)};
}

void OauthWorld::add(const Person& person) {
  auto made = world_->block_on(actors_.users.ask(AddUser{.name = UserName{person.name},
                                                         .email = fmt::format("{}@example.com", person.name),
                                                         .password = crypto::Password{person.password}}));
  INVARIANT(made, "a person of the test world can be added");
}

std::string OauthWorld::authorization_query(const ClientApp& client, std::string_view changes) const {
  const wire::Form usual{{"client_id", client.id.value()},
                         {"redirect_uri", client.redirect_uri},
                         {"response_type", "code"},
                         {"scope", "openid profile offline_access read"},
                         {"state", "s1"},
                         {"nonce", "n1"},
                         {"code_challenge", std::string{challenge}},
                         {"code_challenge_method", "S256"}};
  return wire::write_form(with_changes(usual, changes));
}

std::string OauthWorld::authorize(const Person& person, const ClientApp& client, std::string_view changes) {
  Browser browser{*this};
  auto page = browser.follow(browser.get("/oauth/authorize?" + authorization_query(client, changes)));
  page = browser.follow(browser.submit(page, "/login", {{"username", person.name}, {"password", person.password}}));
  if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
  return std::string{page.location_query().get("code").value_or("")};
}

web::Request OauthWorld::token_request(const ClientApp& client, wire::Form form, const std::string& path) const {
  web::Request request{.method = web::Method::post, .path = path};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  if (client.secret.empty()) {
    if (!form.get("client_id")) form.add("client_id", client.id.value());
  } else {
    auto pair = wire::form_encode(client.id.value()) + ":" + wire::form_encode(client.secret);
    request.headers.add("Authorization", "Basic " + wire::to_base64(pair));
  }
  request.body = wire::write_form(form);
  return request;
}

Reply OauthWorld::post_as(const ClientApp& client, const std::string& path, wire::Form form) {
  return send(token_request(client, std::move(form), path));
}

Reply OauthWorld::redeem(const ClientApp& client, const std::string& code, std::string_view changes) {
  const wire::Form usual{{"grant_type", "authorization_code"},
                         {"code", code},
                         {"redirect_uri", client.redirect_uri},
                         {"code_verifier", std::string{verifier}}};
  return post_as(client, "/oauth/token", with_changes(usual, changes));
}

Reply OauthWorld::refresh(const ClientApp& client, const std::string& refresh_token, std::string_view changes) {
  const wire::Form usual{{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}};
  return post_as(client, "/oauth/token", with_changes(usual, changes));
}

Reply OauthWorld::introspect(const std::string& token) { return post_as(api, "/oauth/introspect", {{"token", token}}); }

bool OauthWorld::is_active(const std::string& token) {
  auto reply = introspect(token);
  const wire::Json* active = reply.json.find("active");
  INVARIANT(active && active->boolean(), "introspection answers whether the token is active");
  return *active->boolean();
}

Reply OauthWorld::userinfo(const std::string& token) {
  web::Request request{.method = web::Method::get, .path = "/oauth/userinfo"};
  request.headers.add("Authorization", "Bearer " + token);
  return send(std::move(request));
}

Reply OauthWorld::send(web::Request request) {
  std::vector<web::Request> requests;
  requests.push_back(std::move(request));
  return std::move(send_all(std::move(requests)).front());
}

web::Response OauthWorld::too_large(const web::Request& request) const {
  const web::Route* route = web::Router::route_in(router_->match(request.method, request.path));
  INVARIANT(route != nullptr && route->options.too_large != nullptr, "the path says what it answers");
  return web::in_place_of(route, route->options.too_large(request));
}

std::vector<Reply> OauthWorld::send_all(std::vector<web::Request> requests, const std::function<void()>& meanwhile) {
  auto connection = world_->spawn<Connection>({.mailbox = {.capacity = 4096}, .in_flight_max = 4096}, router_);
  std::vector<std::shared_ptr<std::optional<web::Response>>> responses;
  for (web::Request& request : requests) {
    responses.push_back(std::make_shared<std::optional<web::Response>>());
    connection.tell(Exchange{std::move(request), responses.back()});
  }
  if (meanwhile) meanwhile();
  world_->run_until_idle();
  std::vector<Reply> replies;
  for (auto& response : responses) {
    for (int seconds = 0; !*response && seconds < 60; ++seconds) world_->advance(std::chrono::seconds{1});
    INVARIANT(*response, "every request is answered");
    wire::Json json = json_of(**response);
    replies.push_back({std::move(**response), std::move(json)});
  }
  return replies;
}

void OauthWorld::advance(base::Duration by) { world_->advance(by); }
std::vector<AuditEvent> OauthWorld::events() {
  advance(std::chrono::milliseconds{100});  // refusals are noted behind their answers
  constexpr int all = 10'000;
  return disk_->transact([](store::Transaction& transaction) {
    auto newest_first = SqlAudit{transaction}.events(std::nullopt, all);
    std::ranges::reverse(newest_first);
    return newest_first;
  });
}
void OauthWorld::break_store(Trouble trouble) { store_->trouble = trouble; }
void OauthWorld::repair_store() { store_->trouble = Trouble::none; }

}  // namespace troupe::oauth::test
