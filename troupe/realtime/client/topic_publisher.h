// TopicPublisher: the actor of a client that publishes. It answers each publication with the server's acknowledgement,
// or why there is none.
//
// One connection, which is not made again: whoever publishes must know what has become of what was sent. It keeps to
// the rate that the server names, and shows another token before its own ends, where there is one. Its owner bounds how
// many publications wait.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/realtime/client/client_socket.h"
#include "troupe/realtime/client/server_frame.h"
#include "troupe/realtime/client/shown_token.h"

namespace troupe::realtime {

struct TopicPublisherOptions {
  Dial dial;
  ClientSocketOptions socket;
  RenewToken renew_token{};                                      // none: all is over when the token is
  base::Duration token_look_interval = std::chrono::seconds{5};  // while one is wanted
};

struct PublishFailure {
  enum class Outcome : std::uint8_t {
    refused,  // by the server, or because it would be: it was not published
    unsent,   // it was not published, for there is no connection
    unknown,  // the connection was lost before the answer came
  };
  Outcome outcome;
  std::string why;  // a sentence without a full stop
};

/// Publishes one payload, which must be JSON text.
struct PublishPayload {
  std::string topic;
  std::string payload;
  using reply = std::string;  // the server's `ack`, as it came
  using error = PublishFailure;
};

/// Closes the connection in order, once all that waits has been answered.
struct FinishPublishing {
  using reply = void;
};

struct SendNext {};   // to itself: the rate permits the next one
struct ShowToken {};  // to itself: there may be another token by now

class TopicPublisher final : private ClientSocketEvents {
 public:
  static constexpr std::string_view actor_type = "TopicPublisher";

  explicit TopicPublisher(TopicPublisherOptions options)
      : options_(std::move(options)), shown_(options_.socket.token) {}

  void started(actor::Context& ctx);
  void handle(PublishPayload message, actor::Reply<std::string, PublishFailure> reply, actor::Context& ctx);
  void handle(FinishPublishing message, actor::Reply<void> reply, actor::Context& ctx);
  void handle(SendNext message, actor::Context& ctx);
  void handle(ShowToken message, actor::Context& ctx);

 private:
  using Answering = actor::Reply<std::string, PublishFailure>;
  struct Waiting {
    PublishPayload publication;
    Answering reply;
  };

  void on_frame(wire::Opcode opcode, std::string_view message) override;
  void on_end(const SocketEnd& end) override;
  void take(const ServerFrame& frame, std::string_view text);
  void token_shown(const ServerFrame& answer);
  void send_some();
  void ended(const std::string& why);
  void finish_if_done();

  TopicPublisherOptions options_;
  ShownToken shown_;
  actor::Context* ctx_ = nullptr;
  actor::Entry entry_;
  ServerFrameReader reader_;
  std::unique_ptr<ClientSocket> socket_;
  std::deque<Waiting> waiting_;
  std::map<std::string, Answering, std::less<>> sent_;  // by the id of the frame
  std::optional<actor::Reply<void>> finishing_;
  std::optional<std::string> why_ended_;
  base::Duration pause_{};  // between two publications
  base::Instant next_at_{};
  std::uint64_t numbered_ = 0;
  std::uint64_t frame_bytes_max_ = std::numeric_limits<std::uint64_t>::max();  // until the server has said
  bool welcomed_ = false;
};

}  // namespace troupe::realtime
