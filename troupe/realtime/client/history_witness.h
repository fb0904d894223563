// HistoryWitness: one observer's traffic, told to a HistoryChecker as it happens, without a recording in between.
//
// It says of the traffic what HistoryRecording would say of its lines, so both may feed one checker; payloads must then
// be written without white space.
#pragma once

#include <map>
#include <string>

#include "troupe/realtime/client/traffic_observer.h"
#include "troupe/realtime/protocol/history_checker.h"

namespace troupe::realtime {

class HistoryWitness final : public TrafficObserver {
 public:
  /// `checker` must outlive the witness.
  HistoryWitness(HistoryChecker& checker, std::string observer) : checker_(checker), observer_(std::move(observer)) {}

  void sent(wire::Opcode opcode, std::string_view message) override;
  void received(wire::Opcode opcode, std::string_view message, const ServerFrame& frame) override;
  void closed() override;

 private:
  void confirmed(const ServerFrame& frame);
  void confirmed_pattern(const ServerFrame::Topic& topic, bool restarted);
  void acknowledged(const ServerFrame& frame);

  HistoryChecker& checker_;
  std::string observer_;
  std::map<std::string, RecoverFrom, std::less<>> recover_;  // by topic: from where the client wants to go on
  struct Publication {
    std::string topic;
    std::string payload;
    bool exclude_self = false;
  };
  std::map<std::string, Publication, std::less<>> published_;  // by id
};

}  // namespace troupe::realtime
