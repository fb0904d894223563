// Config: what an operator decides, as plain values with their defaults. The services' own
// options stand in it as they are, so a default and its reason are written once, at home.
//
// Read at start (load.h) and again at SIGHUP, each time as a whole. Every value has one row in
// key_rows.cc or namespace_rows.cc, from which files, environment, flags and
// docs/configuration.md derive.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/strong.h"
#include "troupe/crypto/breached_passwords.h"
#include "troupe/net/address.h"
#include "troupe/oauth/actor/key_schedule.h"
#include "troupe/oauth/model/options.h"
#include "troupe/realtime/connection/heartbeat.h"
#include "troupe/realtime/connection/options.h"
#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/topic/inbox.h"
#include "troupe/realtime/topic/presence_options.h"
#include "troupe/realtime/topic/session.h"
#include "troupe/realtime/topic/settings.h"
#include "troupe/web/token_bucket.h"

namespace troupe::app {

/// Who may reach the server, by which name, and where it keeps its data.
struct ServerConfig {
  net::PeerAddress listen{*net::IpAddress::parse("127.0.0.1"), 8080};  // this machine alone, until somebody decides
  std::size_t cores = 0;                                               // 0: as many as the process may use
  std::string data_dir = "data";                                       // below the working directory
  std::string issuer;           // "": the address above by its scheme, which is right for a first try
  bool insecure_http = false;   // tokens in plain text on a network are for everybody
  std::string tls_certificate;  // none: plain HTTP, for this machine or a proxy that speaks TLS
  std::string tls_key;
  std::size_t tls_handshakes_by_address_max = 64;  // under way on one core, where there is room for 1000
  std::vector<std::string> trusted_proxies;        // none: forwarded headers are lies

  bool speaks_tls() const noexcept { return !tls_certificate.empty(); }
  /// By which clients reach us without a proxy.
  std::string origin() const { return (speaks_tls() ? "https://" : "http://") + listen.text(); }
};

/// Where the authorization server keeps what it knows.
struct StoreConfig {
  base::Secret<std::string> url;  // none: a file in the data folder, which needs no other server
};

/// What seals the authorization server's keys where it keeps them.
struct SealConfig {
  base::Secret<std::string> encryption_key;  // none: in clear, in a folder that only the server may read
  std::string encryption_key_file;
  base::Secret<std::string> encryption_key_previous;
};

struct HttpConfig {
  web::RateLimit requests_by_address{.per_second = 200, .burst = 400};  // on one core; a person needs one or two
  std::size_t connections_max = 20'000;                                 // on one core, WebSockets not counted
  std::size_t connections_by_address_max = 1'000;                       // of those: an office behind one address
  base::Duration idle_time_max = std::chrono::seconds{75};              // more than proxies before us keep theirs
};

/// Where traces go, and of how many requests.
struct TelemetryConfig {
  std::string otlp_endpoint;  // none: nothing is traced
  double trace_share = 0.01;  // a busy server's every hundredth request shows where time goes
};

/// What may differ by namespace. Its scopes are text here; the grants of `options` stay empty.
struct NamespaceConfig {
  realtime::NamespaceOptions options{};
  std::string anonymous_scopes;  // nobody without a token
  std::string default_scopes;    // for everybody who is let in
};

/// One routing rule as it is written; rule_of() (rule.h) reads it. What is empty says nothing.
struct RuleConfig {
  std::string topic = ">";
  std::string sender;
  std::string sender_scope;
  std::size_t larger_than = 0;  // 0: of any size
  bool refuse = false;
  std::string redirect;
  std::string priority;
  std::string target_scope;
};

struct RealtimeConfig {
  bool echo = false;                               // for conformance suites: anybody may fill our network through it
  std::size_t connections_max = 100'000;           // in all; each costs some kilobytes
  std::size_t connections_by_address_max = 1'000;  // an office behind one address
  std::size_t connections_by_user_max = 1'000;     // a back end may be one user with many machines
  std::size_t frame_bytes_max = 1024 * 1024;
  realtime::RateLimit frames{.per_second = 1000, .burst = 5000};
  realtime::RateLimit bytes{.per_second = 4.0 * 1024 * 1024, .burst = 64.0 * 1024 * 1024};
  realtime::TrafficLimit user = realtime::ConnectionOptions{}.user;        // on one core
  realtime::TrafficLimit address = realtime::ConnectionOptions{}.address;  // on one core
  std::size_t subscriptions_max = 1000;                                    // on one connection
  std::size_t subscription_segments_max = 4'000'000;                       // on one core
  std::size_t topics_max = 100'000;                                        // on one core
  std::size_t topics_by_user_max = 50'000;                                 // of those
  realtime::HeartbeatOptions heartbeat{};
  base::Duration authenticate_within = std::chrono::seconds{5};
  base::Duration idle_timeout{};                        // zero: a client may be silent
  base::Duration drain_time = std::chrono::seconds{5};  // spreads reconnects, and ends before a supervisor's patience
  std::vector<std::string> allowed_origins;             // besides the issuer's own
  realtime::CompressionOptions compression{};
  realtime::OutboxLimits outbox{};
  realtime::InboxLimits inbox{};
  realtime::SessionsOptions sessions{};
  base::Duration presence_interval = realtime::PresenceOptions{}.interval;
  NamespaceConfig defaults{};                                        // where a namespace says nothing
  std::map<std::string, NamespaceConfig, std::less<>> namespaces{};  // each whole: the defaults and its own
  std::vector<RuleConfig> rules{};                                   // in their order
};

/// Whose processor time the hashes of passwords take: what nobody else wants, or their share of it.
enum class PasswordThreads : std::uint8_t { idle, usual };

/// What it costs to try a password, and which ones nobody may take.
struct PasswordConfig {
  std::size_t memory = 19 * 1024 * 1024;  // with the next the least that OWASP's cheat sheet allows
  std::size_t passes = 2;
  std::chrono::milliseconds time{250};  // nobody minds it at sign-in, and who guesses pays it each time
  PasswordThreads threads = PasswordThreads::idle;
  std::string breached_file;                                    // none: any password may be a new one
  std::shared_ptr<const crypto::BreachedPasswords> breached{};  // the list in it
};

/// What the logo of the pages is read from; the logo itself and their colours stand in OauthOptions.
struct PagesConfig {
  std::string logo_file;  // none: no logo
};

/// Whom to send the events of the audit trail.
struct WebhookConfig {
  std::string url;                     // empty: nobody
  base::Secret<std::string> secret{};  // what each request is signed with
  std::vector<std::string> kinds;      // empty: all
};

struct Config {
  bool development = false;
  ServerConfig server{};
  StoreConfig store{};
  base::log::Options log{};
  HttpConfig http{};
  TelemetryConfig telemetry{};
  RealtimeConfig realtime{};
  oauth::OauthOptions oauth{};
  oauth::KeyOptions keys{};
  PasswordConfig passwords{};
  SealConfig seals{};
  WebhookConfig webhook{};
  PagesConfig pages{};
};

/// The defaults of development mode: limits that nobody meets by hand, a demo, more in the log.
Config development_defaults();

}  // namespace troupe::app
