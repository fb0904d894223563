// ClientKeyCache: the keys that clients prove themselves by, read once and kept for a while.
//
// Owned by the Client Actor. Keys that stand in the registration are parsed once. Those of a `jwks_uri` are good for
// ten minutes, and for an hour while they cannot be had anew; a key that is not among them is looked for at once, but
// not more often than twice a minute: whoever names keys that do not exist must not make us ask and ask. Nobody's
// request carries a fetch: whoever gives up does not end it for the others.
//
// Anybody may name a client and so have its keys fetched. Servers that have not answered the last time, or never yet,
// are asked a few at a time, and no crowd waits for them: however many of them hang, one that has answered is asked all
// the same. Where nobody could be sent for the keys in time, the client is told to come again, and not that it is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/client_keys.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/fetch.h"

namespace troupe::oauth {

using FetchRef = actor::Ref<actor::Protocol<web::Fetch>>;

/// Told by the owner to itself: fetches the keys of a client, for all who wait for them.
struct FetchClientKeys {
  static constexpr auto message_class = actor::MessageClass::control;  // who waits for it must not wait in vain
  ClientId client;
  std::string uri;
  enum class Server : std::uint8_t { answered, unproven } server = Server::unproven;  // the last time
};

class ClientKeyCache {
 public:
  /// `fetcher` may be null: then there are no keys but those in registrations.
  explicit ClientKeyCache(FetchRef fetcher) : fetcher_(fetcher) {}

  using Owner = actor::Ref<actor::Protocol<FetchClientKeys>>;
  /// The keys of the client, with the one of that name among them if it can be had; null when there are none. Errors:
  /// temporarily_unavailable where its server could not be asked.
  actor::Task<std::expected<ClientKeysPtr, OauthError>> keys_of(ClientPtr client, std::string kid, Owner owner,
                                                                actor::Context& context);

  /// What the owner does when it is told.
  actor::Task<void> fetch(FetchClientKeys message, actor::Context& context);

 private:
  struct Held {
    std::string source;  // the document itself, or where it is
    ClientKeysPtr keys;
    base::Instant read_at{};
    std::optional<base::Instant> asked_at{};
    bool is_being_asked = false;
    bool has_answered = false;  // the last time that it was asked
  };

  Held& held_of(const Client& client);
  void make_room();
  /// Null where the client has another source by now.
  Held* find(const ClientId& client, const std::string& source);
  bool is_to_be_asked(const Held& held, std::string_view kid, base::Instant now) const;
  /// Has its server asked, unless too many are that have not answered yet.
  void send_for(Held& held, const ClientId& client, Owner owner, base::Instant now);
  /// False, at once, where too many requests wait for servers that did not answer the last time.
  actor::Task<bool> wait_a_moment(bool has_answered, actor::Context& context);

  FetchRef fetcher_;
  std::map<ClientId, Held> held_;
  // Of servers that did not answer the last time: fetches under way, and requests that wait for one.
  std::size_t unproven_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace troupe::oauth
