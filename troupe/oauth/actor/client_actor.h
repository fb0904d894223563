// Client Actor: owns the registrations of clients, and the hashes of their secrets.
//
// A wrong secret and a client that does not exist get the same answer in the same time.
// Secrets are shown once, when they are made; only their hashes are kept. At most two are
// good at a time, so that one can be replaced while the other is in use. A client that proves
// itself by a key of its own shows each of its assertions once, across restarts too. A client
// that has registered itself manages its registration by a token, which each change replaces.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/client_key_cache.h"
#include "troupe/oauth/actor/client_origins.h"
#include "troupe/oauth/actor/refusal_budget.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// What a client is told when it is registered.
struct ClientCredentials {
  ClientPtr client;
  std::optional<ClientSecret> secret;             // nothing for a public client
  std::optional<RegistrationToken> registration;  // for one that manages itself
};

/// Registers a new client. Errors: those of `fault_in`; too_many_requests where as many manage themselves as may.
struct RegisterClient {
  ClientMetadata metadata;
  enum class Managed : std::uint8_t { by_operator, by_itself } managed = Managed::by_operator;
  Cause cause{};
  using reply = ClientCredentials;
  using error = OauthError;
};

/// The client that a registration token is of (RFC 7592). Errors, as of the next two: invalid_token for a wrong one,
/// and for a client that is gone.
struct GetRegistration {
  ClientId id;
  RegistrationToken token;
  using reply = ClientPtr;
  using error = OauthError;
};

/// Replaces its metadata; the token is good no longer, the answer bears the next one. Where an operator has changed the
/// client before, its scope, grants and freedom from PKCE become no more than they are. Errors: those of `fault_in`,
/// too; invalid_client_metadata where a public client would become a confidential one, or the reverse, where no grant
/// is left, and for a secret that is not the client's: it may repeat its own, and cannot choose one.
struct UpdateRegistration {
  ClientId id;
  RegistrationToken token;
  ClientMetadata metadata;
  std::optional<ClientSecret> secret{};
  Cause cause{};
  using reply = ClientCredentials;
  using error = OauthError;
};

/// The client of that id, null when there is none or it was deleted. A disabled one is found. Errors: server_error
/// where its row in the database is damaged, as for all that ask for one client by its id.
struct GetClient {
  ClientId id;
  using reply = ClientPtr;
  using error = OauthError;
};

/// All clients that are not deleted, by id; without those whose rows are damaged, which are told in the log.
struct ListClients {
  using reply = std::vector<ClientPtr>;
};

/// A part of the clients, by id.
struct ClientPage {
  enum class Rest : std::uint8_t { none, more };
  std::vector<ClientPtr> clients;
  std::vector<DamagedClient> damaged;  // between these, by id
  ClientId last;                       // of both
  Rest rest = Rest::none;              // behind the last; more only where there is a last
};

/// Clients that are not deleted, by id: those behind `after`, at most `count`, and none behind those that take
/// `bytes_max` together, which strangers who register make as large as they may.
struct ListClientPage {
  ClientId after;
  int count = 100;
  std::size_t bytes_max = 1024 * 1024;
  using reply = ClientPage;
};

/// Whether pages of this origin ("https://app.example") are a public client's: one of its redirect URIs is there.
struct IsClientOrigin {
  std::string origin;
  using reply = bool;
};

/// Who is asking? Checks what a request presented: the id, how it came, and the secret ("" for `none`).
/// Errors: invalid_client, without telling whether the client is unknown, disabled, or the secret wrong.
struct ValidateClient {
  ClientId id;
  ClientAuthMethod presented = ClientAuthMethod::none;  // none, client_secret_basic or client_secret_post
  ClientSecret secret;
  Cause cause{};
  using reply = ClientPtr;
  using error = OauthError;
};

/// The same for a client that signs what it says (RFC 7523): the assertion holds, is of `named` where the request names
/// a client beside it, and has not been shown before. Errors: invalid_client, without telling why;
/// temporarily_unavailable where its keys are elsewhere and could not be asked for.
struct ValidateAssertion {
  TokenText assertion;
  std::optional<ClientId> named;
  Cause cause{};
  using reply = ClientPtr;
  using error = OauthError;
};

