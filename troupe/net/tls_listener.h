// TLS before a listener: connections are handed on once their handshake is done, as TlsStreams.
//
// Handshakes are bounded in number and time, so that who begins one and says no more costs
// little and not for long; while too many are under way, further connections wait in the
// backlog, and those of an address that has its share of them are closed at once. Each takes the certificate that is in
// force when it begins. One core.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/base/metrics.h"
#include "troupe/base/published.h"
#include "troupe/crypto/tls.h"
#include "troupe/net/listener.h"

namespace troupe::net {

struct TlsListenerOptions {
  base::Duration handshake_time_max = std::chrono::seconds{5};
  std::size_t handshakes_max = 1000;           // on this core at once
  std::size_t handshakes_by_address_max = 64;  // of those, of one address (IPv6: /64); past it they are closed
  std::vector<Network> exempt;                 // whose addresses have no share of their own: many come from a proxy
  base::Metrics* metrics = nullptr;            // counts there; must outlive the listener. None: nobody counts
};

/// `contexts` must have published one before the first connection comes.
std::unique_ptr<Listener> listen_tls(actor::Core& core, std::unique_ptr<Listener> below,
                                     base::PublishedReader<crypto::TlsContext> contexts,
                                     const TlsListenerOptions& options = {});

}  // namespace troupe::net
