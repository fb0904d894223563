// HistoryChecker: judges what observers saw of numbered topics: each contiguous, in one
// order, without doubles, or told what is missing.
//
// Fed with events in the order in which each observer met them, of a simulation or of a
// recording of real traffic (history_recording.h). It remembers one number a publication, and
// its number in the shard where a pattern showed it, so ten million deliveries are no trouble.
// Names that begin with `$`, the inboxes, it does not judge. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"

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
  std::uint64_t epochs = 0;        // of all topics; as many as these where none has begun anew
  std::uint64_t violations = 0;
};

/// What a message that came by a pattern says of its place in its shard.
struct SeenInShard {
  std::string_view shard;
  std::uint64_t seq = 0;
};

class HistoryChecker {
 public:
  static constexpr std::size_t violations_kept = 100;

  /// The number of what follows, for violations: a line of a recording.
  void at(std::uint64_t event) noexcept { at_ = event; }

  /// A subscription by name was confirmed at `top`; recovered, everything after `from` follows.
  void subscribed(std::string_view observer, std::string_view topic, const Position& top,
                  const std::optional<Position>& from);
  /// A subscription by a pattern was confirmed: of each shard all that is numbered above its place follows.
  void subscribed_pattern(std::string_view observer, std::string_view pattern, ShardPositions places);
  /// It was recovered: all above `from` follows, and what the observer has had already may come once more. Topics of
  /// which its last connections had something go on there, and of others all must come that they did not bring.
  void recovered_pattern(std::string_view observer, std::string_view pattern, ShardPositions from);
  /// While its connection stayed, it has lost something: shards whose epoch is another now go on above their places.
  void restarted_pattern(std::string_view observer, std::string_view pattern, ShardPositions places);
  /// Nothing of the topic or pattern is expected any more.
  void unsubscribed(std::string_view observer, std::string_view topic);
  /// The observer's connection has ended; what was on its way to it is lost with it.
  void closed(std::string_view observer);

  /// A message came. `content` is compared with what others saw at that place; so is `seen`, which what came by a
  /// pattern has, unless it had spilled.
  void message(std::string_view observer, std::string_view topic, const Position& position, std::string_view content,
               const SeenInShard& seen = {});
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
  /// A topic of a pattern began at `first`, for whoever was above `after` in the shards. What lies between must have
  /// come, so whatever of it is known to lie there is a violation, when all has been seen.
  struct Begin {
    std::string epoch;
    Offset first = 0;
    ShardPositions after;
    std::vector<Offset> own;     // acknowledged publications of the observer's own that it did not want
    std::uint64_t left_out = 0;  // those that were not acknowledged before the connection ended
  };
  /// What one observer knows of one topic.
  struct Stream {
    std::string epoch;
    Offset first = 0;  // what came first, by a pattern
    Offset last = 0;
    bool by_name = false;
    std::vector<Range> holes;    // passed over; an acknowledgement may yet stand for them
    std::uint64_t left_out = 0;  // publications of the observer's own that are not acknowledged yet
    bool active = false;
    bool repeats = false;                     // until something new comes
    std::optional<Begin> begin;               // until it is known to be right
    std::optional<ShardPositions> restarted;  // what lies behind these goes on, what is before them may be lost
  };
  struct Pattern {
    TopicPattern pattern;
    ShardPositions after;
  };
  struct Observer {
    std::map<std::string, Stream> streams;
    // By its last connections: where their topics are, and above what their patterns had begun.
    std::map<std::string, Stream> left;
    std::map<std::string, ShardPositions, std::less<>> left_patterns;
    std::map<std::string, Pattern, std::less<>> patterns;
    std::map<std::string, std::uint64_t, std::less<>> seqs;  // the last of each shard
    std::map<std::string, Epoch, std::less<>> shards;        // their epochs, as it was told last
  };
  /// What is known of one topic in one epoch.
  struct Record {
    std::vector<std::uint64_t> digests;  // by offset, from 1; 0: nobody has seen it
    std::vector<std::uint64_t> seqs;     // likewise; 0: nobody has seen it by a pattern
    Epoch numbered;                      // the epoch of the shard in which these count
    Offset top = 0;
  };
  struct Topic {
    std::map<std::string, Record, std::less<>> epochs;
    std::string newest;  // the epoch that was met first last
    std::string shard;   // empty: nobody has seen it by a pattern
  };
  /// A topic may outlive the numbering of its shard: its history is on the disk.
  struct Shard {
    Epoch newest;
    std::set<Epoch> older;
  };
  struct Begun {
    std::string observer;
    std::string topic;
    Begin begin;
  };

  void violated(std::string_view observer, std::string_view topic, std::string what);
  Observer& observer(std::string_view name) { return observers_[std::string{name}]; }
  Stream& stream(std::string_view observer, std::string_view topic);
  Record& record(std::string_view topic, std::string_view epoch);
  void note(std::string_view observer, std::string_view topic, const Position& position, std::string_view content,
            const SeenInShard& seen = {});
  void note_seq(std::string_view observer, std::string_view topic, Record& known, const Position& position,
                const SeenInShard& seen);
  bool advance(std::string_view observer, std::string_view topic, Stream& stream, std::string_view epoch, Offset from,
               Offset to);
  void settle(std::string_view observer, std::string_view topic, Stream& stream);

  // Of patterns: history_checker_patterns.cc.
  struct Missing {
    std::uint64_t count = 0;
    Offset first = 0;
    Offset last = 0;
    bool all_known = true;  // nothing that is seen later changes it
  };
  static std::optional<ShardPositions> place_of(const Observer& observer, std::string_view topic);
  Pattern* put_pattern(std::string_view observer, std::string_view pattern, ShardPositions after);
  void begin(std::string_view observer, std::string_view topic, Stream& stream, std::string_view epoch, Offset first,
             ShardPositions after);
  Missing missing_before(std::string_view topic, const Begin& begin) const;
  void judge(std::string_view observer, std::string_view topic, const Begin& begin);
  void follow_seq(std::string_view observer, std::string_view topic, const SeenInShard& seen);
  bool end_pattern(std::string_view observer, std::string_view pattern);
  void finish_patterns(const std::string& name, const Observer& observer);

  std::uint64_t at_ = 0;
  std::map<std::string, Observer> observers_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<std::string, Shard, std::less<>> shards_;
  std::vector<Begun> begun_;  // of connections that have ended
  HistoryFigures figures_;
  std::vector<Violation> violations_;
};

}  // namespace troupe::realtime
