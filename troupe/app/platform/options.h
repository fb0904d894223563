// What the configuration means for each part of the platform.
#pragma once

#include "troupe/app/admin/admin.h"
#include "troupe/app/config/config.h"
#include "troupe/net/tls_listener.h"
#include "troupe/oauth/actor/password_hasher.h"
#include "troupe/realtime/service/options.h"
#include "troupe/web/http_server.h"

namespace troupe::app {

/// The options of the real-time service.
realtime::RealtimeOptions realtime_options(const Config& config);

/// Whether the history of any topic is kept on the disk.
bool keeps_history_on_disk(const Config& config);

/// How passwords are hashed, on these threads; null: on those of the system.
oauth::PasswordOptions password_options(const Config& config, std::shared_ptr<actor::Offload> threads);

/// The bounds of TLS handshakes, which are counted in `metrics`.
net::TlsListenerOptions tls_options(const Config& config, base::Metrics& metrics);

/// The options of one core's HTTP server, without the place where it listens and its routes.
web::HttpServerOptions http_options(const Config& config);

/// Whether a proxy stands before the server: one that is trusted is named, or the issuer is https and it is not we who
/// speak TLS.
BehindProxy behind_proxy(const Config& config);

}  // namespace troupe::app
