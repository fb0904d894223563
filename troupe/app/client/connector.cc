// Sockets, and TLS over them where the address asks for it.
#include "troupe/app/client/connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "troupe/net/read_buffer.h"
#include "troupe/net/socket.h"
#include "troupe/net/tls_stream.h"

namespace troupe::app {
namespace {

constexpr const char* system_roots = "/etc/ssl/certs/ca-certificates.crt";  // where Debian's ca-certificates puts them

std::string roots_file(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const char* named = std::getenv("SSL_CERT_FILE");  // as OpenSSL's own tools
  return named != nullptr && *named != '\0' ? named : system_roots;
}

std::expected<std::shared_ptr<const crypto::TlsContext>, std::string> trust(const ConnectorOptions& options,
                                                                            const std::string& host) {
  const auto path = roots_file(options.ca_file);
  std::ifstream file{path};
  const std::string roots{std::istreambuf_iterator<char>{file}, {}};
  if (!file) return std::unexpected(fmt::format("the trusted certificates in {} cannot be read (--ca-file)", path));
  auto context = crypto::TlsContext::client(roots, host);
  if (!context) return std::unexpected(fmt::format("{}: {}", path, context.error()));
  return *context;
}

/// What the connections of one core share.
struct Way {
  std::vector<net::Endpoint> endpoints;
  std::vector<net::IpAddress> sources;
  std::shared_ptr<const crypto::TlsContext> tls;
  std::shared_ptr<net::ReadBuffer> buffer;
  std::size_t dialled = 0;

  std::unique_ptr<net::Stream> dial(actor::Core& core) {
    if (!buffer) buffer = std::make_shared<net::ReadBuffer>();
    const auto turn = dialled++;
    std::optional<net::IpAddress> from;
    if (!sources.empty()) from = sources[turn % sources.size()];
    auto stream = net::connect_tcp(core, endpoints[turn % endpoints.size()], buffer, from);
    if (!tls) return stream;
    auto secure = std::make_unique<net::TlsStream>(core, std::move(stream), *tls);
    secure->shake_hands(nullptr, net::TlsStream::Hello::say);
    return secure;
  }
};

/// Why nobody could be talked to, and what may help.
std::string words_of(const ServerAddress& address, const realtime::NoAnswer& how) {
  using Of = net::StreamTrouble::Of;
  const auto& [of, words] = how.trouble;
  if (of == Of::certificate)
    return fmt::format("the certificate of {} is not trusted: {} (--ca-file)", address.authority, words);
  if (of == Of::tls)
    return fmt::format("TLS with {} fails: {}; does it want ws:// or http://?", address.authority, words);
  if (!how.was_reached) return fmt::format("nobody answers at {}", address.authority);
  return fmt::format("{} closed the connection without an answer{}", address.authority,
                     address.secure ? "" : "; does it want wss:// or https://?");
}

}  // namespace

std::expected<Connector, std::string> Connector::make(const ConnectorOptions& options) {
  auto address = parse_server_address(options.server);
  if (!address) return std::unexpected(address.error());
  auto endpoints = resolve(*address);
  if (!endpoints) return std::unexpected(endpoints.error());
  Connector connector;
  connector.address_ = *std::move(address);
  connector.endpoints_ = *std::move(endpoints);
  if (connector.address_.secure) {
    auto tls = trust(options, connector.address_.host);
    if (!tls) return std::unexpected(tls.error());
    connector.tls_ = *std::move(tls);
  }
  return connector;
}

realtime::Dial Connector::dial(std::vector<net::IpAddress> sources) const {
  auto way = std::make_shared<Way>(Way{endpoints_, std::move(sources), tls_, nullptr});
  return [way](actor::Core& core) { return way->dial(core); };
}

realtime::ClientSocketOptions Connector::socket_options(realtime::AccessToken token) const {
  return {.host = address_.authority,
          .target = address_.target,
          .token = std::move(token),
          .words_of_no_answer = [address = address_](const auto& how) { return words_of(address, how); }};
}

bool Connector::is_loopback() const noexcept {
  return std::ranges::all_of(endpoints_, [](const auto& endpoint) { return endpoint.ip.is_loopback(); });
}

}  // namespace troupe::app
