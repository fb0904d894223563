// The rows of the configuration, section by section. Adding a value is adding it to its
// struct and one row here; files, environment, flags and the reference follow.
#include "troupe/app/config/namespace_rows.h"
#include "troupe/app/config/row.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using std::chrono::hours;
using std::chrono::seconds;
constexpr std::size_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;
constexpr hours day{24};

template <class T>
Key key(std::string_view name, std::string_view help, const codec::Codec<T>& codec, PlaceOf<Config, T> place,
        Reload reload = Reload::restart) {
  return row(name, help, codec, place, reload);
}
constexpr auto live = Reload::live;
constexpr auto tls = Reload::tls;

// The place of a value, for key().
#define AT(member) [](Config& config) -> auto& { return config.member; }

void add_server_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("development", "A demo page, user and client, generous limits. Never on a network.", truth(),
                   AT(development)));
  to.push_back(key("server.listen", "Where to listen for HTTP and WebSockets; port 0 takes any free one.",
                   listen_address(), AT(server.listen)));
  to.push_back(
      key("server.cores", "Event loops to run; 0: as many as this process may use.", count(0, 63), AT(server.cores)));
  to.push_back(
      key("server.data_dir", "Folder of the database; made if it is missing.", text("folder"), AT(server.data_dir)));
  to.push_back(key("server.issuer",
                   "The URL by which clients know this server (`iss` of tokens); empty: server.listen by its scheme.",
                   text("URL without path"), AT(server.issuer)));
  to.push_back(key("server.insecure_http",
                   "Serve plain HTTP on an address that others reach. Tokens can then be read on the way.", truth(),
                   AT(server.insecure_http)));
  to.push_back(key("server.tls_certificate",
                   "PEM file of the certificate and those between it and a root; with it HTTPS is spoken. Read again "
                   "when it changes.",
                   text("file"), AT(server.tls_certificate), tls));
  to.push_back(key("server.tls_key", "PEM file of its private key, without a passphrase.", text("file"),
                   AT(server.tls_key), tls));
  to.push_back(key("server.tls_handshakes_by_address_max",
                   "TLS handshakes under way of one address (IPv6: /64) on one core; further ones are closed. "
                   "server.trusted_proxies are exempt.",
                   count(1, 1'000'000), AT(server.tls_handshakes_by_address_max)));
  to.push_back(key("server.trusted_proxies", "Networks whose X-Forwarded-For and X-Forwarded-Proto are believed.",
                   texts("list of networks"), AT(server.trusted_proxies)));

  to.push_back(key("log.level", "The least grave lines that are written.",
                   choice<base::log::Level>({{"debug", base::log::Level::debug},
                                             {"info", base::log::Level::info},
                                             {"warning", base::log::Level::warning},
                                             {"error", base::log::Level::error}}),
                   AT(log.level), live));
  to.push_back(key("log.format", "One line as key=value pairs, or as a JSON object.",
                   choice<base::log::Format>({{"text", base::log::Format::text}, {"json", base::log::Format::json}}),
                   AT(log.format)));

  to.push_back(key("http.requests_per_second", "Requests of one address (IPv6: /64) on one core, on average.",
                   rate(1, 1e9), AT(http.requests_by_address.per_second)));
  to.push_back(key("http.requests_burst", "Requests of one address at once after a silence.", rate(1, 1e9),
                   AT(http.requests_by_address.burst)));
  to.push_back(key("http.connections_max", "HTTP connections on one core; further ones wait.", count(1, 1'000'000),
                   AT(http.connections_max)));
  to.push_back(
      key("http.connections_by_address_max",
          "Of those, from one address (IPv6: /64); further ones are closed. server.trusted_proxies are exempt.",
          count(1, 1'000'000), AT(http.connections_by_address_max)));
  to.push_back(key("http.idle_time_max", "How long a connection may stay between two requests.",
                   duration<Duration>(1s, 1h), AT(http.idle_time_max)));
}

void add_store_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("store.url",
                   "The PostgreSQL database of the authorization server, such as "
                   "postgresql://troupe:PASSWORD@db.example/troupe?sslmode=verify-full; empty: SQLite in "
                   "server.data_dir.",
                   secret("connection string"), AT(store.url)));
}

void add_telemetry_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("telemetry.otlp_endpoint",
                   "Where spans are sent as OTLP/HTTP JSON, such as http://127.0.0.1:4318/v1/traces; empty: nowhere.",
                   text("URL"), AT(telemetry.otlp_endpoint)));
  to.push_back(key("telemetry.trace_share",
                   "The share of requests that are traced, besides those whose client says so in `traceparent`.",
                   rate(0, 1), AT(telemetry.trace_share)));
}

