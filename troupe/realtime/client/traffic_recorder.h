// TrafficRecorder: what a client says and hears, as the lines that protocol/history_recording.h reads.
//
// One observer of a recording. Text frames stand in it as they are, so recording costs a copy. The lines go to a sink
// of the owner's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "troupe/realtime/client/traffic_observer.h"

namespace troupe::realtime {

class TrafficRecorder final : public TrafficObserver {
 public:
  /// Takes a line with its line break.
  using Sink = std::function<void(std::string_view line)>;

  TrafficRecorder(std::string observer, Sink sink) : observer_(std::move(observer)), sink_(std::move(sink)) {}

  /// The bytes behind the header of a binary frame become a text that stands for them.
  void sent(wire::Opcode opcode, std::string_view message) override { frame("sent", opcode, message); }
  void received(wire::Opcode opcode, std::string_view message, const ServerFrame&) override {
    frame("received", opcode, message);
  }
  void closed() override;

 private:
  void frame(std::string_view direction, wire::Opcode opcode, std::string_view message);

  std::string observer_;
  Sink sink_;
  std::string line_;
};

}  // namespace troupe::realtime
