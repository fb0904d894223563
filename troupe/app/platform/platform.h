// Platform: both services on one system of actors, and the doors to them on every core.
//
// Owned by `serve`, on the main thread. Construction starts everything in the order in which
// the parts need each other, and returns when the server listens on every core; `drain` and
// `shutdown` go the other way. Actors end before what they count in and stand on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/app/admin/admin.h"
#include "troupe/app/config/config.h"
#include "troupe/app/demo/demo.h"
#include "troupe/app/platform/token_bridge.h"
#include "troupe/net/port.h"
#include "troupe/oauth/service/oauth_supervisor.h"
#include "troupe/realtime/service/service.h"
#include "troupe/store/sqlite.h"
#include "troupe/web/http_server.h"

namespace troupe::app {

class Platform {
 public:
  /// Starts serving. `config.server.listen` is where `port` was reserved, and the store of its data folder is
  /// prepared. Throws when something does not start.
  Platform(Config config, store::SqliteOptions store, const net::PortReservation& port, std::optional<DemoClient> demo);

  /// Sends everybody away over `over` and calls `done`, on a core, when they are gone. Until then health is still
  /// answered; then nothing listens any more. Called again with less, it hurries.
  void drain(base::Duration over, std::function<void()> done);

  /// Stops all actors in order. False: the system had failed.
  bool shutdown() { return system_.shutdown(); }

  /// `told` is called once, on any thread, when the system cannot go on.
  void on_failure(std::function<void()> told) { system_.on_failure(std::move(told)); }

 private:
  void start_telemetry();
  void start_oauth();
  void start_realtime();
  void start_http(const net::Endpoint& address, const std::optional<DemoClient>& demo);

  Config config_;
  base::Metrics metrics_;
  actor::System system_;
  store::Database database_;
  actor::Ref<TokenBridge> bridge_;
  oauth::OauthActors oauth_;
  realtime::Realtime realtime_;
  std::vector<actor::Ref<web::HttpServer>> servers_;
};

}  // namespace troupe::app
