// Churn: the actor of clients that come, subscribe, publish a little and go, most of them without a word.
//
// One on a core of its own. What the server keeps for them is what a soak measures, so topics and sessions are new ones
// all the time.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "troupe/actor/actor.h"
#include "troupe/realtime/client/client_socket.h"
#include "troupe/realtime/client/server_frame.h"
#include "troupe/realtime/load/schedule.h"

namespace troupe::chaos {

struct ChurnOptions {
  realtime::Dial dial;
  realtime::ClientSocketOptions socket;
  double arrivals_per_second = 300;
  base::Duration stay_max = std::chrono::seconds{4};
  std::uint64_t topics = 50'000;  // of which each client takes three
  double vanishing_share = 0.7;   // of clients that do not close their connection in order
};

struct ChurnFigures {
  std::uint64_t arrived = 0, gone = 0, refused = 0, published = 0, received = 0;
  std::size_t here = 0;
};
struct GetChurnFigures {
  using reply = ChurnFigures;
};
struct ArrivalsDue {};
struct GoAway {
  std::uint64_t visitor;
};

class Churn {
 public:
  static constexpr std::string_view actor_type = "Churn";

  explicit Churn(ChurnOptions options) : options_(std::move(options)) {}

  void started(actor::Context& ctx);
  void handle(ArrivalsDue message, actor::Context& ctx);
  void handle(GoAway message, actor::Context& ctx);
  ChurnFigures handle(const GetChurnFigures&) const {
    auto figures = figures_;
    figures.here = visitors_.size();
    return figures;
  }

 private:
  struct Visitor final : realtime::ClientSocketEvents {
    explicit Visitor(Churn& its) : churn(its) {}
    void on_frame(wire::Opcode opcode, std::string_view message) override;
    void on_end(const realtime::SocketEnd& end) override;

    Churn& churn;
    std::unique_ptr<realtime::ClientSocket> socket;
    bool ended = false;
  };

  void arrive(actor::Context& ctx);
  void welcome(Visitor& visitor);

  ChurnOptions options_;
  actor::Context* ctx_ = nullptr;
  realtime::ServerFrameReader reader_;
  std::optional<realtime::Schedule> arrivals_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Visitor>> visitors_;
  std::uint64_t numbered_ = 0;
  ChurnFigures figures_;
};

}  // namespace troupe::chaos
