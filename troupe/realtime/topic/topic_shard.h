// TopicShard: the topics whose home is one core: their positions, what is kept of them, and
// which cores have subscribers.
//
// A publication gets its offset, is encoded and kept here in one step. Topics are made by
// the first publication or subscription; when there are too many, one that keeps nothing is
// forgotten, the one that is missed least, and a later one of that name has a new epoch. Those
// that keep messages or have subscribers by name are not, so each user may have begun a part of
// all topics only: it is who published the first message of what is kept there, or of all.
//
// A durable topic is here as far as it was loaded from the disk, and may be forgotten at any time but
// while it is written to: whoever needs it loads it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/base/subscription_trie.h"
#include "troupe/realtime/protocol/message.h"
#include "troupe/realtime/topic/core_set.h"
#include "troupe/realtime/topic/history.h"
#include "troupe/realtime/topic/journal_messages.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/settings.h"

namespace troupe::realtime {

struct TopicOptions {
  std::size_t topics_max = 100'000;                   // on one core
  std::size_t by_user_max = 50'000;                   // of those, topics that one user has begun
  std::size_t history_bytes_max = 256 * 1024 * 1024;  // on one core, all topics together
  // What one frame may have this core look at and send again for its patterns; past it they are not recovered.
  std::size_t recover_topics_max = 20'000;  // published to since; a millisecond or two
  std::size_t recover_messages_max = 8 * 1000;
  std::size_t recover_bytes_max = 8 * 1024 * 1024;
};

/// How much of that is left.
struct RecoveryAllowance {
  std::size_t topics = 0;
  std::size_t messages = 0;
  std::size_t bytes = 0;

  /// Takes all of these, or nothing where it is too little for them.
  bool take(std::span<const KeptMessage> wanted) noexcept;
};

/// What clients call the shard of a core.
std::string shard_name(CoreIndex core);

/// The present for one step: both times and a source of epochs.
struct Moment {
  base::Instant now;
  base::UnixTime wall;
  base::Random& random;
};

/// A publication that is kept and ready to go.
struct Publication {
  TopicName topic;
  Position position;
  std::uint64_t seq = 0;  // in the stream of the shard
  base::Bytes frame;
  base::Bytes frame_by_pattern;  // empty when nobody came by a pattern
  CoreSet cores;                 // that have subscribers
};

class TopicShard {
 public:
  TopicShard(TopicOptions options, SettingsPtr settings, std::string name, base::Random& random);

  /// From now on these settings hold, for the topics that there are too.
  void use(SettingsPtr settings, base::Instant now);

  std::expected<Publication, PublishError> publish(const PublishMessage& message, const Moment& moment);
  /// The position of a topic, which is made if it is not there, or of the shard for a pattern; and what came after
  /// `recover`.
  OpenedTopic open(const OpenTopics::Topic& topic, const Moment& moment, RecoveryAllowance& allowance);
  /// What came of a subscription's topics after `seq`; without it all of this incarnation. Not `recovered`: some of it
  /// is not kept, and the position in the answer is the one after which the subscription goes on.
  OpenedTopic go_on(const OpenTopics::Topic& topic, std::optional<std::uint64_t> seq, const Moment& moment,
                    RecoveryAllowance& allowance);
  RecoveryAllowance allowance() const noexcept {
    return {options_.recover_topics_max, options_.recover_messages_max, options_.recover_bytes_max};
  }
  HistoryPage read(const ReadHistory& request, base::Instant now);
  TopicsPage list(const ListTopics& request, base::Instant now);

  // ---- durable topics ----

  bool has_loaded(const TopicName& topic) const;
  /// Takes a topic as it was read. Gives the publications that came after what was here of it before, to be
  /// delivered; nothing when there is no room for the topic.
  std::optional<std::vector<Publication>> load(const TopicLoaded& loaded, const Moment& moment);
  /// Where it stands; it must have been loaded.
  const Position& top_of(const TopicName& topic) const { return topics_.at(topic.text())->history.top(); }
  /// From here to end_write() the topic, which must have been loaded, is not forgotten.
  void begin_write(const TopicName& topic);
  void end_write(const TopicName& topic);
  /// Keeps a publication that is on the disk; nothing when it is not the one after the top.
  std::optional<Publication> take(const Recorded& recorded, const Moment& moment);
  /// What the disk need not keep any more, at most `count_max`.
  std::vector<TrimTopic> take_trims(std::size_t count_max);
  /// The loaded topics that were forgotten since.
  std::set<TopicName> take_forgotten() { return std::exchange(forgotten_, {}); }

  void add_interest(CoreIndex core, const TopicPattern& pattern);
  void drop_interest(CoreIndex core, const TopicPattern& pattern);
  void drop_all_interest(CoreIndex core);

