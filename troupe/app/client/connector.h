// Connector: how a command's client reaches its server: the address, what it trusts, and where it comes from.
//
// Made once on the main thread, then copied to each core, where dial() gives that core its own way there.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "troupe/app/client/server_address.h"
#include "troupe/crypto/tls.h"
#include "troupe/realtime/client/client_socket.h"

namespace troupe::app {

struct ConnectorOptions {
  std::string server = "ws://127.0.0.1:8080/ws";
  std::string ca_file{};  // PEM of the roots that are trusted; empty: the system's
};

class Connector {
 public:
  /// Reads the address, asks for its name, and for TLS the roots. Blocks. The error is a sentence.
  static std::expected<Connector, std::string> make(const ConnectorOptions& options);

  /// A way there for one core. Connections take the server's addresses in turn, and `sources`, where there are any.
  realtime::Dial dial(std::vector<net::IpAddress> sources = {}) const;
  /// The beginning of a socket's options: what it asks whom for.
  realtime::ClientSocketOptions socket_options(realtime::AccessToken token) const;

  const ServerAddress& address() const noexcept { return address_; }
  /// Whether all that is sent stays on this machine.
  bool is_loopback() const noexcept;

 private:
  ServerAddress address_;
  std::vector<net::Endpoint> endpoints_;
  std::shared_ptr<const crypto::TlsContext> tls_;  // null: plain
};

}  // namespace troupe::app
