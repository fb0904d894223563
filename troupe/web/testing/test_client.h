// TestClient: the other end of a memory stream, for tests. It keeps what arrives as text and
// sends what it is given.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "troupe/base/check.h"
#include "troupe/net/stream.h"

namespace troupe::web::testing {

class TestClient final : public net::StreamEvents {
 public:
  explicit TestClient(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {
    INVARIANT(stream_ != nullptr, "nobody listens there");
    stream_->start(*this);
  }

  /// Sends all of `text`, which must fit into the network's buffer.
  void send(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    INVARIANT(stream_->write_some({&part, 1}) == text.size(), "the test sends more than the network holds");
  }

  /// What has arrived since the last call.
  std::string take() { return std::exchange(received_, {}); }

  net::Stream& stream() { return *stream_; }
  bool is_closed() const { return closed_; }
  void vanish() { stream_.reset(); }

 private:
  void on_bytes(std::span<char> bytes) override { received_.append(bytes.data(), bytes.size()); }
  void on_writable() override {}
  void on_closed(net::CloseReason) override { closed_ = true; }

  std::unique_ptr<net::Stream> stream_;
  std::string received_;
  bool closed_ = false;
};

}  // namespace troupe::web::testing
