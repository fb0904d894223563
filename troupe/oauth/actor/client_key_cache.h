// ClientKeyCache: the keys that clients prove themselves by, read once and kept for a while.
//
// Owned by the Client Actor. Keys that stand in the registration are parsed once. Those of a `jwks_uri` are good for
// ten minutes, and for an hour while they cannot be had anew; a key that is not among them is looked for at once, but
// not more often than twice a minute: whoever names keys that do not exist must not make us ask and ask. Nobody's
// request carries a fetch: whoever gives up does not end it for the others.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/client_keys.h"
#include "troupe/web/fetch.h"

namespace troupe::oauth {

using FetchRef = actor::Ref<actor::Protocol<web::Fetch>>;

/// Told by the owner to itself: fetches the keys of a client, for all who wait for them.
struct FetchClientKeys {
  static constexpr auto message_class = actor::MessageClass::control;  // who waits for it must not wait in vain
  ClientId client;
};

class ClientKeyCache {
 public:
  /// `fetcher` may be null: then there are no keys but those in registrations.
  explicit ClientKeyCache(FetchRef fetcher) : fetcher_(fetcher) {}

  using Owner = actor::Ref<actor::Protocol<FetchClientKeys>>;
  /// The keys of the client, with the one of that name among them if it can be had; null when there are none.
  actor::Task<ClientKeysPtr> keys_of(ClientPtr client, std::string kid, Owner owner, actor::Context& context);

  /// What the owner does when it is told.
  actor::Task<void> fetch(ClientId client, actor::Context& context);

 private:
  struct Held {
    std::string source;  // the document itself, or where it is
    ClientKeysPtr keys;
    base::Instant read_at{};
    std::optional<base::Instant> asked_at{};
    bool is_being_asked = false;
  };

  Held& held_of(const Client& client);
  bool is_being_asked(const ClientId& client) const;
  bool is_to_be_asked(const Held& held, std::string_view kid, base::Instant now) const;
  ClientKeysPtr usable(const ClientId& client, base::Instant now) const;

  FetchRef fetcher_;
  std::map<ClientId, Held> held_;
};

}  // namespace troupe::oauth
