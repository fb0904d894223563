// TopicJournal: loading and writing. What an event is, stands in recorded_event.
#include "troupe/realtime/topic/topic_journal.h"

#include <algorithm>
#include <utility>

#include "troupe/base/log.h"
#include "troupe/realtime/topic/recorded_event.h"
#include "troupe/realtime/topic/topic_shard.h"

namespace troupe::realtime {

namespace {

using actor::Head;
using actor::PersistenceId;
using actor::Record;
using actor::Sequence;

constexpr std::size_t batch_events = 256;
constexpr std::size_t batch_bytes = 4 * 1024 * 1024;
constexpr std::size_t page_events = 256;
constexpr std::size_t trimmed_at_once = 1000;
constexpr std::size_t loads_max = 32;  // at once; what they have read is in memory
constexpr std::size_t swept_at_once = 50;
constexpr base::Duration sweep_every = std::chrono::seconds{1};
constexpr base::Duration sweep_pause = std::chrono::minutes{5};  // between one round and the next
// So far no topic comes; and who goes on from here does not come to the end of what can be counted.
constexpr Sequence sequence_max = static_cast<Sequence>(offset_max / 2);

}  // namespace

TopicJournal::TopicJournal(std::shared_ptr<actor::Journal> journal, CoreIndex index, std::size_t cores,
                           TopicJournalUser router)
    : journal_(std::move(journal)), index_(index), cores_(cores), router_(router) {}

void TopicJournal::started(actor::Context& ctx) {
  router_.tell(JournalBegan{});
  ctx.every(this, "sweep", sweep_every, Sweep{});
}

// ---- reading ----

// A few at a time. Before the epoch is known one alone, which finds it; then all that wait begin.
actor::Task<void> TopicJournal::handle(LoadTopic message, actor::Context& ctx) {
  loading_.insert(message.topic);
  loads_waiting_.push_back(std::move(message));
  co_await load_waiting(ctx);
}

actor::Task<void> TopicJournal::handle(LoadMore, actor::Context& ctx) { co_await load_waiting(ctx); }

actor::Task<void> TopicJournal::load_waiting(actor::Context& ctx) {
  while (!loads_waiting_.empty() && loads_under_way_ < (epoch_ ? loads_max : 1)) {
    auto next = std::move(loads_waiting_.front());
    loads_waiting_.pop_front();
    const auto topic = next.topic;
    const bool knew_epoch = epoch_.has_value();
    ++loads_under_way_;
    auto loaded = co_await load(std::move(next), ctx.random());
    --loads_under_way_;
    loading_.erase(loading_.find(topic));
    router_.tell(std::move(loaded));
    if (knew_epoch) continue;
    for (std::size_t i = std::min(loads_waiting_.size(), loads_max); i > 0; --i) ctx.self(this).tell(LoadMore{});
  }
}

actor::Task<TopicLoaded> TopicJournal::load(LoadTopic message, base::Random& random) {
  TopicLoaded loaded{message.topic, std::nullopt, {}};
  try {
    co_await find_epoch(random);
    auto head = co_await journal_->find(entity_of(message.topic));
    if (head && (head->sequence < 0 || head->sequence > sequence_max))
      throw actor::MalformedRecord("it says that it has come where no topic comes");
    if (head) {
      head = co_await journal_->activate(entity_of(message.topic));
      wrote();
    }
    // Whoever wrote for an earlier load is fenced now, or has not begun.
    if (auto earlier = writers_.find(message.topic); earlier != writers_.end()) end(message.topic, earlier->second);
    const auto last = head ? head->sequence : 0;
    auto messages = co_await read(message, last);
    loaded.messages = std::move(messages);
    loaded.top = Position{*epoch_, static_cast<Offset>(last)};
    writers_[message.topic] = std::make_shared<Writer>(Writer{.head = head});
  } catch (const actor::JournalFailed& error) {
    failed(error);
    loaded.messages.clear();
  } catch (const actor::MalformedRecord& error) {
    if (unreadable_.failed(actor::Core::current()->now()))
      base::log::warning("realtime", "the history of a topic cannot be read; nothing is published over it",
                         {{"topic", message.topic.text()}, {"what", error.what()}});
    loaded.messages.clear();  // by another program
  }
  co_return loaded;
}

// The first that comes to a journal gives it its epoch. Whoever looks after its own activation either finds what was
// saved before, or fences who has not saved yet: so there is never a second one.
actor::Task<void> TopicJournal::find_epoch(base::Random& random) {
  if (epoch_) co_return;
  const PersistenceId entity{"epoch"};
  auto found = co_await journal_->load(entity, INT64_MAX);
  while (!found) {
    const auto head = co_await journal_->activate(entity);
    found = co_await journal_->load(entity, INT64_MAX);
    if (found) break;
    auto epoch = make_epoch(random);
    auto saved = co_await journal_->save(entity, head, {"Epoch", 1, std::string{epoch.value()}}, 1);
    if (saved) {
      epoch_ = std::move(epoch);
      co_return;
    }
  }
  epoch_ = Epoch{found->state.bytes};
}

// What is older than `limits` keep is passed over, and may be forgotten while it is read.
actor::Task<std::vector<StoredMessage>> TopicJournal::read(LoadTopic wanted, Sequence last) {
  auto after = std::max<Sequence>(last - static_cast<Sequence>(wanted.limits.count_max), 0);
  auto needed = last;  // whatever comes after this is wanted in any case
  if (wanted.known && wanted.known->epoch == *epoch_) {
    needed = std::min(last, static_cast<Sequence>(wanted.known->offset));
    after = std::min(after, needed);
  }
  std::deque<StoredMessage> messages;
  std::size_t bytes = 0;
  auto is_too_much = [&] {
    return bytes > wanted.limits.bytes_max && !messages.empty() &&
           static_cast<Sequence>(messages.front().offset) <= needed;
  };
  while (after < last) {
    auto page = co_await journal_->read(entity_of(wanted.topic), after, page_events);
    if (page.empty()) break;
    for (const auto& stored : page) {
      if (stored.sequence > last) break;
      if (!messages.empty() && static_cast<Sequence>(messages.back().offset) + 1 != stored.sequence) {
        messages.clear();
        bytes = 0;
      }
      messages.push_back(message_of(stored));
      bytes += messages.back().message.frame.size();
      for (; is_too_much(); messages.pop_front()) bytes -= messages.front().message.frame.size();
    }
    after = page.back().sequence;
  }
  if (!messages.empty() && static_cast<Sequence>(messages.back().offset) != last) messages.clear();
  co_return std::vector<StoredMessage>{std::move_iterator{messages.begin()}, std::move_iterator{messages.end()}};
}

// ---- writing ----

actor::Task<void> TopicJournal::handle(RecordPublication message) {
  auto found = writers_.find(message.topic);
  if (found == writers_.end()) {
    router_.tell(NotRecorded{message.ticket, std::move(message.topic), Recording::failed});
    co_return;
  }
  auto writer = found->second;
  auto topic = message.topic;
  writer->waiting.push_back(std::move(message));
  co_await work(std::move(topic), std::move(writer));
}

actor::Task<void> TopicJournal::handle(TrimTopic message) {
  auto found = writers_.find(message.topic);
  if (found == writers_.end() || !found->second->head) co_return;
  auto writer = found->second;
  writer->trim_to = std::max(writer->trim_to, message.up_to);
  co_await work(std::move(message.topic), std::move(writer));
}

void TopicJournal::handle(const CloseTopic& message) {
  auto found = writers_.find(message.topic);
  if (found == writers_.end()) return;
  found->second->closes = true;
  if (!found->second->is_busy) writers_.erase(found);
}

// Whoever finds the writer idle works until nothing waits any more.
actor::Task<void> TopicJournal::work(TopicName topic, WriterPtr writer) {
  if (std::exchange(writer->is_busy, true)) co_return;
  while (!writer->waiting.empty() || writer->trim_to > 0) {
    const bool begun = co_await begin(topic, writer);
    if (!begun) co_return end(topic, writer);
    const auto why_not = co_await append(topic, writer);
    if (why_not) co_return end(topic, writer);
    if (writer->trim_to == 0) continue;
    const bool trimmed = co_await trim(topic, writer);
    if (!trimmed) co_return end(topic, writer);
  }
  writer->is_busy = false;
  if (writer->closes) end(topic, writer);
}

// The first publication makes the entity. Gives whether the topic is still as empty as it was when it was loaded.
actor::Task<bool> TopicJournal::begin(TopicName topic, WriterPtr writer) {
  if (writer->head) co_return true;
  try {
    writer->head = co_await journal_->activate(entity_of(topic));
    wrote();
  } catch (const actor::JournalFailed& error) {
    failed(error);
    co_return false;
  }
  co_return writer->head->sequence == 0;
}

// Appends what waits, as far as it goes into one batch. Gives why its publications were not recorded, having said so.
actor::Task<std::optional<Recording>> TopicJournal::append(TopicName topic, WriterPtr writer) {
  const auto now = actor::Core::current()->wall();
  std::vector<Recorded> batch;
  std::vector<Record> events;
  std::size_t bytes = 0, taken = 0;
  while (taken < writer->waiting.size() && batch.size() < batch_events && bytes < batch_bytes) {
    auto& next = writer->waiting[taken++];
    Position position{*epoch_, static_cast<Offset>(writer->head->sequence) + batch.size() + 1};
    auto encoded = encode_message({topic.text(), position, next.sender, now, next.payload});
    StoredMessage stored{position.offset, now, std::move(encoded), std::move(next.target), std::move(next.key)};
    auto event = record_of(stored);
    if (event.bytes.size() > actor::event_bytes_max) {
      router_.tell(NotRecorded{next.ticket, topic, Recording::too_large});
      continue;
    }
    bytes += event.bytes.size();
    events.push_back(std::move(event));
    batch.push_back({next.ticket, topic, position.epoch, std::move(stored)});
  }
  writer->waiting.erase(writer->waiting.begin(), writer->waiting.begin() + static_cast<std::ptrdiff_t>(taken));
  if (batch.empty()) co_return std::nullopt;
  std::optional<Recording> why;
  try {
    auto appended = co_await journal_->append(entity_of(topic), *writer->head, std::move(events));
    if (appended) {
      writer->head->sequence = *appended;
      wrote();
    } else {
      why = Recording::failed;
    }
  } catch (const actor::JournalFailed& error) {
    failed(error);
    why = Recording::unknown;
  }
  for (auto& one : batch) {
    if (why) {
      router_.tell(NotRecorded{one.ticket, topic, *why});
    } else {
      router_.tell(std::move(one));
    }
  }
  co_return why;
}

// Gives whether the writer is still the one.
actor::Task<bool> TopicJournal::trim(TopicName topic, WriterPtr writer) {
  const auto up_to = writer->trim_to;
  try {
    auto trimmed =
        co_await journal_->trim(entity_of(topic), *writer->head, static_cast<Sequence>(up_to), trimmed_at_once);
    if (!trimmed) co_return false;
    if (*trimmed < trimmed_at_once && writer->trim_to == up_to) writer->trim_to = 0;
  } catch (const actor::JournalFailed& error) {
    failed(error);
    writer->trim_to = 0;  // the next one takes it along
  }
  co_return true;
}

// The topic is written to no more before it was loaded again.
void TopicJournal::end(const TopicName& topic, const WriterPtr& writer) {
  auto waiting = std::exchange(writer->waiting, {});
  writer->trim_to = 0;
  auto found = writers_.find(topic);
  if (found != writers_.end() && found->second == writer) writers_.erase(found);
  for (auto& message : waiting) router_.tell(NotRecorded{message.ticket, topic, Recording::failed});
}

// ---- sweeping ----

actor::Task<void> TopicJournal::handle(Sweep, actor::Context& ctx) {
  if (!settings_ || ctx.now() < next_round_ || std::exchange(sweeps_, true)) co_return;
  try {
    auto page = co_await journal_->entities(swept_, swept_at_once);
    for (const auto& entity : page) {
      swept_ = entity;
      auto topic = topic_of(entity);
      if (topic && home_of(topic->text(), cores_) == index_) co_await sweep(*std::move(topic), ctx.wall());
    }
    if (page.empty()) {
      swept_ = {};
      next_round_ = ctx.now() + sweep_pause;
    }
  } catch (const actor::JournalFailed& error) {
    failed(error);
    next_round_ = ctx.now() + sweep_pause;
  }
  sweeps_ = false;
}

// A topic that is loaded is the router's to trim, and to take it over here would end its writer.
actor::Task<void> TopicJournal::sweep(TopicName topic, base::UnixTime now) {
  const auto age_max = std::chrono::duration_cast<std::chrono::milliseconds>(settings_->of(topic).history.age_max);
  for (bool more = true; more && !is_wanted(topic);) {
    auto page = co_await journal_->read(entity_of(topic), 0, page_events);
    Sequence old = 0;
    for (const auto& stored : page) {
      if (!is_older(stored, base::UnixTime{now.milliseconds - age_max.count()})) break;
      old = stored.sequence;
    }
    if (old == 0 || is_wanted(topic)) co_return;
    more = old == page.back().sequence;
    const auto head = co_await journal_->activate(entity_of(topic));
    if (is_wanted(topic)) co_return;
    auto trimmed = co_await journal_->trim(entity_of(topic), head, old, trimmed_at_once);
    if (!trimmed) co_return;
    swept_events_ += *trimmed;
  }
}

// ---- trouble ----

void TopicJournal::failed(const actor::JournalFailed& error) {
  if (!trouble_.failed(actor::Core::current()->now())) return;
  base::log::warning("realtime", "durable history fails", {{"what", error.what()}});
}

// Only what was written says that it works: on a full disk what is there can be read all the same.
void TopicJournal::wrote() {
  const auto lasted = trouble_.worked(actor::Core::current()->now());
  if (!lasted) return;
  base::log::info("realtime", "durable history works again", {{"lasted_ms", *lasted / std::chrono::milliseconds{1}}});
}

void TopicJournal::inspect(actor::Inspection& out) const {
  out.add("epoch", std::string{epoch_ ? epoch_->value().view() : ""});
  out.add("topics", writers_.size());
  out.add("loading", loading_.size());
  out.add("swept", swept_events_);
}

}  // namespace troupe::realtime
