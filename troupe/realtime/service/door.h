// Door: what the places of one core need at which clients come in, and whom a request's token
// stands for.
//
// Made for each core by Realtime::routes and shared by its routes; touched on that core only.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/base/published.h"
#include "troupe/realtime/service/options.h"
#include "troupe/realtime/service/system_supervisor.h"
#include "troupe/web/message.h"

namespace troupe::realtime {

struct Door {
  base::PublishedReader<RealtimeOptions> options;
  std::shared_ptr<const Doors> doors;
  std::shared_ptr<ConnectionSite> site;  // of this core
  Verifier verifier;
  actor::Core& core;
};
using DoorPtr = std::shared_ptr<Door>;

/// 401: the token is not valid.
web::Response unauthorized();
/// 401: there is none, and one is needed.
web::Response token_needed();
/// 503 with Retry-After, and why somebody is not let in. That nobody answered who could is a failure, else it is none.
web::Response turned_away(const RealtimeOptions& options, const actor::Failure<AdmitRefusal>& failure);

/// Somebody without a token, new each time.
Identity anonymous(base::Random& random);

/// Counts a message of so many bytes that came by a request, of this user, if one is known, and from this address; past
/// a limit says which.
std::optional<ClientError> over_rates(const net::IpAddress& address, const UserId* user, std::size_t bytes, Door& door);

/// Whom `token` stands for, or the answer to who brings it.
actor::Task<std::expected<Identity, web::Response>> identify(std::string token, DoorPtr door);

}  // namespace troupe::realtime
