// See check.h; each function here is one thought about what could not work.
#include "troupe/app/config/check.h"

#include <fmt/format.h>

#include "troupe/app/config/key.h"
#include "troupe/app/config/key_seals.h"
#include "troupe/app/config/rule.h"
#include "troupe/oauth/admin/caller.h"
#include "troupe/oauth/storage/audit_kinds.h"
#include "troupe/realtime/protocol/permission.h"
#include "troupe/store/postgres/postgres.h"
#include "troupe/wire/url.h"
#include "troupe/wire/utf8.h"

namespace troupe::app {
namespace {

/// As web/fetch.h has it, which would refuse any other each time.
bool can_be_posted_to(std::string_view text) {
  const auto url = wire::parse_url(text);
  return url && (url->scheme == "https" || url->scheme == "http") && !url->userinfo;
}

class Checker {
 public:
  Checker(const Config& config, const Places& places, std::vector<Problem>& problems)
      : config_(config), places_(places), problems_(problems) {}

  void run() {
    check_tls();
    check_plain_http();
    check_issuer();
    check_lists();
    check_scopes("realtime.", config_.realtime.defaults, std::nullopt);
    for (const auto& [name, options] : config_.realtime.namespaces) {
      check_scopes(fmt::format("{}{}.", namespace_prefix, name), options, name);
    }
    check_words("oauth.scopes_supported", config_.oauth.scopes_supported);
    check_words("oauth.registration_scopes", config_.oauth.registration_scopes);
    check_registration();
    check_rules();
    check_order();
    check_telemetry();
    check_store();
    check_seals();
    check_webhook();
    check_webhook_kinds();
    check_look();
  }

 private:
  /// `others` have to do with it: where the key itself was not set, the place is that of the first one that was.
  void complain(const std::string& key, const std::string& what, std::initializer_list<std::string> others = {}) {
    tell(key, key, what, others);
  }

  /// Of two keys, one of which may be a default.
  void contradict(const std::string& key, const std::string& what, const std::string& other) {
    tell(key, named(key), fmt::format("{} {}", what, named(other)), {other});
  }

  void tell(const std::string& key, const std::string& name, const std::string& what,
            std::initializer_list<std::string> others) {
    auto place = places_.find(key);
    for (const auto& other : others) {
      if (place == places_.end()) place = places_.find(other);
    }
    problems_.push_back({place == places_.end() ? "" : place->second, fmt::format("{} {}", name, what)});
  }

  /// The key, and its value where nobody has written it.
  std::string named(const std::string& key) const {
    const Key* found = find_key(key);
    if (places_.empty() || places_.contains(key) || found == nullptr) return key;
    std::string value = found->show(config_);
    std::erase(value, '"');
    return fmt::format("{} ({} by default)", key, value);
  }

  void check_tls() {
    const auto& server = config_.server;
    if (!server.tls_certificate.empty() && server.tls_key.empty()) {
      complain("server.tls_key", "is needed beside server.tls_certificate", {"server.tls_certificate"});
    } else if (server.tls_certificate.empty() && !server.tls_key.empty()) {
      complain("server.tls_certificate", "is needed beside server.tls_key", {"server.tls_key"});
    }
  }

  void check_plain_http() {
    const auto& server = config_.server;
    const bool exposed = !server.listen.ip.is_loopback();
    if (exposed && config_.development) {
      complain("server.listen", "is reachable by others, and development mode is for this machine alone");
    } else if (exposed && !server.speaks_tls() && !server.insecure_http && server.trusted_proxies.empty()) {
      complain("server.listen",
               "is no loopback address, and this would be plain HTTP: set server.tls_certificate, or put a proxy that "
               "speaks TLS before it and name it in server.trusted_proxies, or set server.insecure_http");
    }
  }

  /// Of a rule as a whole, at the place of what stands first in it.
  void complain_of_rule(std::size_t number, const std::string& what) {
    const std::string name = name_of({number, ""});  // with a dot at its end
    const auto first = std::ranges::find_if(places_, [&](const auto& place) { return place.first.starts_with(name); });
    problems_.push_back({first == places_.end() ? "" : first->second,
                         fmt::format("{} {}", std::string_view{name}.substr(0, name.size() - 1), what)});
  }

  void check_rules() {
    std::size_t number = 0;
    for (const RuleConfig& rule : config_.realtime.rules) {
      ++number;
      const auto read = rule_of(rule);
      if (read) continue;
      if (!read.error().key.empty()) {
        complain(name_of({number, read.error().key}), read.error().complaint);
      } else {
        complain_of_rule(number, read.error().complaint);
      }
    }
  }

