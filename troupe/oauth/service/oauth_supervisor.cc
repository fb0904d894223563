// See oauth_supervisor.h.
#include "troupe/oauth/service/oauth_supervisor.h"

#include <limits>
#include <string>

#include "troupe/oauth/actor/expiry_actor.h"
#include "troupe/oauth/actor/owners.h"
#include "troupe/oauth/endpoint/discovery.h"
#include "troupe/oauth/endpoint/style.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {
namespace {

/// It never gives up on a child: back-off keeps a hopeless one quiet, the others go on serving, and the endpoints'
/// references stay good, which those of a tree that is built anew would not.
actor::Supervision without_end() {
  return {.intensity = {.restarts = std::numeric_limits<std::uint32_t>::max()},
          .backoff = {.attempts_max = actor::Backoff::unbounded},
          .decide = actor::on<store::Error>(actor::Directive::resume)};
}

actor::PoolOptions owners(std::string name, std::size_t cores) {
  actor::PoolOptions pool = owner_pool(std::move(name), cores);
  pool.supervision = without_end();
  return pool;
}

}  // namespace

OauthSupervisor::OauthSupervisor(OauthParts parts) : parts_(std::move(parts)) {}

void OauthSupervisor::started(actor::Context& context) {
  const auto& [storage, all_options, keys, passwords, watcher, endings, audit, fetcher, cores] = parts_;
  const SharedOptions options{all_options};
  // In the order in which they need each other: shutdown goes the other way round.
  actors_.keys = context.spawn<KeyActor>({.name = "keys"}, storage, keys);
  actors_.clients = context.spawn<ClientActor>({.name = "clients", .mailbox = crowd_mailbox}, storage,
                                               ClientActorParts{options->registrations_max, options->issuer, fetcher});
  actors_.users = context.spawn<UserActor>(
      {.name = "users", .mailbox = crowd_mailbox},
      UserActorParts{.storage = storage, .watcher = watcher, .options = options, .passwords = passwords});
  actors_.sessions = context.spawn<SessionActor>({.name = "sessions", .mailbox = crowd_mailbox},
                                                 SessionActorParts{storage, watcher, options});
  actors_.tokens = actor::pool<TokenActor>(context, owners("tokens", cores),
                                           TokenActorParts{storage, actors_.keys, watcher, options});
  actors_.codes = actor::pool<AuthActor>(
      context, owners("codes", cores), AuthActorParts{storage, actors_.clients, actors_.keys, actors_.tokens, options});
  actors_.trail = context.spawn<TrailActor>({.name = "trail"}, storage);
  actors_.log = context.spawn<LogActor>(log_actor_options(), storage);
  context.spawn<ExpiryActor>({.name = "expiry"}, ExpiryActorParts{storage, watcher, options});
  const auto logouts =
      context.spawn<LogoutActor>({.name = "logouts"}, LogoutActorParts{storage, actors_.keys, fetcher, options});
  context.spawn<ChangeActor>({.name = "changes"},
                             ChangeActorParts{storage, actors_.keys, actors_.clients, endings, audit, logouts});
}

OauthActors OauthSupervisor::handle(const GetOauthActors&) const { return actors_; }

actor::ActorOptions oauth_supervisor_options() { return {.name = "oauth", .supervision = without_end()}; }

ServicePtr make_service(OauthOptions options, const OauthActors& actors, base::Metrics* metrics) {
  std::string document = discovery_document(options);
  std::string etag = etag_of(document);
  ClientRates rates{options.client_requests};
  SessionRates session_rates{options.session_codes_per_minute};
  std::string style = stylesheet(options.look);
  std::string style_etag = etag_of(style);
  return std::make_shared<Service>(Service{.options = std::move(options),
                                           .discovery = std::move(document),
                                           .discovery_etag = std::move(etag),
                                           .style = base::Bytes{style},
                                           .style_etag = std::move(style_etag),
                                           .clients = actors.clients,
                                           .codes = actors.codes,
                                           .tokens = actors.tokens,
                                           .keys = actors.keys,
                                           .sessions = actors.sessions,
                                           .users = actors.users,
                                           .figures = std::make_unique<OauthFigures>(metrics),
                                           .rates = std::move(rates),
                                           .session_rates = std::move(session_rates)});
}

admin::ServicePtr make_admin_service(const OauthOptions& options, const OauthActors& actors) {
  return std::make_shared<const admin::Service>(admin::Service{.issuer = options.issuer,
                                                               .clients = actors.clients,
                                                               .users = actors.users,
                                                               .sessions = actors.sessions,
                                                               .tokens = actors.tokens,
                                                               .keys = actors.keys,
                                                               .trail = actors.trail,
                                                               .log = actors.log});
}

}  // namespace troupe::oauth