/// Replaces the metadata of a client, enables or disables it; it then widens nothing any more by itself. Errors:
/// invalid_client for an unknown one, those of `fault_in` for other metadata, changed_meanwhile where the version that
/// was named is not the present one.
struct UpdateClient {
  ClientId id;
  ClientMetadata metadata;
  ClientState state = ClientState::enabled;
  std::optional<std::int64_t> version{};  // nothing: whatever it is
  Cause cause{};
  using reply = ClientPtr;
  using error = OauthError;
};

/// A client is gone, and every token of it: tokens of a client that is not known are not active.
struct ClientDeleted {};

/// Errors: invalid_client for an unknown one, changed_meanwhile as for UpdateClient.
struct DeleteClient {
  ClientId id;
  std::optional<std::int64_t> version{};
  Cause cause{};
  using reply = ClientDeleted;
  using error = OauthError;
};

/// A secret that is shown this once.
struct FreshSecret {
  ClientSecret secret;
};

/// Gives a client another secret. The newest of those before stays good for `overlap`, any other ends now. Errors:
/// invalid_client for an unknown one, invalid_client_metadata for a public one, which has none, and changed_meanwhile
/// as for UpdateClient.
struct RenewClientSecret {
  ClientId id;
  std::chrono::seconds overlap{0};
  std::optional<std::int64_t> version{};
  Cause cause{};
  using reply = FreshSecret;
  using error = OauthError;
};

struct DeleteRegistration {
  ClientId id;
  RegistrationToken token;
  Cause cause{};
  using reply = ClientDeleted;
  using error = OauthError;
};

/// A client got no token, for what it asked for is not its own. Noted in the audit trail, as far as the budget of
/// refusals goes; nobody waits for it.
struct RefusedGrant {
  ClientId id;              // who has asked
  std::string_view reason;  // a literal: "wider_scope"
  Cause cause{};
};

/// A request to register, or to manage a registration, was refused. Noted in the audit trail, as far as the budget of
/// refusals goes.
struct RegistrationRefused {
  std::optional<ClientId> id;  // whose registration it was, if one was named
  std::string reason;          // the code of the error
  Cause cause{};
};

/// Told twice a second by the Change Actor: the generation of the kept clients, which another process may have changed.
struct ClientsSeen {
  std::int64_t generation;
};

struct ClientActorParts {
  std::size_t registrations_max = OauthOptions{}.registrations_max;
  std::string issuer{};  // whom assertions must be for: this, or its token endpoint
  FetchRef fetcher{};    // none: keys that would have to be fetched are not there
};

class ClientActor {
 public:
  static constexpr bool interleaves = true;  // a client that is read from the database holds up no other

  explicit ClientActor(Storage storage, ClientActorParts parts = {});

  actor::Task<std::expected<ClientCredentials, OauthError>> handle(RegisterClient message, actor::Context& context);
  actor::Task<std::expected<ClientPtr, OauthError>> handle(GetClient message);
  actor::Task<bool> handle(IsClientOrigin message);
  actor::Task<std::vector<ClientPtr>> handle(ListClients message);
  actor::Task<ClientPage> handle(ListClientPage message);
  actor::Task<std::expected<ClientPtr, OauthError>> handle(ValidateClient message, actor::Context& context);
  actor::Task<std::expected<ClientPtr, OauthError>> handle(ValidateAssertion message, actor::Context& context);
  actor::Task<std::expected<ClientPtr, OauthError>> handle(UpdateClient message, actor::Context& context);
  actor::Task<std::expected<ClientDeleted, OauthError>> handle(DeleteClient message, actor::Context& context);
  actor::Task<std::expected<FreshSecret, OauthError>> handle(RenewClientSecret message, actor::Context& context);
  actor::Task<std::expected<ClientPtr, OauthError>> handle(GetRegistration message);
  actor::Task<std::expected<ClientCredentials, OauthError>> handle(UpdateRegistration message, actor::Context& context);
  actor::Task<std::expected<ClientDeleted, OauthError>> handle(DeleteRegistration message, actor::Context& context);

