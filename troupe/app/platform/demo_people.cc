// See demo_people.h. The client is found again by its name, so a second start makes no other.
#include "troupe/app/platform/demo_people.h"

#include <fmt/format.h>

#include "troupe/app/command/admin_work.h"
#include "troupe/crypto/password.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/user_actor.h"
#include "troupe/wire/url.h"

namespace troupe::app {
namespace {

constexpr const char* client_name = "Troupe demo";
constexpr const char* client_scope = "openid profile offline_access topic:chat.*:subscribe topic:chat.*:publish";

oauth::ClientMetadata demo_metadata(const Config& config) {
  oauth::ClientMetadata metadata;
  metadata.name = client_name;
  metadata.auth_method = oauth::ClientAuthMethod::none;
  metadata.redirect_uris = {config.oauth.issuer + "/demo/"};
  const auto issuer = wire::parse_url(config.oauth.issuer);
  const std::string port = issuer->port ? fmt::format(":{}", *issuer->port) : "";
  for (const auto* host : {"127.0.0.1", "localhost"}) {
    const auto uri = fmt::format("{}://{}{}/demo/", issuer->scheme, host, port);
    if (std::ranges::find(metadata.redirect_uris, uri) == metadata.redirect_uris.end()) {
      metadata.redirect_uris.push_back(uri);
    }
  }
  metadata.grant_types = {oauth::GrantType::authorization_code, oauth::GrantType::refresh_token};
  metadata.scope = *oauth::ScopeSet::parse(client_scope);
  return metadata;
}

void ensure_user(AdminWork& admin) {
  const oauth::UserName name{demo_user};
  const bool there =
      admin.transact(Missing::make, [&](oauth::Tables& t) { return t.users.find_by_name(name).has_value(); });
  if (there) return;
  const auto hash = crypto::hash_password(crypto::Password{demo_password}, crypto::PasswordCost{},
                                          crypto::fresh_salt(admin.random()));
  const auto user = oauth::make_user(name, "demo@example.org", hash.value(), admin.now(), admin.random());
  admin.transact([&](oauth::Tables& tables) { tables.users.insert(user); });
}

/// The client, with redirect URIs for the address that is served now.
oauth::ClientId ensure_client(AdminWork& admin) {
  const oauth::ClientMetadata metadata = demo_metadata(admin.config());
  return admin.transact([&](oauth::Tables& tables) {
    for (auto& row : tables.clients.list({}, 1000)) {
      if (!row) continue;  // damaged: were it the one that is looked for, another is made
      oauth::Client& client = *row;
      if (client.metadata.name != client_name || !client.is_public()) continue;
      if (client.metadata.redirect_uris != metadata.redirect_uris) {
        client.metadata.redirect_uris = metadata.redirect_uris;
        ++client.version;
        tables.clients.update(client);
      }
      return client.id;
    }
    const auto made = oauth::make_client(metadata, admin.now(), admin.ids(), admin.random());
    tables.clients.insert(made.client);
    return made.client.id;
  });
}

}  // namespace

DemoClient prepare_demo(const Config& config) {
  AdminWork admin{config};
  ensure_user(admin);
  return {.client_id = ensure_client(admin).value(), .scope = client_scope};
}

std::string demo_instructions(const Config& config) {
  return fmt::format(
      "development mode: limits are generous, and a demo user and client are there\n"
      "  chat    open {0}/demo/ in two browsers; sign in as \"{1}\", password \"{2}\"\n"
      "  people  echo 'a good password' | troupe user add NAME --password-stdin --data {3}\n"
      "  clients troupe client add --name NAME --grant client_credentials --scope \"topic:>:subscribe "
      "topic:>:publish\" "
      "--data {3}\n",
      config.oauth.issuer, demo_user, demo_password, config.server.data_dir);
}

}  // namespace troupe::app
