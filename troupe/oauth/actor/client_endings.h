// What ends with a client, inside one transaction: when it is disabled or removed, all that was granted to it is over,
// and whoever serves its tokens hears of it. For the Client Actor and the command line.
#pragma once

#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// Lets a client in, or no longer; the caller then updates its record. One that is disabled loses all that was granted
/// to it, for good, also what bears a later time because the clock was set back meanwhile.
void set_state(Tables& tables, Client& client, ClientState state, base::UnixTime now);

/// Removes a client with all that was granted to it, and what people have allowed it. Whether it was there.
bool remove_client(Tables& tables, const ClientId& id, base::UnixTime now);

}  // namespace troupe::oauth
