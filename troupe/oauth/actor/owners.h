// Owners: the pools of those who own tokens and codes, behind one reference each.
//
// One member on each core. A message with a key (`owner_key`) always goes to the same member, so
// that one actor at a time decides about a code or a family; any other message goes in turn.
// Nothing of this is kept: which member it is follows from the id and from the pool of today.
#pragma once

#include <cstddef>
#include <string>

#include "troupe/actor/group/pool.h"

namespace troupe::oauth {

/// A crowd that shows one code, or comes back after a restart, stands before one actor.
inline constexpr actor::MailboxOptions crowd_mailbox{.capacity = 4096};

inline actor::PoolOptions owner_pool(std::string name, std::size_t cores) {
  return {.name = name,
          .size = static_cast<std::uint32_t>(cores),
          .route = actor::Route::consistent_hash,
          .spread = actor::Spread::over_cores,
          .member = {.name = std::move(name), .mailbox = crowd_mailbox, .restart = actor::Restart::permanent}};
}

}  // namespace troupe::oauth
