// CertificateKeeper: which TLS certificate is shown, and how it is replaced while the server
// runs.
//
// It looks at the files twice a minute, and at once when it is told to (SIGHUP), also when they
// are others by then; handshakes that begin afterwards show what they hold. Files that are no
// good, or half written, leave the last good ones in force, and the log says why. Reading is
// done off the cores.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/base/metrics.h"
#include "troupe/base/published.h"
#include "troupe/crypto/tls.h"

namespace troupe::app {

/// PEM files: the certificate with those between it and a root, and its private key.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

/// What the files hold, or a sentence that says which of them is no good, and why. Blocks.
crypto::TlsContext::Made read_certificate(const CertificateFiles& files);

/// What an operator should hear of a certificate that ends then, or nothing.
std::string_view worry_about(base::UnixTime expires, base::UnixTime now);

/// Read the files now, changed or not.
struct ReloadCertificate {
  static constexpr auto message_class = actor::MessageClass::control;
};

class CertificateKeeper {
 public:
  static constexpr std::string_view actor_type = "CertificateKeeper";
  static constexpr auto look_every = std::chrono::seconds{30};

  /// Which files they are, is published before; what they hold is put into `in_force`. `metrics` outlives it.
  CertificateKeeper(base::PublishedReader<CertificateFiles> files, base::Published<crypto::TlsContext> in_force,
                    base::Metrics* metrics);

  struct LookAtFiles {};  // to itself, as time passes
  actor::Task<void> started(actor::Context& ctx);
  actor::Task<void> handle(LookAtFiles message, actor::Context& ctx);
  actor::Task<void> handle(ReloadCertificate message);
  void inspect(actor::Inspection& out) const;

 private:
  /// Of one file: what changes when it is written or replaced. Zeros when it is not there.
  struct Stamp {
    std::int64_t changed_at = 0;  // nanoseconds
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 2>;
  struct Found {
    Stamps stamps;
    bool key_is_open;  // others than owner and group may read it
    crypto::TlsContext::Made read;
  };

  enum class Say : std::uint8_t { all, what_is_new };  // of what kept the files from being read

  actor::Task<void> read(Say say);
  static Stamp stamp_of(const std::string& path);
  static Stamps stamps_of(const CertificateFiles& files) { return {stamp_of(files.certificate), stamp_of(files.key)}; }

  base::PublishedReader<CertificateFiles> files_;
  base::Published<crypto::TlsContext> in_force_;
  base::Gauge& expires_at_;
  Stamps seen_{};        // of the files that were last read well
  std::string why_not_;  // the last try failed; empty: it did not
  std::string in_force_from_;
  std::uint64_t times_read_ = 0;
};

}  // namespace troupe::app
