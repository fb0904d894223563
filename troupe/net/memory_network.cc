// The memory twin: two one-way pipes a connection, moved along by functions posted to the core.
#include "troupe/net/memory_network.h"

#include <algorithm>
#include <deque>
#include <string>

#include "troupe/actor/runtime/core.h"
#include "troupe/base/check.h"

namespace troupe::net {
namespace {

class MemoryStream;

/// One direction of a connection. It outlives both ends, for a function that is still posted may hold it. Its timer
/// runs while what was written is late.
struct Pipe : actor::TimerNode, std::enable_shared_from_this<Pipe> {
  explicit Pipe(actor::Core& its_core) : TimerNode(arrive), core(its_core) {}
  static void arrive(TimerNode& node) noexcept { static_cast<Pipe&>(node).post_move(); }
  void post_move() {
    core.post([pipe = shared_from_this()](actor::Core&) { pipe->move(); });
  }
  /// Brings the bytes to the reader, and tells the writer of the room.
  void move();

  actor::Core& core;
  std::string bytes;
  MemoryStream* reader = nullptr;  // null once that end is gone
  MemoryStream* writer = nullptr;
  bool finished = false;    // the writer sends no more
  bool came_short = false;  // the writer waits for room
  bool move_is_posted = false;
  bool broken = false;
};

bool hits(const MemoryNetworkFaults& faults, std::uint32_t one_in) {
  return faults.random != nullptr && one_in > 0 && faults.random->below(one_in) == 0;
}

class MemoryStream final : public Stream {
 public:
  MemoryStream(actor::Core& core, MemoryNetworkOptions options, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out,
               PeerAddress peer)
      : core_(core), options_(options), in_(std::move(in)), out_(std::move(out)), peer_(peer) {
    in_->reader = this;
    out_->writer = this;
  }
  ~MemoryStream() override { close(); }

  void start(StreamEvents& events) override {
    events_ = &events;
    post_move(in_);
  }

  std::size_t write_some(std::span<const iovec> parts) override {
    if (out_->finished) return 0;
    if (out_->reader == nullptr || out_->broken) {
      out_->came_short = true;
      post_move(out_);
      return 0;
    }
    std::size_t accepted = 0;
    for (const auto& part : parts) {
      std::size_t room = options_.buffer_bytes - std::min(options_.buffer_bytes, out_->bytes.size());
      std::size_t count = std::min(room, part.iov_len);
      if (count > 0 && hits(options_.faults, options_.faults.short_write_in)) {
        count = options_.faults.random->below(count);
      }
      out_->bytes.append(static_cast<const char*>(part.iov_base), count);
      accepted += count;
      if (count < part.iov_len) {
        out_->came_short = true;
        break;
      }
    }
    post_move(out_);
    return accepted;
  }

  void pause_reading() override { paused_ = true; }
  void resume_reading() override {
    paused_ = false;
    post_move(in_);
  }
  void shutdown_write() override {
    out_->finished = true;
    post_move(out_);
  }

  void close() override {
    events_ = nullptr;
    if (out_->writer != this) return;
    in_->reader = nullptr;
    out_->writer = nullptr;
    // What was accepted before still arrives, then the end. Who writes to us from now on is told of a reset.
    out_->finished = true;
    post_move(out_);
    post_move(in_);
  }

  const PeerAddress& peer() const override { return peer_; }

  /// Hands on what has arrived, one event at a time. After each, this may be gone.
  void receive() {
    if (events_ == nullptr) return;
    if (in_->broken) return hear_of_the_break();
    if (!paused_ && !in_->bytes.empty()) {
      if (hits(options_.faults, options_.faults.break_in)) return break_up();
      std::size_t length = std::min(in_->bytes.size(), options_.piece_bytes_max);
      if (hits(options_.faults, options_.faults.short_read_in)) length = 1 + options_.faults.random->below(length);
      std::string piece = in_->bytes.substr(0, length);
      in_->bytes.erase(0, piece.size());
      post_move(in_);  // for what is left, and for the writer's room
      events_->on_bytes(piece);
      return;
    }
    if (!paused_ && in_->bytes.empty() && in_->finished && !told_finished_) {
      told_finished_ = true;
      events_->on_closed(CloseReason::finished);
    }
  }

