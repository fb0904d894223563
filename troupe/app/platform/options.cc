// See options.h. The configuration has been checked, so every text in it can be read.
#include "troupe/app/platform/options.h"

#include "troupe/base/check.h"

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

}  // namespace

realtime::RealtimeOptions realtime_options(const Config& config) {
  const RealtimeConfig& wanted = config.realtime;
  realtime::RealtimeOptions options;
  options.connections_max = wanted.connections_max;
  options.connections_by_address_max = wanted.connections_by_address_max;
  options.anonymous = wanted.anonymous_scopes.empty() ? realtime::Anonymous::refused : realtime::Anonymous::allowed;
  options.allowed_origins = wanted.allowed_origins;
  options.allowed_origins.push_back(config.oauth.issuer);
  options.echo = wanted.echo;
  options.connection.frame_bytes_max = wanted.frame_bytes_max;
  options.connection.frames = wanted.frames;
  options.connection.bytes = wanted.bytes;
  options.connection.subscriptions_max = wanted.subscriptions_max;
  options.connection.authenticate_within = wanted.authenticate_within;
  options.connection.heartbeat = wanted.heartbeat;
  options.connection.outbox = wanted.outbox;
  options.connection.default_grants = grants_of(wanted.default_scopes);
  options.connection.anonymous_grants = grants_of(wanted.anonymous_scopes);
  options.router.topics.history = wanted.history;
  options.router.inboxes.limits = wanted.inbox;
  return options;
}

web::HttpServerOptions http_options(const Config& config) {
  web::HttpServerOptions options;
  for (const auto& text : config.server.trusted_proxies) {
    const auto network = net::Network::parse(text);
    INVARIANT(network.has_value(), "the configuration was checked");
    options.guard.trusted_proxies.push_back(*network);
  }
  options.guard.requests_by_address = config.http.requests_by_address;
  options.http.idle_time_max = config.http.idle_time_max;
  options.http.trace = {.enabled = !config.telemetry.otlp_endpoint.empty(), .share = config.telemetry.trace_share};
  options.connections_max = config.http.connections_max;
  return options;
}

}  // namespace troupe::app
