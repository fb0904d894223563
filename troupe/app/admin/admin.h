// Admin: what an operator sees over HTTP: /health/live, /health/ready, /metrics, /inspect, and /inspect/measure, by
// which one actor's handling times are measured on their own.
//
// While the server drains, it is live and not ready, and all are answered. All but the first two tell much, so they are
// for this machine alone, or for who shows an access token with the scope `admin`. A request that came through a proxy
// is not of this machine; and since many proxies say nothing of themselves, a server that stands behind one takes none
// for its own, and wants the token from everybody.
#pragma once

#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/app/admin/readiness.h"
#include "troupe/base/metrics.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/realtime/service/service.h"
#include "troupe/web/router.h"

namespace troupe::app {

inline constexpr std::string_view admin_scope = "admin";

/// Whether requests may come through a proxy, told or untold.
enum class BehindProxy : std::uint8_t { no, yes };

/// What the administration looks at; shared by the routes of all cores.
struct AdminParts {
  actor::System* system;  // outlives every request
  const base::Metrics* metrics;
  actor::Ref<realtime::MetricsCollector> realtime;
  actor::Ref<oauth::TokenActor> tokens;
  actor::Ref<Readiness> readiness;
  std::string audience;  // what an administrator's token must be meant for: our issuer
  BehindProxy behind_proxy = BehindProxy::yes;
};

/// Adds the routes to one core's router.
void add_admin(web::Router& router, std::shared_ptr<const AdminParts> parts);

/// Whether the request comes from this machine, through nothing that says so, and names it in its Host header: a page
/// of a browser here whose name was made to resolve to this machine says another Host, and what a page sends has an
/// origin.
bool is_local(const web::Request& request);

}  // namespace troupe::app