  void check_telemetry() {
    const auto& endpoint = config_.telemetry.otlp_endpoint;
    if (endpoint.empty()) return;
    if (!can_be_posted_to(endpoint))
      complain("telemetry.otlp_endpoint", "wants a URL such as \"http://127.0.0.1:4318/v1/traces\", without a user");
  }

  void check_webhook() {
    constexpr std::size_t secret_bytes_min = 16;
    const WebhookConfig& webhook = config_.webhook;
    if (webhook.url.empty()) return;
    if (!can_be_posted_to(webhook.url))
      complain("oauth.webhook_url", "wants a URL such as \"https://audit.example/troupe\", without a user");
    if (webhook.secret.expose().size() < secret_bytes_min)
      complain("oauth.webhook_secret", "has at least 16 bytes: who knows it can make events up", {"oauth.webhook_url"});
  }

  void check_webhook_kinds() {
    for (const auto& kind : config_.webhook.kinds) {
      if (!oauth::is_audit_kind(kind))
        complain("oauth.webhook_kinds",
                 fmt::format("holds \"{}\", which is no kind of event such as \"code_replay\"", kind));
    }
  }

  void check_look() {
    const oauth::Look& look = config_.oauth.look;
    for (const oauth::LookFault& fault : faults_of(look)) {
      const std::string_view end = fault.scheme == oauth::LookFault::Scheme::dark ? "_dark" : "";
      const std::string_view beside = fault.colour == "ground" ? "ink" : "paper";
      complain(fmt::format("oauth.page_{}{}", fault.colour, end), fault.complaint,
               {fmt::format("oauth.page_{}{}", beside, end)});
    }
    if (look.logo_text.size() > oauth::logo_text_bytes_max || !wire::is_plain_utf8(look.logo_text))
      complain("oauth.logo_text", fmt::format("wants one line of at most {} bytes", oauth::logo_text_bytes_max));
    if (!config_.pages.logo_file.empty() && look.logo_text.empty())
      complain("oauth.logo_text", "is needed beside oauth.logo_file: not everybody sees the logo", {"oauth.logo_file"});
  }

  /// Who registers a client may have a token of its own with all that the client may ask for.
  void check_registration() {
    if (config_.oauth.registration != oauth::Registration::open) return;
    for (const std::string& scope : config_.oauth.registration_scopes) {
      if (!oauth::admin::is_privileged(scope)) continue;
      complain("oauth.registration_scopes",
               fmt::format("holds \"{}\", which would be everybody's where oauth.registration is \"open\"", scope),
               {"oauth.registration"});
    }
  }

  void check_store() {
    const std::string& url = config_.store.url.expose();
    if (!url.empty() && !store::is_postgres_url(url))
      complain("store.url", "wants a connection string such as \"postgresql://troupe@localhost/troupe\"");
  }

  void check_seals() {
    if (const auto seals = key_seals_of(config_); !seals) complain(seals.error().key, seals.error().what);
  }

  void check_issuer() {
    const auto& issuer = config_.oauth.issuer;
    if (config_.server.issuer.empty() && config_.server.listen.ip.is_unspecified()) {
      return complain("server.issuer", "is needed: the server listens on every address, and clients know it by one URL",
                      {"server.listen"});
    }
    const auto url = wire::parse_url(issuer);
    if (!url || (url->scheme != "https" && url->scheme != "http")) {
      return complain("server.issuer", "wants a URL such as \"https://example.org\"");
    }
    if (url->query || url->fragment || url->userinfo || !url->path.empty() || issuer != url->origin()) {
      return complain("server.issuer", fmt::format("wants an origin: \"{}\", nothing more", url->origin()));
    }
    std::string_view host = url->host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const auto ip = net::IpAddress::parse(host);
    const bool loopback = host == "localhost" || (ip && ip->is_loopback());
    if (url->scheme == "http" && !loopback && !config_.server.insecure_http) {
      complain("server.issuer", "is plain http on a network: tokens could be read on the way (RFC 8414, 2)");
    }
  }

  void check_networks(const std::string& key, const std::vector<std::string>& networks) {
    for (const auto& network : networks) {
      if (!net::Network::parse(network))
        complain(key, fmt::format("holds \"{}\", which is no network such as \"10.0.0.0/8\"", network));
    }
  }

