// See platform.h for the order. This is where the two wings meet, and nowhere else.
#include "troupe/app/platform/platform.h"

#include <fmt/format.h>

#include "troupe/app/platform/options.h"
#include "troupe/app/telemetry/trace_exporter.h"
#include "troupe/base/log.h"
#include "troupe/net/listener.h"
#include "troupe/oauth/service/routes.h"
#include "troupe/store/sqlite.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto start_within = 60s;  // making RSA keys on a slow machine
constexpr auto flush_within = 10s;  // beyond the time of a drain
constexpr auto answer_within = 5s;  // requests that are still at hand after it

actor::SystemOptions system_options(const Config& config) { return {.cores = static_cast<int>(config.server.cores)}; }

/// What a part answered that must be there; throws when it is not.
template <class Answer>
auto started(const char* part, Answer answer) {
  if (!answer) throw std::runtime_error{fmt::format("{} did not start: {}", part, answer.error().what)};
  return *std::move(answer);
}

}  // namespace

Platform::Platform(Config config, store::SqliteOptions store, const net::PortReservation& port,
                   std::optional<DemoClient> demo)
    : config_(std::move(config)), system_(system_options(config_)) {
  start_telemetry();
  database_ = store::Database::start(system_, store::sqlite_engine(std::move(store)));
  bridge_ =
      system_.spawn<TokenBridge>({.name = "token_bridge"}, config_.oauth.issuer, std::make_shared<BridgeMemory>());
  start_oauth();
  start_realtime();
  bridge_.tell(ConnectBridge{oauth_.tokens, realtime_.supervisor()});
  start_http(port.address(), demo);
}

void Platform::start_telemetry() {
  if (config_.telemetry.otlp_endpoint.empty()) return;
  system_.spawn<TraceExporter>(
      {.name = "trace_exporter", .restart = actor::Restart::permanent},
      TraceExporterOptions{
          .endpoint = config_.telemetry.otlp_endpoint, .version = TROUPE_VERSION, .metrics = &metrics_});
}

void Platform::start_oauth() {
  const auto supervisor =
      system_.spawn<oauth::OauthSupervisor>(oauth::oauth_supervisor_options(), oauth::OauthParts{
                                                                                   .storage = oauth::Storage{database_},
                                                                                   .options = config_.oauth,
                                                                                   .keys = config_.keys,
                                                                                   .watcher = bridge_,
                                                                                   .endings = bridge_,
                                                                                   .cores = system_.core_count(),
                                                                               });
  oauth_ = started("the authorization server",
                   system_.block_on(supervisor.ask(oauth::GetOauthActors{}, {.within = start_within})));
  // Ready means that tokens can be signed: the first start makes the keys.
  (void)started("the signing keys", system_.block_on(oauth_.keys.ask(oauth::GetKeys{}, {.within = start_within})));
}

void Platform::start_realtime() { realtime_ = realtime::Realtime::start(system_, realtime_options(config_), bridge_); }

void Platform::start_http(const net::Endpoint& address, const std::optional<DemoClient>& demo) {
  const auto admin = std::make_shared<const AdminParts>(AdminParts{.system = &system_,
                                                                   .metrics = &metrics_,
                                                                   .realtime = realtime_.metrics(),
                                                                   .tokens = oauth_.tokens,
                                                                   .database = database_,
                                                                   .audience = config_.oauth.issuer});
  for (std::size_t core = 0; core < system_.core_count(); ++core) {
    web::HttpServerOptions options = http_options(config_);
    options.metrics = &metrics_;
    options.listen = [address](actor::Core& here) { return net::listen_tcp(here, address); };
    options.routes = [admin, demo, config = config_, actors = oauth_, realtime = realtime_](web::Router& router,
                                                                                            actor::Context& context) {
      oauth::routes(router, oauth::make_service(config.oauth, actors));
      realtime.routes(router, static_cast<int>(context.core().index()));
      add_admin(router, admin);
      if (demo) add_demo(router, *demo);
    };
    servers_.push_back(system_.spawn<web::HttpServer>(
        {.name = fmt::format("http_{}", core), .core = static_cast<int>(core)}, std::move(options)));
  }
  for (const auto& server : servers_) (void)started("HTTP", system_.block_on(server.ask(web::GetAddress{})));
}

void Platform::drain(base::Duration over, std::function<void()> done) {
  for (const auto& server : servers_) server.tell(web::Drain{});
  system_.run_as_guest([](actor::Ref<realtime::SystemSupervisor> supervisor,
                          std::vector<actor::Ref<web::HttpServer>> servers, base::Duration time,
                          std::function<void()> told) -> actor::Task<void> {
    auto left = co_await supervisor.ask(realtime::DrainRealtime{time}, {.within = time + flush_within});
    if (left && *left > 0) base::log::warning("app", "some connections did not go", {{"connections", *left}});
    for (const auto& server : servers) {
      auto late =
          co_await server.ask(web::Close{std::min(time, base::Duration{answer_within})}, {.within = flush_within});
      if (late && *late > 0) base::log::warning("app", "some requests were not answered", {{"requests", *late}});
    }
    told();
  }(realtime_.supervisor(), servers_, over, std::move(done)));
}

}  // namespace troupe::app
