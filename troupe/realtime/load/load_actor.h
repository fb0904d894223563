// LoadActor: one core's part of a load: its connections, what they publish and what they receive.
//
// It connects at a rate, then publishes at a rate, each publication at its own moment however the others fare, and
// measures each delivery from the moment at which its publication was due. A connection that is lost is not made
// again: it is told. Several of these, one a core, share a load by their index.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/client/client_socket.h"
#include "troupe/realtime/client/server_frame.h"
#include "troupe/realtime/load/load_figures.h"
#include "troupe/realtime/load/precise_alarm.h"
#include "troupe/realtime/load/schedule.h"

namespace troupe::realtime {

/// What the moment and the frame of a payload take: {"due":, twenty digits, ,"pad":""}.
inline constexpr std::size_t load_payload_bytes_min = 37;

struct LoadOptions {
  std::uint64_t connections = 100;  // of all cores together, as are the next five
  std::uint64_t topics = 10;
  std::uint64_t subscribers_per_topic = 10;  // topic t has the connections from t * this on, around in a circle
  double publications_per_second = 100;
  double connections_per_second = 500;
  std::size_t payload_bytes = 128;    // at least load_payload_bytes_min
  std::string topic_prefix = "load";  // topics are PREFIX.0, PREFIX.1, ...
};

struct LoadActorOptions {
  LoadOptions load;
  std::uint64_t index = 0;  // of this core
  std::uint64_t cores = 1;
  Dial dial;
  ClientSocketOptions socket;
  std::vector<AccessToken> tokens;  // connections take them in turn; empty: none shows one
  AlarmKind alarm = AlarmKind::descriptor;
};

/// How many connections of this core have been live, or have failed for good.
struct GetSettled {
  using reply = std::uint64_t;
};
/// How many live subscribers each topic has on this core.
struct CountSubscribers {
  using reply = std::vector<std::uint32_t>;
};
/// Publish what is due from `start` on and before `end`; `subscribers`: of each topic, on all cores.
struct BeginPublishing {
  base::Instant start;
  base::Instant end;
  std::shared_ptr<const std::vector<std::uint32_t>> subscribers;
};
struct EndPublishing {};
/// Closes all in order, for the server keeps sessions of those that vanish.
struct CloseSockets {};
struct CountSockets {
  using reply = std::uint64_t;
};
struct GetLoadFigures {
  using reply = LoadFigures;
};

class LoadActor final {
 public:
  static constexpr std::string_view actor_type = "LoadActor";

  explicit LoadActor(LoadActorOptions options);

  void started(actor::Context& ctx);
  std::uint64_t handle(const GetSettled&) const {
    return figures_.connections_live + figures_.connections_failed + figures_.connections_lost;
  }
  std::vector<std::uint32_t> handle(const CountSubscribers&) const;
  void handle(const BeginPublishing& message);
  void handle(EndPublishing message);
  void handle(CloseSockets message);
  std::uint64_t handle(const CountSockets&) const;
  LoadFigures handle(const GetLoadFigures&) const { return figures_; }

 private:
  /// One connection, which tells its actor.
  struct Connection final : ClientSocketEvents {
    Connection(LoadActor& its, std::uint64_t its_number) : actor(its), number(its_number) {}
    void on_frame(wire::Opcode opcode, std::string_view message) override;
    void on_end(const SocketEnd& end) override;

    LoadActor& actor;
    std::uint64_t number;  // among all cores'
    std::unique_ptr<ClientSocket> socket;
    bool live = false;
  };

  std::uint64_t own_connections() const noexcept;
  std::vector<std::uint64_t> topics_of(std::uint64_t connection) const;
  std::string topic_name(std::uint64_t topic) const;
  void connect_due();
  void connect_one();
  void publish_due();
  void publish_one(base::Instant due);
  void received(Connection& connection, wire::Opcode opcode, std::string_view message);
  void delivered(std::string_view payload, std::size_t bytes);
  void subscribe(Connection& connection);
  void live(Connection& connection);
  void ended(Connection& connection, const SocketEnd& end);

  LoadActorOptions options_;
  actor::Core* core_ = nullptr;
  actor::Entry entry_;
  ServerFrameReader reader_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::optional<Schedule> connecting_;
  std::optional<Schedule> publishing_;
  base::Instant publishing_until_{};
  std::optional<PreciseAlarm> connect_alarm_;
  std::optional<PreciseAlarm> publish_alarm_;
  std::shared_ptr<const std::vector<std::uint32_t>> subscribers_;
  std::uint64_t next_publisher_ = 0;
  std::string padding_;
  LoadFigures figures_;
};

}  // namespace troupe::realtime
