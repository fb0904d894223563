// See platform.h for the order. This is where the two wings meet, and nowhere else.
#include "troupe/app/platform/platform.h"

#include <fmt/format.h>

#include <filesystem>

#include "troupe/actor/offload/offload.h"
#include "troupe/app/command/command.h"
#include "troupe/app/config/key_seals.h"
#include "troupe/app/config/whole_file.h"
#include "troupe/app/openapi/openapi.h"
#include "troupe/app/platform/options.h"
#include "troupe/app/platform/shutdown_steps.h"
#include "troupe/app/platform/signals.h"
#include "troupe/base/log.h"
#include "troupe/base/log_level.h"
#include "troupe/net/listener.h"
#include "troupe/net/tls_listener.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/model/fetched_uri.h"
#include "troupe/oauth/service/routes.h"
#include "troupe/store/sql_journal.h"
#include "troupe/store/transaction.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto start_within = 60s;  // a slow disk

/// A server comes back as long as its intensity allows, however often it has failed in its life. A database that is
/// away is nobody's fault here, and ends nothing.
actor::SystemOptions system_options(const Config& config) {
  return {.cores = static_cast<int>(config.server.cores),
          .supervision = {.backoff = {.attempts_max = actor::Backoff::unbounded},
                          .decide = actor::on<store::Error>(actor::Directive::resume)}};
}

CertificateFiles certificate_files(const Config& config) {
  return {config.server.tls_certificate, config.server.tls_key};
}

/// What a part answers that must be there; throws when it is not. It may be waited for for long, with a database that
/// somebody holds, and who is told to end meanwhile does.
template <class Ask>
auto started(const char* part, Ask ask) {
  const EndsAtOnce if_told;
  auto answer = ask();
  if (!answer) throw std::runtime_error{fmt::format("{} did not start: {}", part, answer.error().what)};
  return *std::move(answer);
}

}  // namespace