void add_connection_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("realtime.echo", "Serve /echo, which sends every WebSocket message back: for conformance suites.",
                   truth(), AT(realtime.echo)));
  to.push_back(key("realtime.connections_max", "WebSockets in all; more are refused with 503.", count(1, 10'000'000),
                   AT(realtime.connections_max), live));
  to.push_back(key("realtime.connections_by_address_max", "Of those, from one address.", count(1, 10'000'000),
                   AT(realtime.connections_by_address_max), live));
  to.push_back(key("realtime.connections_by_user_max",
                   "And of one user; a further one gets 503, or 4008 where its token came in the first frame.",
                   count(1, 10'000'000), AT(realtime.connections_by_user_max), live));
  to.push_back(key("realtime.frame_bytes_max",
                   "The largest message of a client; a larger one closes with 1009. Not of connections that are open.",
                   bytes(KiB, 64 * MiB), AT(realtime.frame_bytes_max), live));
  to.push_back(key("realtime.messages_per_second", "Messages of one connection, on average.", rate(1, 1e9),
                   AT(realtime.frames.per_second), live));
  to.push_back(key("realtime.messages_burst", "Messages of one connection at once after a silence.", rate(1, 1e9),
                   AT(realtime.frames.burst), live));
  to.push_back(key("realtime.bytes_per_second", "Bytes of one connection a second, on average.",
                   byte_rate(KiB, 1024 * GiB), AT(realtime.bytes.per_second), live));
  to.push_back(key("realtime.bytes_burst", "Bytes of one connection at once after a silence.",
                   byte_rate(KiB, 1024 * GiB), AT(realtime.bytes.burst), live));
  to.push_back(key("realtime.subscriptions_max", "Topics and patterns of one connection.", count(1, 1'000'000),
                   AT(realtime.subscriptions_max), live));
  to.push_back(key("realtime.subscription_segments_max",
                   "Segments of all topics and patterns that somebody on one core is subscribed to, those that begin "
                   "alike once, about 250 bytes each, and as much again on every core for those of patterns. Past it a "
                   "subscription to what nobody there has is refused with "
                   "overloaded.",
                   count(1, 1'000'000'000), AT(realtime.subscription_segments_max)));
  to.push_back(key("realtime.topics_max",
                   "Topics that have messages or subscribers, on each core; messages for a further one are refused.",
                   count(1, 100'000'000), AT(realtime.topics_max)));
  to.push_back(
      key("realtime.topics_by_user_max",
          "Of those, topics that one user has begun: who published the first message of what is kept there, or "
          "of all. Messages for a further one are refused with rate_limited, unless one of them has neither "
          "messages nor subscribers by name.",
          count(1, 100'000'000), AT(realtime.topics_by_user_max)));
  to.push_back(key("realtime.heartbeat_interval", "Time between two pings of the server.", duration<Duration>(1s, 1h),
                   AT(realtime.heartbeat.interval), live));
  to.push_back(key("realtime.heartbeat_timeout", "How long a ping may stay unanswered before 4002.",
                   duration<Duration>(1s, 10min), AT(realtime.heartbeat.answer_within), live));
  to.push_back(
      key("realtime.idle_timeout",
          "A client that sends no frame for so long is closed with 4005; 0s: it may be silent. Pongs do not count.",
          duration<Duration>(0s, 24h), AT(realtime.idle_timeout), live));
  to.push_back(key("realtime.authenticate_within", "Time for the first frame of a client that came without a token.",
                   duration<Duration>(100ms, 5min), AT(realtime.authenticate_within), live));
  to.push_back(key("realtime.drain_time", "Over how long clients are sent away at SIGTERM.",
                   duration<Duration>(0s, 10min), AT(realtime.drain_time)));
  to.push_back(key("realtime.allowed_origins", "Web origins that may open WebSockets, besides the issuer's own.",
                   texts("list of origins"), AT(realtime.allowed_origins), live));
}

// What connections share is counted on each core by itself; a frame past it is refused, and the connection stays.
void add_shared_rate_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("realtime.user_messages_per_second",
                   "Messages of all connections of a user on one core, on average; more are refused.", rate(1, 1e9),
                   AT(realtime.user.frames.per_second), live));
  to.push_back(key("realtime.user_messages_burst", "The same at once after a silence.", rate(1, 1e9),
                   AT(realtime.user.frames.burst), live));
  to.push_back(key("realtime.user_bytes_per_second",
                   "Bytes of all connections of a user on one core, on average; more are refused.",
                   byte_rate(KiB, 1024 * GiB), AT(realtime.user.bytes.per_second), live));
  to.push_back(key("realtime.user_bytes_burst", "The same at once after a silence.", byte_rate(KiB, 1024 * GiB),
                   AT(realtime.user.bytes.burst), live));
  to.push_back(key("realtime.address_messages_per_second",
                   "Messages of all connections from an address (IPv6: /64) on one core, on average; more are refused.",
                   rate(1, 1e9), AT(realtime.address.frames.per_second), live));
  to.push_back(key("realtime.address_messages_burst", "The same at once after a silence.", rate(1, 1e9),
                   AT(realtime.address.frames.burst), live));
  to.push_back(key("realtime.address_bytes_per_second",
                   "Bytes of all connections from an address (IPv6: /64) on one core, on average; more are refused.",
                   byte_rate(KiB, 1024 * GiB), AT(realtime.address.bytes.per_second), live));
  to.push_back(key("realtime.address_bytes_burst", "The same at once after a silence.", byte_rate(KiB, 1024 * GiB),
                   AT(realtime.address.bytes.burst), live));
}

