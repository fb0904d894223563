// Where the endpoints stand. Each core has a router and a Service of its own.
#pragma once

#include "troupe/oauth/endpoint/service.h"
#include "troupe/web/router.h"

namespace troupe::oauth {

/// Adds the routes of the authorization server to the router of one core.
void routes(web::Router& router, ServicePtr service);

}  // namespace troupe::oauth
