// Platform: both services on one system of actors, and the doors to them on every core.
//
// Owned by `serve`, on the main thread. Construction starts everything in the order in which
// the parts need each other, and returns when the server listens on every core; the shutdown goes
// the other way, in the phases of shutdown_steps.h. Actors end before what they count in and stand on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/app/admin/admin.h"
#include "troupe/app/command/open_store.h"
#include "troupe/app/config/config.h"
#include "troupe/app/demo/demo.h"
#include "troupe/app/platform/audit_stream.h"
#include "troupe/app/platform/audit_webhook.h"
#include "troupe/app/platform/certificate_keeper.h"
#include "troupe/app/platform/shutdown.h"
#include "troupe/app/platform/token_bridge.h"
#include "troupe/app/telemetry/trace_exporter.h"
#include "troupe/net/port.h"
#include "troupe/oauth/service/oauth_supervisor.h"
#include "troupe/realtime/service/service.h"
#include "troupe/store/database.h"
#include "troupe/web/fetcher.h"
#include "troupe/web/http_server.h"

namespace troupe::app {

class Platform {
 public:
  /// Starts serving. `config.server.listen` is where `port` was reserved, and `store` is as prepare_store gave it.
  /// Where a history lasts, its file is opened beside the store. Throws when something does not start.
  Platform(Config config, ServerStore store, const net::PortReservation& port, std::optional<DemoClient> demo);

  /// From now on what is live of `config` holds, on all cores. On the main thread.
  void use(const Config& config);

  bool speaks_tls() const noexcept { return config_.server.speaks_tls(); }
  /// Reads the TLS certificate again; only where TLS is spoken. On the main thread.
  void reload_certificate() { certificate_keeper_.tell(ReloadCertificate{}); }

  std::size_t core_count() const noexcept { return system_.core_count(); }

  /// Everything that is answered; each core has the same. On the main thread.
  std::vector<web::RouteName> routes();

  /// The phases of going away, to begin and to hurry. Until the doors close, health and metrics are still answered.
  const Shutdown& going_away() const noexcept { return going_away_; }

  /// Goes away, where that has not been begun, and stops all actors in order. False: the system had failed.
  bool shutdown() { return system_.shutdown(); }

  /// `told` is called once, on any thread, when the system cannot go on.
  void on_failure(std::function<void()> told) { system_.on_failure(std::move(told)); }

 private:
  void start_tls();
  void start_telemetry();
  void start_audit();
  void start_fetcher();
  void start_oauth();
  void start_history();
  void start_realtime();
  std::function<std::unique_ptr<net::Listener>(actor::Core&)> listening(const net::Endpoint& address);
  void start_http(const net::Endpoint& address, const std::optional<DemoClient>& demo);
  void prepare_shutdown();

  Config config_;
  base::Metrics metrics_;
  actor::System system_;
  Shutdown going_away_{system_};
  actor::Ref<TraceExporter> exporter_;  // none: nobody takes spans
  base::Published<CertificateFiles> certificate_files_;
  base::Published<crypto::TlsContext> certificate_;
  actor::Ref<CertificateKeeper> certificate_keeper_;  // none: TLS is not spoken
  store::Database database_;
  std::optional<store::Database> history_;  // none: no history lasts
  actor::Ref<TokenBridge> bridge_;
  actor::Ref<AuditStream> audit_stream_;           // none: nobody is told
  actor::Ref<AuditWebhook> audit_webhook_;         // the same
  std::shared_ptr<actor::Offload> fetch_threads_;  // ends before the system, whose cores take their results
  actor::Ref<web::Fetcher> fetcher_;
  std::shared_ptr<actor::Offload> password_threads_;  // the same; null: hashes take those of the system
  actor::Ref<oauth::OauthSupervisor> oauth_supervisor_;
  oauth::OauthActors oauth_;
  realtime::Realtime realtime_;
  std::vector<actor::Ref<web::HttpServer>> servers_;
};

}  // namespace troupe::app