void add_delivery_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key(
      "realtime.deflate",
      "permessage-deflate: not spoken, without memory for a connection, or with contexts of its own.",
      choice<realtime::Deflate>(
          {{"off", realtime::Deflate::off}, {"shared", realtime::Deflate::shared}, {"own", realtime::Deflate::own}}),
      AT(realtime.compression.deflate)));
  to.push_back(key("realtime.deflate_bytes_min", "Smaller frames leave as they are.", bytes(0, MiB),
                   AT(realtime.compression.bytes_min)));
  to.push_back(key("realtime.deflate_window_bits", "The window of an own context is 2 to this power, in bytes.",
                   count(9, 15), AT(realtime.compression.window_bits)));
  to.push_back(key("realtime.outbox_messages_max", "Deliveries that may wait for one slow connection.",
                   count(1, 10'000'000), AT(realtime.outbox.messages_max), live));
  to.push_back(key("realtime.outbox_bytes_max", "Bytes of deliveries that may wait for one slow connection.",
                   bytes(KiB, GiB), AT(realtime.outbox.bytes_max), live));
  to.push_back(key("realtime.inbox_messages_max", "Direct messages kept for each user.", count(1, 1'000'000),
                   AT(realtime.inbox.count_max)));
  to.push_back(key("realtime.inbox_age_max", "How long a direct message is kept.", duration<Duration>(1s, 365 * day),
                   AT(realtime.inbox.age_max)));
}

void add_session_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("realtime.session_time",
                   "How long a session waits for its client after the socket vanished; 0s: not at all.",
                   duration<Duration>(0s, 1h), AT(realtime.sessions.session_time)));
  to.push_back(key("realtime.sessions_parked_max", "Sessions that wait so on one core; more: the longest waiting end.",
                   count(0, 10'000'000), AT(realtime.sessions.parked_max)));
  to.push_back(key("realtime.sessions_parked_by_user_max", "Of those, of one user.", count(0, 1'000'000),
                   AT(realtime.sessions.parked_by_user_max)));
  to.push_back(key("realtime.presence_interval",
                   "How often watchers are told who came and left; what is undone within it is not told.",
                   duration<Duration>(10ms, 1min), AT(realtime.presence_interval)));
}

void add_namespace_defaults(std::vector<Key>& to) {
  for (const NamespaceKey& one : namespace_keys()) to.push_back(as_default(one));
}

