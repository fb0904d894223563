// See options.h. The configuration has been checked, so every text in it can be read.
#include "troupe/app/platform/options.h"

#include <algorithm>

#include "troupe/app/config/rule.h"
#include "troupe/base/check.h"
#include "troupe/oauth/endpoint/early_refusal.h"

namespace troupe::app {
namespace {

std::vector<realtime::Grant> grants_of(const std::string& text) {
  const auto scopes = oauth::ScopeSet::parse(text);
  INVARIANT(scopes.has_value(), "the configuration was checked");
  std::vector<realtime::Grant> grants;
  for (const auto& scope : *scopes) {
    if (auto grant = realtime::Grant::parse(scope)) grants.push_back(*std::move(grant));
  }
  return grants;
}

realtime::NamespaceOptions options_of(const NamespaceConfig& config) {
  auto options = config.options;
  options.default_grants = grants_of(config.default_scopes);
  options.anonymous_grants = grants_of(config.anonymous_scopes);
  return options;
}

// Who comes without a token is let in where there is anything that he may do.
realtime::SettingsPtr settings_of(const RealtimeConfig& config) {
  bool anonymous = !config.defaults.anonymous_scopes.empty();
  realtime::RealtimeSettings::Namespaces namespaces;
  for (const auto& [name, one] : config.namespaces) {
    namespaces.emplace(name, options_of(one));
    anonymous |= !one.anonymous_scopes.empty();
  }
  std::vector<realtime::RoutingRule> rules;
  for (const RuleConfig& rule : config.rules) {
    auto read = rule_of(rule);
    INVARIANT(read.has_value(), "the configuration was checked");
    rules.push_back(*std::move(read));
  }
  return std::make_shared<const realtime::RealtimeSettings>(
      options_of(config.defaults), std::move(namespaces),
      anonymous ? realtime::Anonymous::allowed : realtime::Anonymous::refused, std::move(rules));
}

std::vector<net::Network> trusted_proxies(const Config& config) {
  std::vector<net::Network> networks;
  for (const auto& text : config.server.trusted_proxies) {
    const auto network = net::Network::parse(text);
    INVARIANT(network.has_value(), "the configuration was checked");
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace

oauth::PasswordOptions password_options(const Config& config, std::shared_ptr<actor::Offload> threads) {
  return {.cost = {.memory_kib = static_cast<std::uint32_t>(config.passwords.memory / 1024),
                   .passes = static_cast<std::uint32_t>(config.passwords.passes)},
          .time = config.passwords.time,
          .threads = std::move(threads),
          .breached = config.passwords.breached};
}

bool keeps_history_on_disk(const Config& config) {
  auto lasts = [](const NamespaceConfig& one) { return one.options.durability == realtime::Durability::disk; };
  return lasts(config.realtime.defaults) ||
         std::ranges::any_of(config.realtime.namespaces, [&](const auto& entry) { return lasts(entry.second); });
}

realtime::RealtimeOptions realtime_options(const Config& config) {
  const RealtimeConfig& wanted = config.realtime;
  realtime::RealtimeOptions options;
  options.connections_max = wanted.connections_max;
  options.connections_by_address_max = wanted.connections_by_address_max;
  options.connections_by_user_max = wanted.connections_by_user_max;
  options.settings = settings_of(wanted);
  options.allowed_origins = wanted.allowed_origins;
  options.allowed_origins.push_back(config.oauth.issuer);
  options.echo = wanted.echo;
  options.connection.frame_bytes_max = wanted.frame_bytes_max;
  options.connection.frames = wanted.frames;
  options.connection.bytes = wanted.bytes;
  options.connection.user = wanted.user;
  options.connection.address = wanted.address;
  options.connection.subscriptions_max = wanted.subscriptions_max;
  options.router.subscription_segments_max = wanted.subscription_segments_max;
  options.router.topics.topics_max = wanted.topics_max;
  options.router.topics.by_user_max = wanted.topics_by_user_max;
  options.connection.authenticate_within = wanted.authenticate_within;
  options.connection.idle_timeout = wanted.idle_timeout;
  options.connection.heartbeat = wanted.heartbeat;
  options.connection.outbox = wanted.outbox;
  options.connection.compression = wanted.compression;
  options.router.inboxes.limits = wanted.inbox;
  options.sessions = wanted.sessions;
  options.presence.interval = wanted.presence_interval;
  return options;
}

net::TlsListenerOptions tls_options(const Config& config, base::Metrics& metrics) {
  return {.handshakes_by_address_max = config.server.tls_handshakes_by_address_max,
          .exempt = trusted_proxies(config),
          .metrics = &metrics};
}

BehindProxy behind_proxy(const Config& config) {
  const bool others_speak_tls = config.oauth.issuer.starts_with("https:") && !config.server.speaks_tls();
  return others_speak_tls || !config.server.trusted_proxies.empty() ? BehindProxy::yes : BehindProxy::no;
}

web::HttpServerOptions http_options(const Config& config) {
  web::HttpServerOptions options;
  options.guard.trusted_proxies = trusted_proxies(config);
  options.guard.requests_by_address = config.http.requests_by_address;
  options.guard.too_many = oauth::too_many_requests;
  options.http.idle_time_max = config.http.idle_time_max;
  options.http.secure = config.server.speaks_tls();
  options.http.trace = {.enabled = !config.telemetry.otlp_endpoint.empty(), .share = config.telemetry.trace_share};
  options.connections_max = config.http.connections_max;
  options.connections_by_address_max = config.http.connections_by_address_max;
  return options;
}

}  // namespace troupe::app
