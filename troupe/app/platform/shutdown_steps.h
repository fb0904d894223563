// The steps in which this server goes away: refuse who is new, drain the connections, close the doors, stop the
// services, flush what they left.
//
// From the outside inwards: a part is stopped when nobody can ask it any more, and what they hand over at their end,
// spans and rows, leaves last.
#pragma once

#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/app/platform/shutdown.h"
#include "troupe/app/platform/token_bridge.h"
#include "troupe/app/telemetry/trace_exporter.h"
#include "troupe/oauth/service/oauth_supervisor.h"
#include "troupe/realtime/service/service.h"
#include "troupe/store/database.h"
#include "troupe/web/http_server.h"

namespace troupe::app {

/// What goes away, and what is flushed; references and small values.
struct RunningParts {
  std::vector<actor::Ref<web::HttpServer>> servers;
  actor::Ref<realtime::SystemSupervisor> realtime;
  actor::Ref<oauth::OauthSupervisor> oauth;
  actor::Ref<TokenBridge> bridge;
  actor::Ref<TraceExporter> exporter;  // none: nobody takes spans
  store::Database database;
};

/// Connections are sent away over `drain_time`.
void add_shutdown_steps(Shutdown& shutdown, actor::System& system, RunningParts parts, base::Duration drain_time);

}  // namespace troupe::app