void add_oauth_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("oauth.code_lifetime", "Time to redeem an authorization code.", duration<seconds>(1s, 10min),
                   AT(oauth.code_ttl)));
  to.push_back(key("oauth.code_memory", "How long a used code is remembered, so that its replay is recognised.",
                   duration<seconds>(1min, day), AT(oauth.code_tombstone)));
  to.push_back(key("oauth.access_token_lifetime", "An access token's, unless its client has its own.",
                   duration<seconds>(1s, 1h), AT(oauth.access_token_ttl)));
  to.push_back(key("oauth.id_token_lifetime", "An ID token's.", duration<seconds>(10s, 1h), AT(oauth.id_token_ttl)));
  to.push_back(key("oauth.refresh_idle_time", "How long a refresh token may stay unused.",
                   duration<seconds>(1s, 365 * day), AT(oauth.refresh_idle)));
  to.push_back(key("oauth.refresh_lifetime", "After this time a person signs in again.",
                   duration<seconds>(1s, 365 * day), AT(oauth.refresh_absolute)));
  to.push_back(key("oauth.refresh_lifetime_public", "The same for public clients.", duration<seconds>(1s, 365 * day),
                   AT(oauth.refresh_absolute_public)));
  to.push_back(key("oauth.refresh_grace", "How long a used refresh token gives the same successor again.",
                   duration<seconds>(0s, 5min), AT(oauth.refresh_grace)));
  to.push_back(
      key("oauth.session_idle_time",
          "How long a browser's session may stay unused. At its end its tokens end, but those of offline_access.",
          duration<seconds>(1s, 30 * day), AT(oauth.session_idle)));
  to.push_back(key("oauth.session_lifetime", "After this time a browser signs in again.",
                   duration<seconds>(1s, 30 * day), AT(oauth.session_absolute)));
  to.push_back(
      key("oauth.sign_in_time", "Time for the pages of one sign-in.", duration<seconds>(10s, 1h), AT(oauth.flow_ttl)));
  to.push_back(key("oauth.resources", "What `resource` of a request may name besides the issuer (RFC 8707).",
                   texts("list of URIs"), AT(oauth.resources)));
  to.push_back(key("oauth.scopes_supported",
                   "Scopes that the discovery document names besides those of OpenID Connect.", scopes(),
                   AT(oauth.scopes_supported)));
  using oauth::Registration;
  to.push_back(
      key("oauth.registration",
          "Who may register a client by itself (RFC 7591): nobody, who shows an access token with the scope "
          "`register`, or everybody. With `open`, people see consent pages of applications that nobody has "
          "looked at.",
          choice<Registration>(
              {{"closed", Registration::closed}, {"by_token", Registration::by_token}, {"open", Registration::open}}),
          AT(oauth.registration)));
  to.push_back(key("oauth.registration_scopes",
                   "The most that such a client may be registered for. With `open`, no powers over the server.",
                   scopes(), AT(oauth.registration_scopes)));
  to.push_back(key("oauth.registrations_max", "So many such clients; past it none is registered.", count(1, 10'000'000),
                   AT(oauth.registrations_max)));
  to.push_back(
      key("oauth.fetch_unsafe_allow_addresses",
          "Dangerous, for tests alone: networks of the inside that the URLs of clients (`jwks_uri`, "
          "`backchannel_logout_uri`) may lead to all the same, by plain http too. Whoever may register a client "
          "can then make the server ask what stands there.",
          texts("list of networks"), AT(oauth.fetch_unsafe_allow_addresses)));
  to.push_back(key("oauth.audit_retention",
                   "How long events of the audit trail are kept; then whole segments go, at most a day of them at a "
                   "time. Their checkpoints stay.",
                   duration<hours>(24h, 10950 * day), AT(oauth.audit_retention)));
  to.push_back(
      key("oauth.audit_stream",
          "Publish each event of the audit trail on the topic system.oauth.<kind>, for tokens with a scope such "
          "as topic:system.oauth.>:subscribe.",
          truth(), AT(oauth.audit_stream)));
  to.push_back(key("oauth.webhook_url",
                   "Where events of the audit trail are posted as JSON, each until it has been taken; empty: nowhere.",
                   text("URL"), AT(webhook.url)));
  to.push_back(key("oauth.webhook_secret", "What the requests are signed with (HMAC-SHA-256), at least 16 bytes.",
                   secret("secret"), AT(webhook.secret)));
  to.push_back(key("oauth.webhook_kinds", "Which kinds of events, such as code_replay; empty: all.",
                   texts("list of kinds"), AT(webhook.kinds)));
}

