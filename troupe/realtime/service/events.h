// `/events`: the door for streams of events. Who may come in is asked as at `/ws`; what the
// stream tells is asked here, too, for its client can say nothing later.
#pragma once

#include "troupe/realtime/service/door.h"
#include "troupe/web/router.h"

namespace troupe::realtime {

/// Adds `/events` to the router of one core.
void add_events(web::Router& router, const DoorPtr& door);

}  // namespace troupe::realtime
