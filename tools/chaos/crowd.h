// Crowd: the actor of many subscribers and a few publishers, whose traffic a HistoryChecker judges as it happens.
//
// One on a core of its own. It does to its own connections what it is told (cut them, read them slowly); what happens
// to the server is not its doing.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/client/history_witness.h"
#include "troupe/realtime/client/subscriber.h"
#include "troupe/realtime/load/schedule.h"
#include "troupe/realtime/protocol/history_recording.h"

namespace troupe::chaos {

struct CrowdOptions {
  realtime::Dial dial;
  realtime::ClientSocketOptions socket;
  std::size_t subscribers = 40;  // one in ten of them by a pattern
  std::size_t publishers = 4;
  std::size_t topics = 8;
  double publications_per_second = 1500;  // of all publishers together
  std::size_t large_bytes = 4096;         // of one payload in eight
  bool lasts = false;                     // the server keeps its history on the disk: no topic ever begins anew
};

struct CrowdFigures {
  realtime::HistoryFigures history;
  std::uint64_t published = 0;
  std::uint64_t interruptions = 0;  // connections that subscribers lost
  std::uint64_t losses = 0;         // that they were told of at a recovery
  std::size_t live = 0;             // subscribers
  std::size_t slow = 0;             // of those, who read nothing now
  std::vector<realtime::Violation> violations;
};

struct CutSomebody {};
struct SlowSomebody {
  base::Duration during;
};
struct StopPublishing {};
/// Lines that another process has recorded, and that it has ended.
struct Recorded {
  std::string observer;
  std::string lines;
};
struct ObserverGone {
  std::string observer;
};
struct GetCrowdFigures {
  using reply = CrowdFigures;
};
/// Judges the end: whoever is subscribed must have seen or been told all that anybody knows of.
struct Judge {
  using reply = CrowdFigures;
};
/// What the crowd has met last, one line each.
struct GetLastEvents {
  using reply = std::string;
};
struct ReadAgain {
  std::size_t subscriber;
};
struct PublishAgain {
  std::size_t publisher;
};
struct PublishDue {};

class Crowd {
 public:
  static constexpr std::string_view actor_type = "Crowd";

  explicit Crowd(CrowdOptions options);

  void started(actor::Context& ctx);
  void handle(CutSomebody message, actor::Context& ctx);
  void handle(SlowSomebody message, actor::Context& ctx);
  void handle(ReadAgain message);
  void handle(PublishAgain message, actor::Context& ctx);
  void handle(PublishDue message, actor::Context& ctx);
  void handle(StopPublishing message);
  void handle(const Recorded& message);
  void handle(const ObserverGone& message);
  CrowdFigures handle(const GetCrowdFigures& message) const;
  CrowdFigures handle(const Judge& message);
  std::string handle(const GetLastEvents& message) const;

 private:
  /// Shows traffic to the checker, and remembers the last of it.
  struct Witness final : realtime::TrafficObserver {
    Witness(Crowd& its, std::string its_name) : crowd(its), name(std::move(its_name)), judge(its.checker_, name) {}
    void sent(wire::Opcode opcode, std::string_view message) override;
    void received(wire::Opcode opcode, std::string_view message, const realtime::ServerFrame& frame) override;
    void closed() override;

    Crowd& crowd;
    std::string name;
    realtime::HistoryWitness judge;
  };
  struct Listener final : realtime::SubscriberEvents {
    Listener(Crowd& its, const std::string& name) : crowd(its), witness(its, name) {}
    void on_message(const realtime::ServerFrame&) override {}
    void on_gap(const realtime::ServerFrame&) override {}
    void on_loss(const realtime::Loss&) override { ++crowd.figures_.losses; }
    void on_live() override {}
    void on_interrupted(const std::string&, base::Duration) override { ++crowd.figures_.interruptions; }
    void on_note(const std::string&) override {}
    void on_over(const std::string& why) override { crowd.broken("a subscriber was sent away: " + why); }

    Crowd& crowd;
    Witness witness;
    std::unique_ptr<realtime::Subscriber> subscriber;
    bool slow = false;
  };
  struct Publisher final : realtime::ClientSocketEvents {
    Publisher(Crowd& its, const std::string& name) : crowd(its), witness(its, name) {}
    void on_frame(wire::Opcode opcode, std::string_view message) override;
    void on_end(const realtime::SocketEnd& end) override;

    Crowd& crowd;
    Witness witness;
    std::size_t index = 0;
    std::unique_ptr<realtime::ClientSocket> socket;
    std::uint64_t numbered = 0;
    bool welcomed = false;
  };

  std::string topic_name(std::uint64_t topic) const { return "chaos.t" + std::to_string(topic); }
  void connect(Publisher& publisher);
  void publish(Publisher& publisher);
  void remember(std::string_view who, std::string_view what, std::string_view text);
  void broken(std::string what);

  CrowdOptions options_;
  actor::Context* ctx_ = nullptr;
  realtime::HistoryChecker checker_;
  realtime::HistoryRecording recording_{checker_};
  realtime::ServerFrameReader reader_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::optional<realtime::Schedule> publishing_;
  std::deque<std::string> last_;
  CrowdFigures figures_;
  std::vector<realtime::Violation> broken_;  // what no checker of histories can see
  std::uint64_t events_ = 0;
};

}  // namespace troupe::chaos