void add_guard_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("oauth.known_device_time",
                   "How long a browser is known again in which somebody has signed in: there the guesses of others do "
                   "not slow down its user. 0s: not at all.",
                   duration<seconds>(0s, 365 * day), AT(oauth.known_device)));
  to.push_back(key("oauth.client_requests_per_second",
                   "Requests for tokens, introspections and revocations of one client that has proven itself, on one "
                   "core, on average; more get 429. 0: no limit but that of its address.",
                   rate(0, 1e9), AT(oauth.client_requests.per_second)));
  to.push_back(key("oauth.client_requests_burst", "The same at once after a silence; 0: those of a second.",
                   rate(0, 1e9), AT(oauth.client_requests.burst)));
  to.push_back(key("oauth.session_codes_per_minute",
                   "Authorization codes that one signed-in browser may be given, on one core, on average, and at once "
                   "after a silence; for more its client is told to come again. 0: no limit.",
                   rate(0, 1e6), AT(oauth.session_codes_per_minute)));
  to.push_back(key("oauth.sessions_per_user_max",
                   "Sessions that one user may have open; whoever signs in once more ends their oldest.",
                   count(1, 100'000), AT(oauth.sessions_per_user_max)));
  to.push_back(key("oauth.password_time",
                   "Processor time that the hash of a password takes on this machine: found out after each start, "
                   "which makes hashes dearer and never cheaper than the next two say. 0s: as they say.",
                   duration<std::chrono::milliseconds>(0ms, 5s), AT(passwords.time)));
  to.push_back(key("oauth.password_memory", "Memory of one hash (argon2id); two are made at once.",
                   bytes(19 * MiB, GiB), AT(passwords.memory)));
  to.push_back(key("oauth.password_passes", "Passes over it, at least.", count(2, 64), AT(passwords.passes)));
  to.push_back(
      key("oauth.password_threads",
          "`idle`: hashes take the processor time that nobody else wants, so a flood of sign-ins slows nothing "
          "down, and where none is left nobody signs in. `usual`: they take their share.",
          choice<PasswordThreads>({{"idle", PasswordThreads::idle}, {"usual", PasswordThreads::usual}}),
          AT(passwords.threads)));
  to.push_back(key("oauth.breached_passwords",
                   "A file of passwords that have become known, which nobody may take as a new one: sorted lines of "
                   "their SHA-1 in 40 upper-case hexadecimal digits, perhaps with `:` and a number. Opened at the "
                   "start, never read as a whole.",
                   text("file"), AT(passwords.breached_file)));
}

void add_page_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("oauth.logo_file",
                   "An image above the pages that people see: PNG, JPEG or SVG, at most 256KiB. Read at the start.",
                   text("file"), AT(pages.logo_file)));
  to.push_back(
      key("oauth.logo_text", "What it says, for those who do not see it.", text("text"), AT(oauth.look.logo_text)));
  to.push_back(key("oauth.page_ground", "The colour around the sheet of such a page, and within fields.", colour(),
                   AT(oauth.look.light.ground)));
  to.push_back(key("oauth.page_paper",
                   "Of the sheet. Text on it must have a contrast of 4.5:1 (WCAG 2.2), so it is "
                   "light here.",
                   colour(), AT(oauth.look.light.paper)));
  to.push_back(key("oauth.page_ink", "Of text.", colour(), AT(oauth.look.light.ink)));
  to.push_back(key("oauth.page_accent", "Of buttons and links; what stands on buttons is black or white by itself.",
                   colour(), AT(oauth.look.light.accent)));
  to.push_back(key("oauth.page_ground_dark", "The same for browsers that wish for dark pages.", colour(),
                   AT(oauth.look.dark.ground)));
  to.push_back(key("oauth.page_paper_dark", "And the sheet.", colour(), AT(oauth.look.dark.paper)));
  to.push_back(key("oauth.page_ink_dark", "And text.", colour(), AT(oauth.look.dark.ink)));
  to.push_back(key("oauth.page_accent_dark", "And buttons and links.", colour(), AT(oauth.look.dark.accent)));
}

void add_signing_keys(std::vector<Key>& to) {
  using namespace codec;
  to.push_back(key("oauth.key_announce_time", "How long a signing key is shown before it signs.",
                   duration<hours>(1h, 365 * day), AT(keys.announce)));
  to.push_back(
      key("oauth.key_signing_time", "How long a signing key signs.", duration<hours>(1h, 3650 * day), AT(keys.sign)));
  to.push_back(key("oauth.key_retain_time", "How long it is shown afterwards.", duration<hours>(1h, 365 * day),
                   AT(keys.retain)));
  to.push_back(key("oauth.encryption_key",
                   "What the server's own keys are sealed with in the database (`troupe keys new-encryption-key` makes "
                   "one); best by the environment. Empty: they stand there in clear.",
                   secret("32 bytes in base64url"), AT(seals.encryption_key)));
  to.push_back(
      key("oauth.encryption_key_file", "A file that holds it, instead.", text("file"), AT(seals.encryption_key_file)));
  to.push_back(key("oauth.encryption_key_previous",
                   "The one before: what it has sealed is read, and sealed anew at the next start.",
                   secret("32 bytes in base64url"), AT(seals.encryption_key_previous)));
}

#undef AT

std::vector<Key> all_keys() {
  std::vector<Key> all;
  add_server_keys(all);
  add_store_keys(all);
  add_telemetry_keys(all);
  add_connection_keys(all);
  add_shared_rate_keys(all);
  add_delivery_keys(all);
  add_session_keys(all);
  add_namespace_defaults(all);
  add_oauth_keys(all);
  add_guard_keys(all);
  add_page_keys(all);
  add_signing_keys(all);
  return all;
}

}  // namespace

std::span<const Key> keys() {
  static const std::vector<Key> all = all_keys();
  return all;
}

}  // namespace troupe::app
