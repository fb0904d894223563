// Logout Actor: tells clients that sessions have ended (OpenID Connect Back-Channel Logout 1.0).
//
// What is to be told stands in the database, since it was written together with the end of the session: nobody who
// signs out waits for it, no crash loses it, and one that comes between the telling and its record makes a client hear
// twice. Where the database takes no record, what came of the telling is kept here until it does. A client that does
// not take it is told again, later and later, and given up after some hours; one that is slow holds up no other. A
// notice of a client that is gone, or wants to be told no more, is dropped.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/client_key_cache.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/token_factory.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// There are notices whose time has come.
struct LogoutsDue {};

struct LogoutActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<GetKeys>> keys;
  FetchRef fetcher;  // may be null: then everything waits
  OauthOptions options;
};

class LogoutActor {
 public:
  static constexpr bool interleaves = true;

  explicit LogoutActor(LogoutActorParts parts);

  actor::Task<void> started(actor::Context& context);
  void handle(KeysChanged message);
  actor::Task<void> handle(LogoutsDue message, actor::Context& context);

  /// Told by itself: one notice, once.
  struct TellClient {
    static constexpr auto message_class = actor::MessageClass::control;  // bounded by `under_way_`
    LogoutNotice notice;
  };
  actor::Task<void> handle(TellClient message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  /// How a client has taken it.
  struct Taken {
    enum class How : std::uint8_t { told, not_now, refused } how;
    std::string why;  // for the audit trail
  };
  actor::Task<Taken> tell(ClientPtr client, LogoutNotice notice, actor::Context& context);
  actor::Task<void> conclude(LogoutNotice notice, Taken taken, actor::Context& context);
  /// Gives what came of an earlier telling that could not be recorded; else tells it.
  actor::Task<Taken> tell_once(ClientPtr client, LogoutNotice notice, actor::Context& context);
  bool has_room_for(const ClientId& client) const;
  bool begin_telling(std::vector<LogoutNotice> due, actor::Context& context);

  LogoutActorParts parts_;
  std::optional<TokenFactory> factory_;
  Auditor auditor_;
  std::map<std::int64_t, ClientId> under_way_;  // by the number of the notice
  /// Which telling of which notice: its number, and how often it had failed before.
  using Telling = std::pair<std::int64_t, int>;
  std::map<Telling, Taken> unrecorded_;  // what the database did not take; of those that are due
  bool is_looking_ = false;
  std::set<std::int64_t> over_since_look_;  // while one looks: it may see them as they were before
  std::int64_t told_ = 0;
  std::int64_t failed_ = 0;
};

}  // namespace troupe::oauth
