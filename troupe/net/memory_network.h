// MemoryNetwork: the twin of the network for tests and simulation. Streams and listeners
// without sockets, on one core, in the core's own time.
//
// It keeps the whole contract of Stream and Listener, and its hard sides can be turned
// on: writes that come short, bytes that arrive late or cut into small pieces, connections
// that break.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/net/listener.h"
#include "troupe/net/stream.h"

namespace troupe::net {

/// What goes wrong on the way, drawn from `random`; each once in so many times, 0: never.
struct MemoryNetworkFaults {
  base::Random* random = nullptr;    // none: nothing goes wrong. Must outlive the network and its streams
  std::uint32_t short_write_in = 0;  // less is taken than there is room for
  std::uint32_t short_read_in = 0;   // what arrives is cut at a random place
  std::uint32_t break_in = 0;        // instead of what arrives both ends are told `reset`
  base::Duration delay_max{};        // how long what was written is under way at most, beside the turn it takes anyway
};

struct MemoryNetworkOptions {
  std::size_t buffer_bytes = 256 * 1024;   // what one direction holds before writes come short
  std::size_t piece_bytes_max = SIZE_MAX;  // how many bytes arrive at once at most
  MemoryNetworkFaults faults{};
};

class MemoryListener;

class MemoryNetwork {
 public:
  explicit MemoryNetwork(actor::Core& core, MemoryNetworkOptions options = {}) noexcept
      : core_(core), options_(options) {}
  MemoryNetwork(const MemoryNetwork&) = delete;
  MemoryNetwork& operator=(const MemoryNetwork&) = delete;

  /// Listens at `address`; port 0 takes a free one. The network must outlive the listener.
  std::unique_ptr<Listener> listen(Endpoint address);

  /// The client's end of a new connection to whoever listens at `to`; null when nobody does. It comes from
  /// `from_ip`, or from 127.0.0.1.
  std::unique_ptr<Stream> connect(const Endpoint& to);
  std::unique_ptr<Stream> connect(const Endpoint& to, const IpAddress& from_ip);

  /// Two connected ends without a listener. Each is the other's peer.
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> pair(const Endpoint& first, const Endpoint& second);

 private:
  friend class MemoryListener;

  actor::Core& core_;
  MemoryNetworkOptions options_;
  std::map<Endpoint, MemoryListener*> listeners_;
  std::uint16_t next_port_ = 50'000;
};

}  // namespace troupe::net
