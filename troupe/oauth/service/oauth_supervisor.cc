// See oauth_supervisor.h.
#include "troupe/oauth/service/oauth_supervisor.h"

#include <limits>

#include <fmt/format.h>
#include "troupe/oauth/actor/expiry_actor.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {
namespace {

/// Spawns one on each core.
template <class A, class Parts>
actor::Pool<A> spawn_pool(actor::Context& context, std::string_view name, std::size_t cores, const Parts& parts) {
  std::vector<actor::Ref<A>> members;
  for (std::size_t core = 0; core < cores; ++core) {
    members.push_back(context.spawn<A>(
        actor::ActorOptions{.name = fmt::format("{}_{}", name, core), .core = static_cast<int>(core)}, parts));
  }
  return actor::Pool<A>{std::move(members)};
}

template <class Narrow, class A>
Narrow narrowed(const actor::Pool<A>& pool) {
  using Member = std::remove_cvref_t<decltype(std::declval<Narrow>().next())>;
  std::vector<Member> members;
  for (const actor::Ref<A>& member : pool.members()) members.push_back(member);
  return Narrow{std::move(members)};
}

}  // namespace

OauthSupervisor::OauthSupervisor(OauthParts parts) : parts_(std::move(parts)) {}

void OauthSupervisor::started(actor::Context& context) {
  const auto& [storage, options, keys, password_cost, watcher, endings, cores] = parts_;
  // In the order in which they need each other: shutdown goes the other way round.
  actors_.keys = context.spawn<KeyActor>({.name = "keys"}, storage, keys);
  actors_.clients = context.spawn<ClientActor>({.name = "clients"}, storage);
  actors_.users = context.spawn<UserActor>(
      {.name = "users"}, UserActorParts{.storage = storage, .watcher = watcher, .passwords = {.cost = password_cost}});
  actors_.sessions = context.spawn<SessionActor>({.name = "sessions"}, storage, options);
  actors_.tokens =
      spawn_pool<TokenActor>(context, "tokens", cores, TokenActorParts{storage, actors_.keys, watcher, options});
  actors_.codes =
      spawn_pool<AuthActor>(context, "codes", cores,
                            AuthActorParts{storage, actors_.clients, actors_.keys, actors_.tokens, watcher, options});
  context.spawn<ExpiryActor>({.name = "expiry"}, storage, options);
  if (endings) context.spawn<EndingActor>({.name = "endings"}, storage, endings);
}

OauthActors OauthSupervisor::handle(const GetOauthActors&) const { return actors_; }

actor::ActorOptions oauth_supervisor_options() {
  // It never gives up on a child: back-off keeps a hopeless one quiet, the others go on serving, and the endpoints'
  // references stay good, which those of a tree that is built anew would not.
  constexpr std::uint32_t without_end = std::numeric_limits<std::uint32_t>::max();
  return {.name = "oauth",
          .supervision = {.intensity = {.restarts = without_end},
                          .decide = actor::on<store::Error>(actor::Directive::resume)}};
}

ServicePtr make_service(OauthOptions options, const OauthActors& actors) {
  return std::make_shared<Service>(Service{.options = std::move(options),
                                           .clients = actors.clients,
                                           .codes = narrowed<CodePool>(actors.codes),
                                           .tokens = narrowed<TokenPool>(actors.tokens),
                                           .keys = actors.keys,
                                           .sessions = actors.sessions,
                                           .users = actors.users});
}

}  // namespace troupe::oauth