Platform::Platform(Config config, ServerStore store, const net::PortReservation& port, std::optional<DemoClient> demo)
    : config_(std::move(config)), system_(system_options(config_)) {
  start_tls();
  start_telemetry();
  database_ = store::Database::start(system_, std::move(store.engine), {}, std::move(store.session));
  // It has room for what is revoked while ten thousand clients come back at once.
  bridge_ = system_.spawn<TokenBridge>({.name = "token_bridge", .mailbox = {.capacity = 100'000}}, config_.oauth.issuer,
                                       std::make_shared<BridgeMemory>());
  start_audit();
  start_fetcher();
  start_oauth();
  start_history();
  start_realtime();
  bridge_.tell(ConnectBridge{oauth_.tokens, realtime_.supervisor()});
  if (audit_stream_) audit_stream_.tell(ConnectAuditStream{realtime_.supervisor()});
  start_http(port.address(), demo);
  prepare_shutdown();
}

void Platform::start_tls() {
  if (!speaks_tls()) return;
  const CertificateFiles files = certificate_files(config_);
  auto certificate = read_certificate(files);
  if (!certificate) throw CommandFailed{"server.tls_certificate: " + certificate.error()};
  certificate_files_.publish(files);
  certificate_.publish(*std::move(certificate));
  certificate_keeper_ = system_.spawn<CertificateKeeper>({.name = "certificate", .restart = actor::Restart::permanent},
                                                         certificate_files_.reader(), certificate_, &metrics_);
}

void Platform::start_telemetry() {
  if (config_.telemetry.otlp_endpoint.empty()) return;
  exporter_ = system_.spawn<TraceExporter>(
      {.name = "trace_exporter", .restart = actor::Restart::permanent},
      TraceExporterOptions{
          .endpoint = config_.telemetry.otlp_endpoint, .version = TROUPE_VERSION, .metrics = &metrics_});
}

void Platform::start_fetcher() {
  const auto& allowed = config_.oauth.fetch_unsafe_allow_addresses;
  if (!allowed.empty()) {
    base::log::warning("app", "URLs of clients may lead into networks of the inside",
                       {{"key", "oauth.fetch_unsafe_allow_addresses"}, {"networks", allowed.size()}});
  }
  fetch_threads_ = actor::thread_offload({.threads = web::Fetcher::threads_max, .queued_max = 64});
  fetcher_ = system_.spawn<web::Fetcher>(
      web::fetcher_options(), web::FetcherOptions{{.unsafe_allowed = oauth::networks_named(allowed)}, fetch_threads_});
}

void Platform::start_audit() {
  if (config_.oauth.audit_stream) {
    audit_stream_ = system_.spawn<AuditStream>({.name = "audit_stream", .restart = actor::Restart::permanent},
                                               oauth::Storage{database_}, std::make_shared<AuditStreamMemory>());
  }
  if (!config_.webhook.url.empty()) {
    audit_webhook_ = system_.spawn<AuditWebhook>({.name = "audit_webhook", .restart = actor::Restart::permanent},
                                                 oauth::Storage{database_},
                                                 AuditWebhookOptions{.url = config_.webhook.url,
                                                                     .secret = config_.webhook.secret,
                                                                     .kinds = config_.webhook.kinds,
                                                                     .metrics = &metrics_});
  }
}

void Platform::start_oauth() {
  std::vector<actor::Ref<actor::Protocol<oauth::AuditSeen>>> audit;
  if (audit_stream_) audit.emplace_back(audit_stream_);
  if (audit_webhook_) audit.emplace_back(audit_webhook_);
  if (config_.passwords.threads == PasswordThreads::idle)
    password_threads_ = actor::thread_offload({.threads = oauth::PasswordOptions{}.hashers, .queued_max = 64});
  if (const auto& file = config_.seals.encryption_key_file; !file.empty() && others_can_read(file))
    base::log::warning("app", "everybody on this machine can read the encryption key", {{"file", file}});
  oauth_supervisor_ = system_.spawn<oauth::OauthSupervisor>(
      oauth::oauth_supervisor_options(), oauth::OauthParts{
                                             .storage = oauth::Storage{database_, key_seals_of(config_).value()},
                                             .options = config_.oauth,
                                             .keys = config_.keys,
                                             .passwords = password_options(config_, password_threads_),
                                             .watcher = bridge_,
                                             .endings = bridge_,
                                             .audit = audit,
                                             .fetcher = fetcher_,
                                             .cores = system_.core_count(),
                                         });
  oauth_ = started("the authorization server", [&] {
    return system_.block_on(oauth_supervisor_.ask(oauth::GetOauthActors{}, {.within = start_within}));
  });
  // Ready means that tokens can be signed: the first start makes the keys, that of RSA a moment later.
  (void)started("the signing keys",
                [&] { return system_.block_on(oauth_.keys.ask(oauth::GetKeys{}, {.within = start_within})); });
}

// A file of its own: what is published waits for its own commits, and tokens for theirs; and it may be deleted without
// losing more than history.
void Platform::start_history() {
  if (!keeps_history_on_disk(config_)) return;
  const auto file = std::filesystem::path{config_.server.data_dir} / "history.db";
  history_ = store::Database::start(system_, store::sql_journal_engine({.path = file.string()}));
  system_.provide<actor::Journal>(store::sql_journal(*history_));
}

void Platform::start_realtime() { realtime_ = realtime::Realtime::start(system_, realtime_options(config_), bridge_); }

std::function<std::unique_ptr<net::Listener>(actor::Core&)> Platform::listening(const net::Endpoint& address) {
  if (!speaks_tls()) return [address](actor::Core& here) { return net::listen_tcp(here, address); };
  return [address, certificate = certificate_, options = tls_options(config_, metrics_)](actor::Core& here) {
    return net::listen_tls(here, net::listen_tcp(here, address), certificate.reader(), options);
  };
}

void Platform::start_http(const net::Endpoint& address, const std::optional<DemoClient>& demo) {
  std::vector<NeededDatabase> needed{{"database", database_}};
  if (history_) needed.push_back({"history", *history_});
  const auto readiness = system_.spawn<Readiness>({.name = "readiness"}, std::move(needed));
  const auto admin = std::make_shared<const AdminParts>(AdminParts{.system = &system_,
                                                                   .metrics = &metrics_,
                                                                   .realtime = realtime_.metrics(),
                                                                   .tokens = oauth_.tokens,
                                                                   .readiness = readiness,
                                                                   .audience = config_.oauth.issuer,
                                                                   .behind_proxy = behind_proxy(config_)});
  for (std::size_t core = 0; core < system_.core_count(); ++core) {
    web::HttpServerOptions options = http_options(config_);
    options.metrics = &metrics_;
    options.listen = listening(address);
    options.routes = [admin, demo, oauth_options = config_.oauth, actors = oauth_, realtime = realtime_,
                      metrics = &metrics_](web::Router& router, actor::Context& context) {
      oauth::routes(router, oauth::make_service(oauth_options, actors, metrics));
      oauth::admin::routes(router, oauth::make_admin_service(oauth_options, actors));
      realtime.routes(router, static_cast<int>(context.core().index()));
      add_admin(router, admin);
      add_openapi(router);
      if (demo) add_demo(router, *demo);
    };
    servers_.push_back(system_.spawn<web::HttpServer>(
        {.name = fmt::format("http_{}", core), .core = static_cast<int>(core)}, std::move(options)));
  }
  for (const auto& server : servers_)
    (void)started("HTTP", [&] { return system_.block_on(server.ask(web::GetAddress{})); });
}

std::vector<web::RouteName> Platform::routes() {
  return started("HTTP", [&] { return system_.block_on(servers_.front().ask(web::ListRoutes{})); });
}

void Platform::use(const Config& config) {
  config_ = config;
  base::log::change_level(config_.log.level);
  if (speaks_tls()) certificate_files_.publish(certificate_files(config_));
  realtime_.supervisor().tell(
      realtime::UseOptions{std::make_shared<const realtime::RealtimeOptions>(realtime_options(config_))});
}

void Platform::prepare_shutdown() {
  add_shutdown_steps(going_away_, system_,
                     {.servers = servers_,
                      .realtime = realtime_.supervisor(),
                      .oauth = oauth_supervisor_,
                      .bridge = bridge_,
                      .exporter = exporter_,
                      .database = database_},
                     config_.realtime.drain_time);
}

}  // namespace troupe::app
