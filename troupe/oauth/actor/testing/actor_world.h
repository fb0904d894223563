// ActorWorld: the actors of the authorization server without its endpoints, in a simulated
// system over a database in memory that outlives it; and the same actors in a real system.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/sim/world.h"
#include "troupe/oauth/actor/auth_actor.h"
#include "troupe/oauth/actor/change_actor.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/expiry_actor.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/owners.h"
#include "troupe/oauth/actor/session_actor.h"
#include "troupe/oauth/actor/testing/fixture.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/actor/user_actor.h"
#include "troupe/oauth/storage/schema.h"
#include "troupe/store/sqlite.h"

namespace troupe::oauth::fixture {

/// The disk of a simulated server: give it to the next ActorWorld to restart on it.
using Disk = std::shared_ptr<store::SqliteConnection>;

inline Disk new_disk() {
  Disk disk = store::SqliteConnection::in_memory();
  store::migrate(*disk, schema(), start);
  disk->transact([](store::Transaction& transaction) {
    SqlTables tables{transaction};
    fill(tables.all());
  });
  return disk;
}

/// Remembers what it was told; stands for the real-time service.
class Watcher {
 public:
  struct Seen {
    using reply = std::vector<TokensRevoked>;
  };
  void handle(TokensRevoked message) { seen_.push_back(std::move(message)); }
  std::vector<TokensRevoked> handle(Seen) { return seen_; }

 private:
  std::vector<TokensRevoked> seen_;
};

/// Asks the same thing many times at once and keeps the answers.
template <class A, class M>
class Crowd {
 public:
  static constexpr bool interleaves = true;
  struct Ask {};
  struct Answers {
    using reply = std::vector<actor::Answer<M>>;
  };

  Crowd(actor::Ref<A> target, M message) : target_(target), message_(std::move(message)) {}
  actor::Task<void> handle(Ask) {
    auto answer = co_await target_.ask(message_, {.within = std::chrono::seconds{60}});
    answers_.push_back(std::move(answer));
  }
  std::vector<actor::Answer<M>> handle(Answers) { return answers_; }

 private:
  actor::Ref<A> target_;
  M message_;
  std::vector<actor::Answer<M>> answers_;
};

inline OauthOptions usual_options() { return {.issuer = "https://issuer.example"}; }

/// The actors on `Where`, which is a test::World or a real System, and what tests ask of them.
template <class Where>
struct Actors {
  Where& where;
  std::size_t owner_count;  // of tokens, and of codes
  OauthOptions options;
  Storage storage;
  actor::Ref<Watcher> watcher = where.template spawn<Watcher>({.name = "watcher"});
  actor::Ref<KeyActor> keys =
      where.template spawn<KeyActor>({.name = "keys"}, storage, KeyOptions{.algorithms = {crypto::Algorithm::es256}});
  actor::Ref<ClientActor> clients =
      where.template spawn<ClientActor>({.name = "clients"}, storage, ClientActorParts{.issuer = options.issuer});
  actor::Ref<ChangeActor> changes = where.template spawn<ChangeActor>(
      {.name = "changes"}, ChangeActorParts{.storage = storage, .keys = keys, .clients = clients, .watcher = {}});
  actor::Ref<UserActor> users = where.template spawn<UserActor>(
      {.name = "users"}, UserActorParts{.storage = storage,
                                        .watcher = watcher,
                                        .options = options,
                                        .passwords = {.cost = {.memory_kib = 64, .passes = 1}}});
  actor::Ref<SessionActor> sessions =
      where.template spawn<SessionActor>({.name = "sessions"}, SessionActorParts{storage, watcher, options});
  actor::Ref<ExpiryActor> expiry =
      where.template spawn<ExpiryActor>({.name = "expiry"}, ExpiryActorParts{storage, watcher, options});
  actor::Ref<TokenActor> tokens = actor::pool<TokenActor>(
      where, owner_pool("tokens", owner_count),
      TokenActorParts{.storage = storage, .keys = keys, .watcher = watcher, .options = options});
  actor::Ref<AuthActor> codes = actor::pool<AuthActor>(
      where, owner_pool("codes", owner_count),
      AuthActorParts{.storage = storage, .clients = clients, .keys = keys, .tokens = tokens, .options = options});

