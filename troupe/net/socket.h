// Socket: a Stream on a connected, non-blocking TCP socket.
//
// It registers for reading only, and for writing while a write has come short. It reads
// once for each readiness into the core's shared buffer, and holds no bytes of its own.
#pragma once

#include <memory>
#include <optional>

#include "troupe/actor/runtime/poller.h"
#include "troupe/net/descriptor.h"
#include "troupe/net/read_buffer.h"
#include "troupe/net/stream.h"

namespace troupe::actor {
class Core;
}

namespace troupe::net {

class Socket final : public Stream, private actor::IoHandler {
 public:
  /// Takes over a connected socket that does not block.
  Socket(actor::Poller& poller, Descriptor socket, PeerAddress peer, std::shared_ptr<ReadBuffer> buffer) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() override;

  void start(StreamEvents& events) override;
  std::size_t write_some(std::span<const iovec> parts) override;
  void pause_reading() override;
  void resume_reading() override;
  void shutdown_write() override;
  void close() override;
  const PeerAddress& peer() const override { return peer_; }

 private:
  void on_io(actor::IoEvents ready) override;
  void read_once();
  void lost();
  void update_interest();
  void unregister() noexcept;

  // First what a write needs, so that it takes one line of the processor's cache.
  Descriptor socket_;
  bool registered_ = false;
  bool paused_ = false;      // by the owner
  bool finished_ = false;    // the peer sends no more
  bool came_short_ = false;  // a write waits for room
  bool broken_ = false;      // that write failed: the connection is gone
  PeerAddress peer_;
  actor::Poller& poller_;
  StreamEvents* events_ = nullptr;
  std::shared_ptr<ReadBuffer> buffer_;
  bool* gone_ = nullptr;  // set to true when an event destroys us
};

/// Connects to `to` over the loopback or another network, without waiting for the answer: events tell. `from`: the
/// address of this machine that it comes from; none: the kernel's choice. For clients and tests. Throws
/// std::system_error when the kernel refuses at once.
std::unique_ptr<Stream> connect_tcp(actor::Core& core, const Endpoint& to, std::shared_ptr<ReadBuffer> buffer,
                                    const std::optional<IpAddress>& from = std::nullopt);

}  // namespace troupe::net
