// MessageRouterActor as a home of topics that outlive the process: nothing of them is delivered or acknowledged before
// it is on the disk, and a topic is read from there before it is used.
#include <algorithm>
#include <ranges>

#include "troupe/realtime/topic/message_router_actor.h"
#include "troupe/realtime/topic/topic_journal.h"

namespace troupe::realtime {

namespace {

constexpr std::size_t trims_at_once = 1000;  // each second

// A publication that nobody waits for, under the key that it bore.
PublishMessage nobodys(CoreIndex core, const TopicName& topic, const StoredMessage& stored) {
  PublishMessage message{{core, 0, UserId{}}, std::make_unique<Publish>(actor::CoreMemory{}, topic), stored.target};
  if (stored.key) {
    message.publisher.user = stored.key->user;
    message.publication->operation = stored.key->operation;
    message.publication->idempotency_key = stored.key->key;
    message.publication->payload = {stored.message.kind, std::string{stored.message.payload()}};
  }
  return message;
}

std::optional<RecordedKey> key_of(const PublishMessage& message) {
  const auto& publication = *message.publication;
  if (publication.idempotency_key.empty()) return std::nullopt;
  return RecordedKey{message.publisher.user, publication.operation, publication.idempotency_key};
}

}  // namespace

bool MessageRouterActor::is_durable(const TopicName& topic) const {
  return memory_->journal && topics_->settings().of(topic).durability == Durability::disk;
}

bool MessageRouterActor::must_load(const TopicName& topic) const {
  return is_durable(topic) && !topics_->has_loaded(topic);
}

// ---- loading ----

void MessageRouterActor::load(const TopicName& topic, Continuation then, actor::Context& ctx) {
  auto [place, fresh] = loading_.try_emplace(topic, Loading{{}, ctx.now()});
  if (fresh) ask_to_load(topic);
  place->second.waiting.push_back(std::move(then));
}

bool MessageRouterActor::may_load(std::size_t topics) const noexcept {
  return loading_.size() + topics <= options_.loading_max;
}

void MessageRouterActor::ask_to_load(const TopicName& topic) {
  LoadTopic wanted{topic, topics_->settings().of(topic).history};
  if (topics_->has_loaded(topic)) wanted.known = topics_->top_of(topic);
  memory_->journal->tell(std::move(wanted));
}

void MessageRouterActor::end_loading(const TopicName& topic, bool loaded, actor::Context& ctx) {
  auto ended = loading_.extract(topic);
  if (ended.empty()) return;
  for (auto& then : ended.mapped().waiting) then(loaded, ctx);
}

void MessageRouterActor::handle(TopicLoaded message, actor::Context& ctx) {
  bool loaded = false;
  // One that was given up, or asked for by the last incarnation, is not taken.
  if (message.top && loading_.contains(message.topic)) {
    if (auto unknown = topics_->load(message, moment(ctx))) {
      loaded = true;
      end_stale(message.topic);
      deliver_loaded(message, *unknown, ctx.now());
    }
  }
  end_loading(message.topic, loaded, ctx);
  if (!topics_->has_loaded(message.topic) && !loading_.contains(message.topic)) {
    memory_->journal->tell(CloseTopic{message.topic});
  }
}

// Those that are new here go to whoever is there, though nobody was told that they were published; and of all of them
// the keys are known from now on. Of those that were delivered before, nobody knows any more who got them.
void MessageRouterActor::deliver_loaded(const TopicLoaded& loaded, const std::vector<Publication>& unknown,
                                        base::Instant now) {
  auto next = unknown.begin();
  for (const auto& stored : loaded.messages) {
    if (next != unknown.end() && next->position.offset == stored.offset) {
      ++figures_.recorded;
      deliver_stored(*next++, stored, now);
      continue;
    }
    if (!stored.key) continue;
    auto known = keyed(nobodys(index_, loaded.topic, stored));
    if (known.window.find(known.key, now) != nullptr) continue;
    known.window.add(known.key, known.payload_hash, now);
    known.window.keep(known.key, 0, PublishAck{0, 0, {loaded.top->epoch, stored.offset}}, now);
  }
}

void MessageRouterActor::deliver_stored(const Publication& publication, const StoredMessage& stored,
                                        base::Instant now) {
  auto message = nobodys(index_, publication.topic, stored);
  auto known = keyed(message);
  if (known.has_key() && known.window.find(known.key, now) != nullptr) message.publication->idempotency_key.clear();
  publish(message, Publication{publication}, {}, now);
}

// ---- recording ----

bool MessageRouterActor::has_room_to_record(std::size_t bytes) const noexcept {
  return recordings_waiting_ < options_.recording_max && recording_bytes_ + bytes <= options_.recording_bytes_max;
}

void MessageRouterActor::record(PublishMessage message, actor::Reply<PublishAck, PublishError> reply,
                                actor::Context& ctx) {
  const auto topic = message.publication->topic;
  const auto bytes = message.publication->payload.bytes.size();
  if (shares_record(message, reply)) return;
  if (!has_room_to_record(bytes)) {
    ++figures_.not_recorded;
    return reply.fail(PublishError::not_recorded);
  }
  ++recordings_waiting_;
  recording_bytes_ += bytes;
  if (must_load(topic) || stale_.contains(topic)) {
    auto then = [this, bytes, message = std::move(message), reply = std::move(reply)](bool loaded,
                                                                                      actor::Context& context) mutable {
      --recordings_waiting_;
      recording_bytes_ -= bytes;
      if (loaded) return handle(std::move(message), std::move(reply), context);
      ++figures_.not_recorded;
      reply.fail(PublishError::not_recorded);
    };
    return load(topic, std::move(then), ctx);
  }
  const auto ticket = next_ticket_++;
  auto known = keyed(message);
  if (known.has_key()) recording_keys_.emplace(std::move(known.key), ticket);
  topics_->begin_write(topic);
  auto payload = std::move(message.publication->payload);
  memory_->journal->tell(
      RecordPublication{ticket, topic, message.publisher.user, std::move(payload), message.target, key_of(message)});
  UnderRecord under_way{std::move(message), {}, ctx.now(), bytes, known.payload_hash};
  if (reply) under_way.replies.push_back(std::move(reply));
  recording_.emplace(ticket, std::move(under_way));
}

// True when a publication with this key is being recorded: what becomes of it, becomes of both.
bool MessageRouterActor::shares_record(const PublishMessage& message, actor::Reply<PublishAck, PublishError>& reply) {
  auto known = keyed(message);
  if (!known.has_key()) return false;
  auto found = recording_keys_.find(known.key);
  if (found == recording_keys_.end()) return false;
  auto& first = recording_.at(found->second);
  if (first.payload_hash != known.payload_hash) {
    reply.fail(PublishError::key_used_before);
  } else if (reply) {
    first.replies.push_back(std::move(reply));
  }
  return true;
}

// It waits for the disk no more.
std::optional<MessageRouterActor::UnderRecord> MessageRouterActor::take_recording(Ticket ticket) {
  auto found = recording_.extract(ticket);
  if (found.empty()) return std::nullopt;
  auto& under_way = found.mapped();
  --recordings_waiting_;
  recording_bytes_ -= under_way.bytes;
  if (auto key = keyed(under_way.message); key.has_key()) recording_keys_.erase(key.key);
  return std::move(under_way);
}

void MessageRouterActor::handle(const Recorded& message, actor::Context& ctx) {
  auto publication = topics_->take(message, moment(ctx));
  auto under_way = take_recording(message.ticket);
  if (under_way) topics_->end_write(message.topic);
  if (!publication) {
    if (topics_->has_loaded(message.topic)) take_late(message, std::move(under_way));
    return;
  }
  ++figures_.recorded;
  ++figures_.published;
  ++figures_.namespaces.of(publication->topic.text()).published;
  if (!under_way) return deliver_stored(*publication, message.message, ctx.now());
  auto& [wanted, replies, since, bytes, payload_hash] = *under_way;
  if (!wanted.publication->idempotency_key.empty()) {
    wanted.publication->payload.bytes = std::string{message.message.message.payload()};
  }
  actor::Reply<PublishAck, PublishError> first;
  if (!replies.empty()) first = std::move(replies.front());
  publish(wanted, *std::move(publication), std::move(first), ctx.now());
  for (auto& reply : replies | std::views::drop(1)) answer_repeat(keyed(wanted), reply, ctx.now());
}

// Of a publication that is not the next one of its topic: it was read from the disk before this was told, and was
// delivered then; or something is missing that must be read.
void MessageRouterActor::take_late(const Recorded& message, std::optional<UnderRecord> under_way) {
  const auto& top = topics_->top_of(message.topic);
  if (top.epoch != message.epoch || top.offset < message.message.offset) {
    begin_stale(message.topic);
  } else if (under_way) {
    for (auto& reply : under_way->replies) reply.set(PublishAck{0, 0, {message.epoch, message.message.offset}});
  }
}

// What is here of it is what says which messages nobody has got yet. So it is not forgotten before it was read again,
// as if a write to it were under way. One that is not here any more is read before it is used anyway.
void MessageRouterActor::begin_stale(const TopicName& topic) {
  if (!topics_->has_loaded(topic)) return;
  if (stale_.insert(topic).second) topics_->begin_write(topic);
}

void MessageRouterActor::end_stale(const TopicName& topic) {
  if (stale_.erase(topic) > 0) topics_->end_write(topic);
}

void MessageRouterActor::handle(const NotRecorded& message) { end_record(message.ticket, message.why); }

// The topic is read again before it is written to, unless only the one message was no good. Of an unknown outcome a
// reply that is dropped tells the asker; who asks again under the same key is answered when the topic was read.
void MessageRouterActor::end_record(Ticket ticket, Recording why) {
  auto under_way = take_recording(ticket);
  if (!under_way) return;
  ++figures_.not_recorded;
  const auto& topic = under_way->message.publication->topic;
  if (why != Recording::too_large) begin_stale(topic);
  topics_->end_write(topic);
  if (why == Recording::unknown) return;
  const auto error = why == Recording::too_large ? PublishError::record_too_large : PublishError::not_recorded;
  for (auto& reply : under_way->replies) reply.fail(error);
}

// What the last one was told it may have done or not.
void MessageRouterActor::handle(const JournalBegan&) {
  if (memory_->journal) memory_->journal->tell(UseSettings{settings()});
  while (!recording_.empty()) end_record(recording_.begin()->first, Recording::unknown);
  for (const auto& [topic, loading] : loading_) ask_to_load(topic);
}

// Tells the journal what nobody needs any more, reads again what it may know more of, and gives up what it does not
// answer.
void MessageRouterActor::keep_house_with_journal(actor::Context& ctx) {
  if (!memory_->journal) return;
  for (auto& trim : topics_->take_trims(trims_at_once)) memory_->journal->tell(std::move(trim));
  for (const auto& topic : topics_->take_forgotten()) {
    if (!topics_->has_loaded(topic) && !loading_.contains(topic)) memory_->journal->tell(CloseTopic{topic});
  }
  const auto given_up = ctx.now() - options_.answer_within * 2;  // the journal itself waits for its database
  std::vector<TopicName> late;
  for (const auto& [topic, loading] : loading_) {
    if (loading.since <= given_up) late.push_back(topic);
  }
  for (const auto& topic : late) end_loading(topic, false, ctx);
  while (!recording_.empty() && recording_.begin()->second.since <= given_up) {
    end_record(recording_.begin()->first, Recording::unknown);
  }
  std::erase_if(stale_, [&](const TopicName& topic) {  // those that are durable no more
    if (topics_->has_loaded(topic)) return false;
    topics_->end_write(topic);
    return true;
  });
  for (const auto& topic : stale_) {
    if (loading_.contains(topic)) continue;
    loading_.emplace(topic, Loading{{}, ctx.now()});
    ask_to_load(topic);
  }
}

}  // namespace troupe::realtime
