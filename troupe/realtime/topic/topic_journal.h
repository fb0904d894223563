// TopicJournal: one on each core that keeps topics on the disk. What is published to the durable
// topics whose home is its core goes through here into the journal, and comes back from there.
//
// A topic is an entity of the journal and an offset the sequence of an event, so no offset is
// ever given twice; the epoch of all of them is that of the journal. A topic has one append under
// way at a time, which takes along all that waits by then; those of different topics share a
// commit in the database below. A write whose outcome is unknown ends the topic's writer: the
// topic is read anew, and what is found there then has happened. Child of the SystemSupervisor.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/actor/persist/journal.h"
#include "troupe/base/trouble.h"
#include "troupe/realtime/topic/journal_messages.h"

namespace troupe::realtime {

class TopicJournal {
 public:
  static constexpr std::string_view actor_type = "TopicJournal";
  static constexpr bool interleaves = true;  // topics wait for the disk beside each other

  TopicJournal(std::shared_ptr<actor::Journal> journal, CoreIndex index, std::size_t cores, TopicJournalUser router);

  void started(actor::Context& ctx);
  actor::Task<void> handle(LoadTopic message, actor::Context& ctx);
  actor::Task<void> handle(RecordPublication message);
  actor::Task<void> handle(TrimTopic message);
  void handle(const CloseTopic& message);
  void handle(UseSettings message) { settings_ = std::move(message.settings); }

  struct LoadMore {};  // to itself
  actor::Task<void> handle(LoadMore, actor::Context& ctx);

  /// Forgets what is too old of topics that nobody has asked for, some at a time.
  struct Sweep {};
  actor::Task<void> handle(Sweep, actor::Context& ctx);

  void inspect(actor::Inspection& out) const;

 private:
  struct Writer {
    std::optional<actor::Head>
        head;  // none: nobody has ever written to the topic, and it is an entity only when one does
    std::vector<RecordPublication> waiting;
    bool is_busy = false;  // an append or a trim is under way
    bool closes = false;   // when it is idle
    Offset trim_to = 0;
  };
  using WriterPtr = std::shared_ptr<Writer>;

  actor::Task<void> load_waiting(actor::Context& ctx);
  actor::Task<TopicLoaded> load(LoadTopic message, base::Random& random);
  actor::Task<void> find_epoch(base::Random& random);
  actor::Task<std::vector<StoredMessage>> read(LoadTopic wanted, actor::Sequence last);
  actor::Task<void> work(TopicName topic, WriterPtr writer);
  actor::Task<bool> begin(TopicName topic, WriterPtr writer);
  actor::Task<std::optional<Recording>> append(TopicName topic, WriterPtr writer);
  actor::Task<bool> trim(TopicName topic, WriterPtr writer);
  void end(const TopicName& topic, const WriterPtr& writer);
  bool is_wanted(const TopicName& topic) const { return writers_.contains(topic) || loading_.contains(topic); }
  actor::Task<void> sweep(TopicName topic, base::UnixTime now);
  void failed(const actor::JournalFailed& error);
  void wrote();

  std::shared_ptr<actor::Journal> journal_;
  CoreIndex index_;
  std::size_t cores_;
  TopicJournalUser router_;
  SettingsPtr settings_;  // null: not told yet
  std::optional<Epoch> epoch_;
  std::map<TopicName, WriterPtr> writers_;  // of all topics that the router has loaded
  std::multiset<TopicName> loading_;        // being read, or waiting for it
  std::deque<LoadTopic> loads_waiting_;
  std::size_t loads_under_way_ = 0;
  bool sweeps_ = false;         // just now
  actor::PersistenceId swept_;  // up to here
  base::Instant next_round_;    // of sweeping
  std::uint64_t swept_events_ = 0;
  base::Trouble trouble_;     // with the journal
  base::Trouble unreadable_;  // topics that hold what is none of ours
};

}  // namespace troupe::realtime
