// HistoryRecording: recorded traffic, line by line, as events for the HistoryChecker.
//
// A line is a JSON object with `observer` (a name for one connection or session) and one of
// `sent` (a frame of the client), `received` (a frame of the server) or `closed` (true). Of a
// binary frame `sent` or `received` is the header and `content` a text that stands for the bytes.
// Lines of one observer stand in the order in which it met them; those of several may be mixed.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "troupe/realtime/protocol/history_checker.h"

namespace troupe::wire {
class Json;
}

namespace troupe::realtime {

/// From where a frame of a client wants to go on, by topic or pattern; nothing where it does not say so.
std::map<std::string, RecoverFrom, std::less<>> recover_of(const wire::Json& frame);

class HistoryRecording {
 public:
  /// `checker` must outlive the recording.
  explicit HistoryRecording(HistoryChecker& checker) noexcept : checker_(checker) {}

  /// Takes one line; the error says what is wrong with it. Frames that say nothing of history are passed over.
  std::expected<void, std::string> line(std::string_view text);

 private:
  /// A publication that waits for its acknowledgement.
  struct Publication {
    std::string topic;
    std::string content;
    bool exclude_self = false;
  };
  struct Client {
    std::map<std::string, Publication> publications;          // by the id of the frame
    std::map<std::string, RecoverFrom, std::less<>> recover;  // by topic: from where it wants to go on
  };

  void sent(const std::string& observer, const wire::Json& frame, const std::string* content);
  void received(const std::string& observer, const wire::Json& frame, const std::string* content);
  void confirmed(const std::string& observer, const wire::Json& frame);
  void confirmed_pattern(const std::string& observer, const wire::Json& entry, bool restarted);

  HistoryChecker& checker_;
  std::uint64_t lines_ = 0;
  std::map<std::string, Client, std::less<>> clients_;
};

}  // namespace troupe::realtime