  void handle(const ClientsSeen& message);
  actor::Task<void> handle(RegistrationRefused message, actor::Context& context);
  actor::Task<void> handle(RefusedGrant message, actor::Context& context);

  /// Told by itself, so that who was refused need not wait for the disk.
  struct NoteRefusal {
    AuditEvent event;
  };
  actor::Task<void> handle(NoteRefusal message);
  actor::Task<void> handle(FetchClientKeys message, actor::Context& context);

  void inspect(actor::Inspection& out) const;

 private:
  struct Known {
    ClientPtr client;  // null: there is none of this id
    std::vector<ClientSecretRecord> secrets;
  };

  actor::Task<std::expected<Known, OauthError>> find(ClientId id);
  /// What is held in memory is of this generation of the table; anything of another is dropped.
  void now_at(std::int64_t generation);
  /// Runs `deed(Tables&)`, which changes that client alone, in one transaction. What is held is then as it left it.
  template <class Deed>
  actor::Task<std::invoke_result_t<const Deed&, Tables&>> change(ClientId id, Deed deed);
  void changed(const ClientId& id, const OriginsChange& change);
  /// Tells in the log of each once, as long as no client changes.
  void tell(std::span<const DamagedClient> damaged);
  void note_refused(const ClientId& id, const Cause& cause, std::string_view reason, actor::Context& context);

  Storage storage_;
  std::int64_t registrations_max_;
  std::vector<std::string> audiences_;
  ClientKeyCache keys_;
  Auditor auditor_;
  RefusalBudget refusals_;
  crypto::TokenIds ids_;
  std::map<ClientId, Known> known_;
  std::set<ClientId> damaged_;  // those that somebody has come across in this generation
  std::int64_t generation_ = -1;
  std::uint64_t forgot_ = 0;  // how often: what was read before is older
  ClientOrigins origins_;
  bool reads_origins_ = false;
};

template <class Deed>
actor::Task<std::invoke_result_t<const Deed&, Tables&>> ClientActor::change(ClientId id, Deed deed) {
  struct Done {
    std::invoke_result_t<const Deed&, Tables&> result;
    OriginsChange origins;
  };
  auto done = co_await storage_.write([id, deed = std::move(deed)](Tables& t) {
    OriginsChange origins{.from = t.clients.generation(), .before = origins_of(t, id)};
    auto result = deed(t);
    origins.to = t.clients.generation();
    origins.after = origins_of(t, id);
    return Done{std::move(result), std::move(origins)};
  });
  changed(id, done.origins);
  co_return std::move(done.result);
}

/// The records of a new client of this metadata: with a secret if it has a way to show one. For the Client Actor
/// and the command line; `fault_in(metadata)` must have found nothing.
struct NewClient {
  Client client;
  std::optional<ClientSecretRecord> secret_record;
  std::optional<ClientSecret> secret;
};
NewClient make_client(ClientMetadata metadata, base::UnixTime now, crypto::TokenIds& ids, base::Random& random);

/// A secret for a client that is there, and its record. For the Client Actor and the command line, as the next one.
struct NewSecret {
  ClientSecretRecord record;
  ClientSecret secret;
};
NewSecret make_secret(const ClientId& client, base::UnixTime now, crypto::TokenIds& ids, base::Random& random);

/// Whether `hash` is that of one of these secrets, and it is good now; compares with all of them, and always with two.
bool is_secret_of(const std::vector<ClientSecretRecord>& secrets, const crypto::Digest& hash, base::UnixTime now);

/// Puts a secret in the place of a client's others: the newest of them stays good for `overlap`.
void renew_secret(Tables& tables, const ClientSecretRecord& fresh, base::UnixTime now, std::chrono::seconds overlap);

/// Writes a client that has changed, as its next version, and forgets the secrets of one that has none any more. Gives
/// what has changed, for the audit trail (`changes_between`). For the Client Actor and the command line.
std::string write_change(Tables& tables, const Client& before, Client& after);

/// 256 random bits as text.
RegistrationToken fresh_registration_token(base::Random& random);

}  // namespace troupe::oauth
