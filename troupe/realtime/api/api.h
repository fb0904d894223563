// The HTTP API of live delivery, for back ends: publish, read, and see to connections.
//
// Each route is a question to the same owners that the commands of a WebSocket ask, judged
// by the same rules; nothing is kept between two requests.
#pragma once

#include <cstddef>

#include "troupe/realtime/service/door.h"
#include "troupe/web/router.h"

namespace troupe::realtime {

/// Adds everything below `/api/v1` to the router of one core. `body_bytes_max`: of what is published.
void add_api(web::Router& router, const DoorPtr& door, std::size_t body_bytes_max);

namespace api {

void add_publishing(web::Router& router, const DoorPtr& door, std::size_t body_bytes_max);
void add_reading(web::Router& router, const DoorPtr& door);
void add_operating(web::Router& router, const DoorPtr& door);

}  // namespace api

}  // namespace troupe::realtime