  Actors(Where& on, std::shared_ptr<store::Engine> engine, std::size_t owners_of_each = 2,
         OauthOptions of_all = usual_options())
      : where(on),
        owner_count(owners_of_each),
        options(std::move(of_all)),
        storage(store::Database::start(on, std::move(engine))) {}

  ClientPtr client(const ClientId& id) { return where.block_on(clients.ask(GetClient{id})).value(); }

  /// What the user alice agrees to for `client`, as a code without PKCE.
  IssuedCode authorize(const ClientPtr& client, std::string_view scopes = "openid offline_access read",
                       base::UnixTime now = start) {
    base::SeededRandom random{7};
    const SessionId session{crypto::TokenIds{}.next(now, random).text()};
    CreateAuthCode message{.request = {.client = client,
                                       .redirect_uri = client->metadata.redirect_uris.front(),
                                       .audience = {options.issuer},
                                       .nonce = "n-1"},
                           .authentication = {.user = alice().user.id, .session = session, .time = now},
                           .scope = scope(scopes)};
    (void)where.block_on(users.ask(RecordConsent{alice().user.id, client->id, message.scope})).value();
    return where.block_on(codes.ask(std::move(message))).value();
  }

  ValidateAuthCode shown(const IssuedCode& code, const ClientPtr& client) {
    return {.code = code.code,
            .client = client,
            .redirect_uri = client->metadata.redirect_uris.front(),
            .code_verifier = ""};
  }

  auto redeem(const IssuedCode& code, const ClientPtr& client) {
    return where.block_on(codes.ask(shown(code, client)));
  }

  auto refresh(const TokenText& token, const ClientPtr& client) {
    return where.block_on(tokens.ask(RefreshToken{token, client, std::nullopt}));
  }

  bool is_active(const TokenText& token, const ClientPtr& client) {
    return where.block_on(tokens.ask(IntrospectToken{token, client})).value().has_value();
  }

  /// Starts `count` requests for the same thing, all on their way before the first is answered.
  template <class A, class M>
  auto crowd(actor::Ref<A> target, const M& message, int count) {
    using AskCrowd = Crowd<A, M>;
    auto crowd = where.template spawn<AskCrowd>(
        {.name = "crowd", .core = 1, .mailbox = {.capacity = 4096}, .in_flight_max = 4096}, target, message);
    for (int i = 0; i < count; ++i) crowd.tell(typename AskCrowd::Ask{});
    return crowd;
  }

  std::vector<TokensRevoked> revoked() { return where.block_on(watcher.ask(Watcher::Seen{})).value(); }
};

struct WorldOnDisk {
  actor::test::World world;
  Disk disk;

  /// For StartSession: since when the user's password is theirs, as their record has it.
  base::UnixTime password_since(const UserId& user) {
    return disk->transact([&](store::Transaction& transaction) {
      const auto record = SqlUsers{transaction}.find(user);
      return record ? record->password_changed_at : base::UnixTime{};
    });
  }
};

/// The actors in a simulated system.
struct ActorWorld : WorldOnDisk, Actors<actor::test::World> {
  explicit ActorWorld(actor::test::Seed seed, Disk on = new_disk(), std::size_t owners_of_each = 2,
                      OauthOptions of_all = usual_options())
      : WorldOnDisk{.world = actor::test::World{seed}, .disk = std::move(on)},
        Actors(world, store::sqlite_engine(disk), owners_of_each, std::move(of_all)) {}

  base::UnixTime now() { return world.manual_clock().wall(); }

  /// Of each actor of that type what it shows to an operator under `key`.
  std::vector<std::string> shown_by(std::string_view type, std::string_view key) {
    std::vector<std::string> shown;
    for (const actor::InspectedActor& each : world.block_on(world.system().inspect())) {
      if (each.type != type) continue;
      for (const auto& [name, value] : each.details)
        if (name == key) shown.push_back(value);
    }
    return shown;
  }

  template <class A, class M>
  std::vector<actor::Answer<M>> all_at_once(actor::Ref<A> target, const M& message, int count) {
    auto asking = crowd(target, message, count);
    world.advance(std::chrono::seconds{5});
    return world.block_on(asking.ask(typename Crowd<A, M>::Answers{})).value();
  }
};

}  // namespace troupe::oauth::fixture
