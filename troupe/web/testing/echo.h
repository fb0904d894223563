// EchoSocket: sends every message back. The smallest owner of a WebSocketLink, for tests.
//
// It keeps what the link has not taken, pauses reading meanwhile, and deletes itself when
// the link has closed.
#pragma once

#include <memory>
#include <string>

#include "troupe/web/websocket_link.h"

namespace troupe::web::testing {

class EchoSocket final : public WebSocketEvents {
 public:
  /// Takes the link over and lives as long as it is open.
  static void attach(std::unique_ptr<WebSocketLink> link, WebSocketLimits limits) {
    auto* echo = new EchoSocket(std::move(link));
    echo->link_->start(*echo, limits);
  }

 private:
  explicit EchoSocket(std::unique_ptr<WebSocketLink> link) : link_(std::move(link)) {}

  void on_message(Opcode opcode, std::string_view message) override {
    frames_.push_back(wire::encode_frame(opcode, message));
    flush();
  }
  void on_pong(std::string_view) override {}
  void on_writable() override { flush(); }
  void on_closed(const WebSocketClosed&) override { delete this; }

  void flush() {
    while (!frames_.empty()) {
      std::string& frame = frames_.front();
      iovec part{frame.data() + sent_, frame.size() - sent_};
      sent_ += link_->write_some({&part, 1});
      if (sent_ < frame.size()) return link_->pause_reading();
      frames_.erase(frames_.begin());
      sent_ = 0;
    }
    link_->resume_reading();
  }

  std::unique_ptr<WebSocketLink> link_;
  std::vector<std::string> frames_;
  std::size_t sent_ = 0;
};

}  // namespace troupe::web::testing