  const std::string& name() const noexcept { return name_; }
  const RealtimeSettings& settings() const noexcept { return *settings_; }
  /// The stream of all publications of this shard.
  const Position& top() const noexcept { return top_; }
  std::size_t topics() const noexcept { return topics_.size(); }
  std::size_t history_bytes() const noexcept { return history_bytes_; }
  const ByNamespace<std::size_t>& history_bytes_by_namespace() const noexcept { return by_namespace_; }
  const base::SubscriptionTrie::Stats& trie_stats() const noexcept { return interest_.stats(); }

  /// Drops what is too old.
  void expire(base::Instant now);

 private:
  struct Topic;
  using Recent = std::list<Topic*>;
  /// What one user has begun.
  struct Begun {
    std::size_t topics = 0;
    Recent idle{};  // those of them that keep nothing, longest unused first
  };
  using ByUser = std::map<UserId, Begun>;
  struct Topic {
    TopicName name;
    std::uint64_t number;  // of all that were made here
    History history;
    Recent::iterator place;                      // in one of the first two below
    Recent::iterator published;                  // in the third
    std::size_t* bytes_of_namespace = nullptr;   // in by_namespace_
    ByUser::iterator beginner;                   // in by_user_, of a topic that has_beginner
    Recent::iterator idle;                       // among the beginner's, of one that keeps nothing
    bool has_beginner = false;                   // a user's publication began it
    bool keeps = false;                          // it has messages
    bool is_durable = false;                     // it was loaded
    std::uint32_t writes = 0;                    // under way
    Offset trimmed = 0;                          // so far the disk was told that it need not keep it
    std::uint64_t trims_at = 0;                  // its place in trimmable_; 0: it has none
    base::Instant due = base::Instant::never();  // of its entry in due_; at the latest when its oldest message expires
  };

  OpenedTopic open_pattern(const OpenTopics::Topic& wanted, base::Instant now, RecoveryAllowance& allowance);
  std::optional<std::vector<RecoveredMessage>> recover(const TopicPattern& pattern, const Position& from,
                                                       base::Instant now, RecoveryAllowance& allowance);
  bool has_all_topics(const UserId& user) const;
  void begin_for(const UserId& user, Topic& topic);
  void end_beginning(Topic& topic);
  bool make_room_for(const UserId& user);
  bool find_cores(Publication& publication);
  void keep(Topic& topic, base::UnixTime sent_at, base::Instant now, EncodedMessage message, TargetScope target);
  Publication deliver(Topic& topic, const StoredMessage& stored, const Moment& moment);
  void read_anew(Topic& topic, const TopicLoaded& loaded, const Moment& moment);
  void note_trims(Topic& topic);
  void relieve();
  void forget(Topic& topic);
  Topic* find(const std::string& name);
  Topic* find_or_make(const TopicName& name, const Moment& moment);
  Topic* use_again(Topic& topic);
  Topic* make(const TopicName& name, const Moment& moment);
  /// Who misses a topic that keeps nothing once it is forgotten, in rising order of what it is to them.
  enum class MissedBy : std::uint8_t {
    nobody,
    no_reader,        // it has subscribers, and nothing was ever published
    pattern_readers,  // to whom the next message will come in a new epoch
    named_readers,    // who count its offsets
  };
  MissedBy missed_by(const Topic& topic);
  std::pair<Topic*, MissedBy> least_missed(Recent& idle);
  bool make_room();
  Recent& list_of(const Topic& topic) noexcept { return topic.keeps ? keeping_ : empty_; }
  void set_due(Topic& topic, base::Instant due);
  template <class Change>
  void change(Topic& topic, Change&& change);

  TopicOptions options_;
  SettingsPtr settings_;
  std::string name_;
  Position top_;
  std::unordered_map<std::string, std::unique_ptr<Topic>> topics_;
  Recent keeping_;                   // topics with messages, longest unused first
  Recent empty_;                     // topics without, longest unused first
  Recent published_;                 // all topics, in the order of their newest publications
  ByUser by_user_;                   // topics by who has begun them
  std::uint64_t forgotten_seq_ = 0;  // the highest of a publication whose topic is forgotten
  std::map<std::pair<base::Instant, std::uint64_t>, Topic*> due_;  // when expire() is to look at which topic
  std::uint64_t made_ = 0;                                         // topics so far
  std::map<std::uint64_t, Topic*> trimmable_;                      // durable topics, the longest waiting first
  std::uint64_t trims_ = 0;                                        // entries of it so far
  std::set<TopicName> forgotten_;                                  // durable topics
  std::size_t history_bytes_ = 0;
  ByNamespace<std::size_t> by_namespace_;  // the same bytes
  base::SubscriptionTrie interest_;
  std::map<std::pair<CoreIndex, TopicPattern>, base::SubscriptionTrie::SubscriptionId> interest_ids_;
};

/// An epoch that has not been there before.
Epoch make_epoch(base::Random& random);

}  // namespace troupe::realtime
