// Floor of `fanout`: a publication becomes one finished frame, and at the end of the turn
// each subscriber gets all frames of the turn in one write.
//
// It understands two client frames of Troupe's protocol by their first bytes: `subscribe`
// makes the connection a subscriber, `publish` is a publication. The delivered frame is as
// long as Troupe's, with the payload where Troupe has it, and so is the acknowledgement of
// one with an id, which leaves in one write, too.
#include <algorithm>

#include "bench/support/frame_server.h"

namespace troupe::bench {
namespace {

constexpr std::string_view subscribe_begins = R"({"type":"subscribe")";
constexpr std::string_view publish_with_id_begins = R"({"type":"publish","id":)";
constexpr std::string_view payload_begins = R"("payload":)";

class FanoutServer final : public FrameServer {
  void on_frame(Connection& from, Frame frame) override {
    const std::string_view text{frame.payload.data(), frame.payload.size()};
    if (text.starts_with(subscribe_begins)) {
      subscribers_.push_back(&from);
      write(from, server_frame(Opcode::text, R"({"type":"subscription_confirmed"})"));
    } else if (frame.opcode == Opcode::text) {
      publish(from, text);
    }
  }

  void publish(Connection& from, std::string_view text) {
    if (text.starts_with(publish_with_id_begins)) {
      if (acknowledgements_.empty()) publisher_ = &from;
      if (publisher_ == &from) acknowledgements_ += acknowledgement_;
    }
    auto payload = text.substr(text.find(payload_begins) + payload_begins.size());
    payload.remove_suffix(1);
    turn_ += server_frame(Opcode::text, std::string{R"({"type":"message","topic":"bench.fanout","payload":)"}
                                            .append(payload)
                                            .append(R"(,"epoch":"0123456789abcdef","offset":123456,)")
                                            .append(R"("sent_at":1700000000000})"));
  }

  void on_turn_end() override {
    if (turn_.empty()) return;
    for (auto* subscriber : subscribers_) write(*subscriber, turn_);
    turn_.clear();
    if (acknowledgements_.empty()) return;
    write(*publisher_, acknowledgements_);
    acknowledgements_.clear();
  }

  void on_closed(Connection& connection) override {
    std::erase(subscribers_, &connection);
    if (publisher_ == &connection) acknowledgements_.clear();
  }

  const std::string acknowledgement_ =
      server_frame(Opcode::text,
                   R"({"type":"ack","id":"p","delivered_to":1,"queued":0,"epoch":"0123456789abcdef","offset":123456})");
  std::vector<Connection*> subscribers_;
  std::string turn_;
  Connection* publisher_ = nullptr;  // whose publications of this turn are acknowledged: there is one
  std::string acknowledgements_;
};

}  // namespace
}  // namespace troupe::bench

int main() { troupe::bench::FanoutServer{}.run(); }