  /// Tells the writer that there is room again, or that nobody reads any more.
  void sent() {
    if (events_ == nullptr) return;
    if (out_->broken) return hear_of_the_break();
    if (!out_->came_short || told_reset_) return;
    if (out_->reader == nullptr) {
      told_reset_ = true;
      events_->on_closed(CloseReason::reset);
    } else if (out_->bytes.size() < options_.buffer_bytes) {
      out_->came_short = false;
      events_->on_writable();
    }
  }

 private:
  void post_move(const std::shared_ptr<Pipe>& pipe) {
    if (std::exchange(pipe->move_is_posted, true)) return;
    const auto& faults = options_.faults;
    if (faults.random != nullptr && faults.delay_max > base::Duration::zero()) {
      const auto late = faults.random->below(static_cast<std::uint64_t>(faults.delay_max.count()));
      core_.timers().arm(*pipe, core_.now() + base::Duration{static_cast<std::int64_t>(late)});
      return;
    }
    pipe->post_move();
  }

  /// The connection breaks: what is under way is lost, and each end hears of it once.
  void break_up() {
    for (auto* pipe : {in_.get(), out_.get()}) {
      pipe->bytes.clear();
      pipe->broken = true;
    }
    post_move(in_);
    post_move(out_);
  }
  void hear_of_the_break() {
    if (std::exchange(told_reset_, true)) return;
    told_finished_ = true;
    events_->on_closed(CloseReason::reset);
  }

  actor::Core& core_;
  MemoryNetworkOptions options_;
  StreamEvents* events_ = nullptr;
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  PeerAddress peer_;
  bool paused_ = false;
  bool told_finished_ = false;
  bool told_reset_ = false;
};

void Pipe::move() {
  move_is_posted = false;
  if (reader != nullptr) reader->receive();
  if (writer != nullptr) writer->sent();
}

}  // namespace

class MemoryListener final : public Listener {
 public:
  MemoryListener(MemoryNetwork& network, Endpoint address) : network_(network), address_(address) {
    bool added = network_.listeners_.try_emplace(address_, this).second;
    INVARIANT(added, "two memory listeners at one address");
  }
  ~MemoryListener() override { network_.listeners_.erase(address_); }

  void start(ListenerEvents& events) override {
    events_ = &events;
    accept_waiting();
  }
  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    accept_waiting();
  }
  const Endpoint& address() const override { return address_; }

  void take(std::unique_ptr<Stream> stream) {
    waiting_.push_back(std::move(stream));
    accept_waiting();
  }

 private:
  void accept_waiting() {
    network_.core_.post([&network = network_, address = address_](actor::Core&) {
      auto found = network.listeners_.find(address);
      if (found != network.listeners_.end()) found->second->accept_now();
    });
  }

  void accept_now() {
    while (!waiting_.empty() && !paused_ && events_ != nullptr) {
      auto stream = std::move(waiting_.front());
      waiting_.pop_front();
      events_->on_stream(std::move(stream));
    }
  }

  MemoryNetwork& network_;
  Endpoint address_;
  ListenerEvents* events_ = nullptr;
  std::deque<std::unique_ptr<Stream>> waiting_;
  bool paused_ = false;
};

std::unique_ptr<Listener> MemoryNetwork::listen(Endpoint address) {
  if (address.port == 0) address.port = next_port_++;
  return std::make_unique<MemoryListener>(*this, address);
}

std::unique_ptr<Stream> MemoryNetwork::connect(const Endpoint& to) {
  return connect(to, *IpAddress::parse("127.0.0.1"));
}

std::unique_ptr<Stream> MemoryNetwork::connect(const Endpoint& to, const IpAddress& from_ip) {
  auto found = listeners_.find(to);
  if (found == listeners_.end()) return nullptr;
  const Endpoint from{.ip = from_ip, .port = next_port_++};
  auto [client, server] = pair(from, to);
  found->second->take(std::move(server));
  return std::move(client);
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> MemoryNetwork::pair(const Endpoint& first,
                                                                                const Endpoint& second) {
  auto there = std::make_shared<Pipe>(core_);
  auto back = std::make_shared<Pipe>(core_);
  return {std::make_unique<MemoryStream>(core_, options_, back, there, second),
          std::make_unique<MemoryStream>(core_, options_, there, back, first)};
}

}  // namespace troupe::net
