// HistoryChecker: judges what observers saw of numbered topics: each contiguous, in one
// order, without doubles, or told what is missing.
//
// Fed with events in the order in which each observer met them, of a simulation or of a
// recording of real traffic (history_recording.h). It remembers one number a publication,
// so ten million deliveries are no trouble. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

/// Something that must not happen, and the event (`HistoryChecker::at`) at which it was noticed.
struct Violation {
  std::uint64_t at;
  std::string what;
};

struct HistoryFigures {
  std::uint64_t deliveries = 0;
  std::uint64_t gaps = 0;          // frames that told one
  std::uint64_t missed = 0;        // messages that these named
  std::uint64_t recoveries = 0;    // that were complete
  std::uint64_t refusals = 0;      // recoveries that were refused
  std::uint64_t acknowledged = 0;  // publications
  std::uint64_t violations = 0;
};

class HistoryChecker {
 public:
  static constexpr std::size_t violations_kept = 100;

  /// The number of what follows, for violations: a line of a recording.
  void at(std::uint64_t event) noexcept { at_ = event; }

  /// A subscription by name was confirmed at `top`; recovered, everything after `from` follows.
  void subscribed(std::string_view observer, std::string_view topic, const Position& top,
                  const std::optional<Position>& from);
  /// A subscription by a pattern was confirmed: topics may begin at any offset.
  void subscribed_pattern(std::string_view observer);
  /// It was recovered: topics of which the observer's last connection had something go on there, and may repeat.
  void recovered_pattern(std::string_view observer, std::string_view pattern);
  /// Nothing of the topic is expected any more.
  void unsubscribed(std::string_view observer, std::string_view topic);
  /// The observer's connection has ended; what was on its way to it is lost with it.
  void closed(std::string_view observer);

  /// A message came. `content` is compared with what others saw at that place.
  void message(std::string_view observer, std::string_view topic, const Position& position, std::string_view content);
  /// The messages `from`..`to` will not come.
  void gap(std::string_view observer, std::string_view topic, std::string_view epoch, Offset from, Offset to);

  /// The observer published and asked to be left out; its acknowledgement will stand for the message.
  void left_out(std::string_view observer, std::string_view topic);
  /// A publication was acknowledged; `was_left_out` if left_out() was called for it.
  void acknowledged(std::string_view observer, std::string_view topic, const Position& position,
                    std::string_view content, bool was_left_out);

  /// All is said. `quiet`: nothing was on its way any more, so who is still subscribed must have seen or been told
  /// all that anybody knows of.
  void finish(bool quiet);

  const HistoryFigures& figures() const noexcept { return figures_; }
  /// The first hundred.
  const std::vector<Violation>& violations() const noexcept { return violations_; }

 private:
  struct Range {
    Offset from;
    Offset to;
  };
  /// What one observer knows of one topic.
  struct Stream {
    std::string epoch;
    Offset last = 0;
    bool by_name = false;
    std::vector<Range> holes;    // passed over; an acknowledgement may yet stand for them
    std::uint64_t left_out = 0;  // publications of the observer's own that are not acknowledged yet
    bool active = false;
    bool repeats = false;  // until something new comes
  };
  struct Observer {
    std::map<std::string, Stream> streams;
    std::map<std::string, Stream> left;  // by its last connection, where it had a pattern
    std::uint64_t patterns = 0;
  };
  /// What is known of one topic in one epoch.
  struct Record {
    std::vector<std::uint64_t> digests;  // by offset, from 1; 0: nobody has seen it
    Offset top = 0;
  };
  struct Topic {
    std::map<std::string, Record, std::less<>> epochs;
    std::string newest;  // the epoch that was met first last
  };

  void violated(std::string_view observer, std::string_view topic, std::string what);
  Observer& observer(std::string_view name) { return observers_[std::string{name}]; }
  Stream& stream(std::string_view observer, std::string_view topic);
  Record& record(std::string_view topic, std::string_view epoch);
  void note(std::string_view observer, std::string_view topic, const Position& position, std::string_view content);
  bool advance(std::string_view observer, std::string_view topic, Stream& stream, std::string_view epoch, Offset from,
               Offset to);
  void settle(std::string_view observer, std::string_view topic, Stream& stream);

  std::uint64_t at_ = 0;
  std::map<std::string, Observer> observers_;
  std::unordered_map<std::string, Topic> topics_;
  HistoryFigures figures_;
  std::vector<Violation> violations_;
};

}  // namespace troupe::realtime
