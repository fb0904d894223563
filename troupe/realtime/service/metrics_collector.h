// MetricsCollector: asks every router and connection supervisor for its figures and adds
// them up, when somebody wants to see them.
//
// Nothing is counted across cores: each counts for itself, and pays only here.
#pragma once

#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/metrics.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/service/server_actor.h"

namespace troupe::realtime {

/// All figures of the service, as app/ shows them.
struct CollectMetrics {
  using reply = base::Samples;
};

struct MetricsSources {
  actor::Ref<ServerActor> server;
  std::vector<RouterRef> routers;
  std::vector<actor::Ref<ConnectionSupervisor>> connections;
  std::vector<SessionsRef> keepers;
  std::vector<PresenceRef> presence;
};

class MetricsCollector {
 public:
  static constexpr std::string_view actor_type = "MetricsCollector";
  static constexpr bool interleaves = true;

  explicit MetricsCollector(MetricsSources sources) : sources_(std::move(sources)) {}

  actor::Task<base::Samples> handle(CollectMetrics message);

 private:
  MetricsSources sources_;
};

}  // namespace troupe::realtime