  void check_lists() {
    check_networks("server.trusted_proxies", config_.server.trusted_proxies);
    check_networks("oauth.fetch_unsafe_allow_addresses", config_.oauth.fetch_unsafe_allow_addresses);
    for (const auto& origin : config_.realtime.allowed_origins) {
      const auto url = wire::parse_url(origin);
      if (!url || url->origin() != origin) {
        complain("realtime.allowed_origins",
                 fmt::format("holds \"{}\", which is no origin such as \"https://example.org\"", origin));
      }
    }
    for (const auto& resource : config_.oauth.resources) {
      const auto url = wire::parse_url(resource);
      if (!url || url->fragment) {
        complain("oauth.resources", fmt::format("holds \"{}\", which is no absolute URI (RFC 8707, 2)", resource));
      }
    }
  }

  void check_scopes(const std::string& prefix, const NamespaceConfig& config, std::optional<std::string_view> inside) {
    check_scopes(prefix + "anonymous_scopes", config.anonymous_scopes, inside);
    check_scopes(prefix + "default_scopes", config.default_scopes, inside);
  }

  void check_words(const std::string& key, const oauth::ScopeSet& scopes) {
    for (const auto& scope : scopes) {
      if (!oauth::is_well_meant(scope))
        complain(key, fmt::format("holds \"{}\", which is no grant such as \"topic:news.*:subscribe\"", scope));
    }
  }

  /// Every scope must be a grant; of a namespace, for topics that all begin with its name.
  void check_scopes(const std::string& key, const std::string& text, std::optional<std::string_view> inside) {
    const auto scopes = oauth::ScopeSet::parse(text);
    if (!scopes) return complain(key, "holds what no scope may, or two spaces");
    for (const auto& scope : *scopes) {
      const auto grant = realtime::Grant::parse(scope);
      if (!grant) {
        complain(key, fmt::format("holds \"{}\", which is no grant such as \"topic:news.*:subscribe\"", scope));
        continue;
      }
      std::string_view topic = grant->pattern.text();
      if (inside && realtime::take_segment(topic) != *inside) {
        complain(key, fmt::format("holds \"{}\", which is not for topics of this namespace, such as \"topic:{}.>:{}\"",
                                  scope, *inside, scope.substr(scope.rfind(':') + 1)));
      }
    }
  }

  template <class T>
  void at_most(const std::string& smaller, const T& small, const std::string& larger, const T& large) {
    if (small > large) contradict(smaller, "is more than", larger);
  }

  void check_order() {
    const auto& oauth = config_.oauth;
    const auto& realtime = config_.realtime;
    at_most("oauth.code_lifetime", oauth.code_ttl, "oauth.code_memory", oauth.code_tombstone);
    at_most("oauth.refresh_idle_time", oauth.refresh_idle, "oauth.refresh_lifetime", oauth.refresh_absolute);
    at_most("oauth.refresh_lifetime_public", oauth.refresh_absolute_public, "oauth.refresh_lifetime",
            oauth.refresh_absolute);
    at_most("oauth.session_idle_time", oauth.session_idle, "oauth.session_lifetime", oauth.session_absolute);
    at_most<base::Duration>("oauth.access_token_lifetime", oauth.access_token_ttl, "oauth.key_retain_time",
                            config_.keys.retain);
    at_most("realtime.heartbeat_timeout", realtime.heartbeat.answer_within, "realtime.heartbeat_interval",
            realtime.heartbeat.interval);
    for (const auto& [burst, key] : {std::pair{realtime.bytes.burst, "realtime.bytes_burst"},
                                     std::pair{realtime.user.bytes.burst, "realtime.user_bytes_burst"},
                                     std::pair{realtime.address.bytes.burst, "realtime.address_bytes_burst"}}) {
      if (static_cast<double>(realtime.frame_bytes_max) <= burst) continue;
      contradict("realtime.frame_bytes_max", "could never be sent, as it is more than", key);
    }
    if (config_.server.data_dir.empty()) complain("server.data_dir", "is empty");
  }

  const Config& config_;
  const Places& places_;
  std::vector<Problem>& problems_;
};

}  // namespace

void complete(Config& config) {
  const auto& server = config.server;
  config.oauth.issuer = server.issuer;
  if (server.issuer.empty()) config.oauth.issuer = wire::parse_url(server.origin())->origin();
}

void check(const Config& config, const Places& places, std::vector<Problem>& problems) {
  Checker{config, places, problems}.run();
}

}  // namespace troupe::app
