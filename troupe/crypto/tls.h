// TLS (1.2 and 1.3) as a conversion of bytes: no sockets, no clock. TlsContext is what a server
// shows, or what a client trusts; TlsSession is one connection of it.
//
// A context is immutable and shared by all cores. A session lives on one core; it reads what
// it is fed in place, and keeps bytes of its own only while a record is incomplete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/base/strong.h"

namespace troupe::crypto {

class TlsContext {
 public:
  using Made = std::expected<std::shared_ptr<const TlsContext>, std::string>;  // or a sentence for the operator

  /// A server's, of PEM texts: its certificate and those between it and a root, in this order; and the private key
  /// without a passphrase. Speaks HTTP/1.1 to whoever asks by ALPN.
  static Made server(std::string_view chain_pem, const base::Secret<std::string>& key_pem);
  /// A client's that trusts these roots and wants the name in the server's certificate.
  static Made client(std::string_view roots_pem, std::string server_name);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// When a server's own certificate ends.
  base::UnixTime expires_at() const noexcept { return expires_at_; }

 private:
  friend class TlsSession;
  struct State;
  explicit TlsContext(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
  base::UnixTime expires_at_{};
};

class TlsSession {
 public:
  explicit TlsSession(const TlsContext& context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// Bytes of the peer. They must stay where they are until receive() wants more, or unread() was kept.
  void feed(std::span<const char> bytes) noexcept;
  /// What of them has not been looked at yet.
  std::span<const char> unread() const noexcept;
  /// Whether receive() may give bytes without being fed.
  bool holds_bytes() const noexcept;

  enum class Step : std::uint8_t {
    established,  // the handshake is done
    bytes,        // some of the peer's words
    wants,        // nothing more comes of what was fed
    finished,     // the peer says no more
    failed,       // no TLS, no agreement, or another one is begun: what is outgoing says so, and nothing follows
  };
  struct Received {
    Step step;
    std::size_t bytes = 0;
  };
  /// Goes on with the handshake, and once that was told with the peer's words, which are put into `into`.
  Received receive(std::span<char> into);

  /// Why the session has failed, for people.
  struct Failure {
    enum class Of : std::uint8_t { nothing, certificate, protocol };  // certificate: the peer's is not trusted
    Of of = Of::nothing;
    std::string words{};  // OpenSSL's: "self-signed certificate", "wrong version number"
  };
  Failure failure() const;

  /// Begins a client's handshake.
  void greet();
  bool is_established() const noexcept;

  /// Encrypts; only once established, and not after finish(). False when the session has failed: nothing follows.
  [[nodiscard]] bool send(std::string_view bytes);
  /// Says that no more follows (close_notify).
  void finish();

  /// What is to be sent to the peer; the caller takes it away from the front.
  std::string& outgoing() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::crypto
