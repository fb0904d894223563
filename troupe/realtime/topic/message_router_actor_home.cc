// MessageRouterActor as a home: publishing, direct messages, history, and who is interested.
#include <algorithm>
#include <optional>

#include "troupe/realtime/topic/message_router_actor.h"

namespace troupe::realtime {

namespace {

// Made before there is any need of it, for it is thrown where there is no memory.
const RoutingTableCorrupted not_handed{"a publication that has its offset could not be handed to all cores"};

/// The same bytes as JSON and as binary are two payloads.
std::size_t hash_of(const Payload& payload) {
  return std::hash<std::string>{}(payload.bytes) ^ static_cast<std::size_t>(payload.kind);
}

}  // namespace

MessageRouterActor::Keyed<PublishAck, PublishError> MessageRouterActor::keyed(const PublishMessage& message) {
  const auto& publication = *message.publication;
  return {published_,
          counting_,
          {message.publisher.user, publication.operation, publication.topic, publication.idempotency_key},
          hash_of(publication.payload)};
}

MessageRouterActor::Keyed<DirectAck, DirectError> MessageRouterActor::keyed(const SendDirect& message,
                                                                            const TopicName& inbox) {
  const auto& direct = message.direct;
  return {sent_,
          directing_,
          {message.from, KeyedOperation::direct, inbox, direct.idempotency_key},
          hash_of(direct.payload)};
}

// True when the message was sent before, and its asker is or will be answered with the first answer.
template <class Result, class Error>
bool MessageRouterActor::answer_repeat(const Keyed<Result, Error>& keyed, actor::Reply<Result, Error>& reply,
                                       base::Instant now) {
  if (!keyed.has_key()) return false;
  auto* entry = keyed.window.find(keyed.key, now);
  if (entry == nullptr) return false;
  if (entry->payload_hash != keyed.payload_hash) {
    reply.fail(Error::key_used_before);
  } else if (entry->answer) {
    reply.set(*entry->answer);
  } else if (auto waiting = keyed.tickets.find(entry->ticket); waiting != keyed.tickets.end()) {
    waiting->second.replies.push_back(std::move(reply));
  }
  return true;
}

template bool MessageRouterActor::answer_repeat(const Keyed<PublishAck, PublishError>&,
                                                actor::Reply<PublishAck, PublishError>&, base::Instant);

// What was sent with this key is being counted under `ticket`.
template <class Result, class Error>
void MessageRouterActor::remember(const Keyed<Result, Error>& keyed, Ticket ticket, base::Instant now) {
  if (!keyed.has_key()) return;
  keyed.window.add(keyed.key, keyed.payload_hash, now, ticket);
  if (auto waiting = keyed.tickets.find(ticket); waiting != keyed.tickets.end()) waiting->second.key = keyed.key;
}

void MessageRouterActor::handle(PublishMessage&& message, actor::Reply<PublishAck, PublishError> reply,
                                actor::Context& ctx) {
  const bool bears_key = !message.publication->idempotency_key.empty();
  if (bears_key && answer_repeat(keyed(message), reply, ctx.now())) return;
  if (is_pushed_back(message.publication->topic, ctx.now())) {
    ++figures_.pushed_back;
    return reply.fail(PublishError::slow_reader);
  }
  if (is_durable(message.publication->topic)) return record(std::move(message), std::move(reply), ctx);
  auto publication = figures_.routing.measure(ctx.core(), [&] { return topics_->publish(message, moment(ctx)); });
  if (!publication) {
    const bool of_user = publication.error() == PublishError::too_many_topics;
    ++(of_user ? figures_.topics_refused_of_user : figures_.topics_refused);
    return reply.fail(publication.error());
  }
  ++figures_.published;
  ++figures_.namespaces.of(publication->topic.text()).published;
  publish(message, *std::move(publication), std::move(reply), ctx.now());
}

Deliver MessageRouterActor::delivery_to(CoreIndex core, Ticket ticket, const PublishMessage& message,
                                        Publication&& publication) const {
  const bool is_here = message.publisher.core == core;
  Deliver delivery{index_,
                   {memory_->incarnation, publication.seq},
                   ticket,
                   std::move(publication.topic),
                   std::move(publication.position),
                   std::move(publication.frame),
                   std::move(publication.frame_by_pattern),
                   {},
                   is_here ? message.publisher.receiver : ReceiverNumber{0},
                   message.publication->priority,
                   message.target};
  if (message.publication->exclude_self && is_here) delivery.excluded = message.publisher;
  return delivery;
}

// Hands a publication to every core that has subscribers, and counts if anybody wants to know. To this core last, for a
// fault of its connections is none of the others; and where one of these could not be handed it, it would be missing
// there without a word, so all tables begin anew.
void MessageRouterActor::publish(const PublishMessage& message, Publication&& publication,
                                 actor::Reply<PublishAck, PublishError> reply, base::Instant now) {
  auto others = publication.cores;
  const bool is_wanted_here = others.contains(index_);
  others.erase(index_);
  auto missing = others.size();
  const auto& space = topics_->settings().of(publication.topic);
  const bool blocks = space.overflow == Overflow::block;
  const auto& key = message.publication->idempotency_key;
  bool counts = static_cast<bool>(reply) || !key.empty();
  Ticket ticket = counts && (missing > 0 || blocks) ? next_ticket_++ : 0;
  PublishAck ack{0, 0, publication.position};
  std::optional<Deliver> here;
  try {
    while (!others.empty()) {
      const auto core = others.take_first();
      const bool is_last = others.empty() && !is_wanted_here;
      hand_to(core, delivery_to(core, ticket, message, is_last ? std::move(publication) : Publication{publication}));
    }
    if (is_wanted_here) here = delivery_to(index_, ticket, message, std::move(publication));
  } catch (...) {
    throw not_handed;
  }
  if (here) {
    auto counted = deliver_here(*here);
    if (ticket != 0 && counted.over > 0) {
      await_room(*here, counted);
      ++missing;
    } else {
      ack.delivered_to += counted.accepted;
      ack.queued += counted.queued;
    }
  }
  if (missing == 0) ticket = 0;
  if (ticket == 0) {
    if (!key.empty()) {
      const auto known = keyed(message);
      remember(known, ticket, now);
      published_.keep(known.key, ticket, ack, now);
    }
    return reply.set(std::move(ack));
  }
  auto& waiting = counting_[ticket];
  if (!key.empty()) remember(keyed(message), ticket, now);
  waiting.replies.push_back(std::move(reply));
  waiting.result = std::move(ack);
  waiting.missing = missing;
  waiting.since = blocks ? now + space.block_time : now;
}

void MessageRouterActor::handle(const Delivered& message, actor::Context& ctx) {
  auto found = counting_.find(message.ticket);
  if (found == counting_.end()) return;
  auto& waiting = found->second;
  waiting.result.delivered_to += message.accepted;
  waiting.result.queued += message.queued;
  if (--waiting.missing > 0) return;
  if (waiting.key) published_.keep(*waiting.key, message.ticket, waiting.result, ctx.now());
  waiting.answer();
  counting_.erase(found);
}

// A core that is too far behind gets nothing more for now: what it misses is told before anything that follows.
void MessageRouterActor::hand_to(CoreIndex core, Deliver message) {
  auto& window = windows_[core];
  if (window.missed.empty() && has_window(window)) {
    ++window.messages;
    window.bytes += message.frame.size();
    router(core).tell(std::move(message));
    return;
  }
  ++figures_.missed;
  if (message.ticket != 0) router(index_).tell(Delivered{message.ticket, 0, 0});
  window.missed_to = message.place.seq;
  window.missed.add(message.topic, message.position);
}

bool MessageRouterActor::has_window(const Window& window) const noexcept {
  return window.messages < options_.window_messages && window.bytes < options_.window_bytes;
}

void MessageRouterActor::handle(const Handled& message) {
  auto& window = windows_[message.core];
  // A report may be older than the window, which begins anew with its router.
  window.messages -= std::min(window.messages, message.messages);
  window.bytes -= std::min(window.bytes, message.bytes);
  if (has_window(window)) tell_missed(message.core);
}

void MessageRouterActor::tell_missed(CoreIndex core) {
  auto& window = windows_[core];
  if (window.missed.empty()) return;
  router(core).tell(DeliverMissed{index_, {memory_->incarnation, window.missed_to}, window.missed.take()});
}

void MessageRouterActor::handle(SendDirect message, actor::Reply<DirectAck, DirectError> reply, actor::Context& ctx) {
  auto inbox = TopicName::parse(inbox_topic(message.direct.user)).value();
  if (answer_repeat(keyed(message, inbox), reply, ctx.now())) return;
  auto direct = inboxes_.send(message, moment(ctx));
  if (!direct) return reply.fail(direct.error());
  ++figures_.directs;
  auto ticket = next_ticket_++;
  auto& waiting = directing_[ticket];
  waiting.replies.push_back(std::move(reply));
  waiting.result.message = direct->message;
  waiting.since = ctx.now();
  remember(keyed(message, inbox), ticket, ctx.now());
  for (CoreIndex core : direct->cores) {
    DeliverDirect delivery{index_, ticket, message.direct.user, direct->position, direct->frame};
    // What a full lane refuses stays in the inbox until the user has received it.
    if (router(core).tell(std::move(delivery)) == actor::Sent::sent) ++waiting.missing;
  }
  if (waiting.missing == 0) answer_direct(ticket, ctx.now());
}

void MessageRouterActor::handle(DirectDelivered message, actor::Context& ctx) {
  auto found = directing_.find(message.ticket);
  if (found == directing_.end()) return;
  auto& waiting = found->second;
  std::ranges::move(message.connections, std::back_inserter(waiting.result.connections));
  waiting.result.queued += message.queued;
  if (--waiting.missing == 0) answer_direct(message.ticket, ctx.now());
}

void MessageRouterActor::answer_direct(Ticket ticket, base::Instant now) {
  auto waiting = directing_.extract(ticket);
  if (waiting.mapped().key) sent_.keep(*waiting.mapped().key, ticket, waiting.mapped().result, now);
  waiting.mapped().answer();
}

TopicsPage MessageRouterActor::handle(const ListTopics& message, actor::Context& ctx) {
  return topics_->list(message, ctx.now());
}

void MessageRouterActor::handle(ReadTopic message, actor::Reply<HistoryPage> reply, actor::Context& ctx) {
  const auto topic = message.request.topic;
  if (!must_load(topic)) return reply.set(topics_->read(message.request, ctx.now()));
  auto then = [this, message = std::move(message), reply = std::move(reply)](bool loaded,
                                                                             actor::Context& context) mutable {
    if (loaded) handle(std::move(message), std::move(reply), context);  // else a reply that is dropped says so
  };
  if (may_load(1)) load(topic, std::move(then), ctx);
}

void MessageRouterActor::handle(const AcknowledgeInbox& message) {
  inboxes_.received(message.user, message.offset, message.epoch);
}

void MessageRouterActor::handle(const AddInterest& message) {
  for (const auto& pattern : message.patterns) topics_->add_interest(message.core, pattern);
}

void MessageRouterActor::handle(const DropInterest& message) {
  for (const auto& pattern : message.patterns) topics_->drop_interest(message.core, pattern);
}

// True when topics must be read from the disk first: all of them at once, and when the last is there we look again. Not
// for ever: where they do not all fit into the memory, it comes to nothing.
bool MessageRouterActor::loads_first(OpenTopics& message, actor::Context& ctx) {
  if (!memory_->journal) return false;
  std::set<TopicName> missing;
  for (const auto& topic : message.topics) {
    if (!topic.pattern.is_name() || topics_->settings().of(topic.pattern).durability == Durability::memory) continue;
    auto name = TopicName::parse(topic.pattern.text()).value();
    if (must_load(name)) missing.insert(std::move(name));
  }
  if (missing.empty()) return false;
  struct Wait {
    OpenTopics message;
    std::size_t missing;
    bool all_loaded = true;
  };
  auto fail = [this](const OpenTopics& failed) {
    router(failed.core).tell(TopicsOpened{failed.ticket, index_, {memory_->incarnation, 0}, {}});
  };
  constexpr std::uint32_t tries_max = 3;
  if (++message.tries > tries_max || !may_load(missing.size())) {
    fail(message);
    return true;
  }
  auto wait = std::make_shared<Wait>(std::move(message), missing.size());
  for (const auto& topic : missing) {
    auto then = [this, wait, fail](bool loaded, actor::Context& context) {
      wait->all_loaded = wait->all_loaded && loaded;
      if (--wait->missing > 0) return;
      if (wait->all_loaded) return handle(std::move(wait->message), context);
      fail(wait->message);
    };
    load(topic, std::move(then), ctx);
  }
  return true;
}

void MessageRouterActor::handle(OpenTopics message, actor::Context& ctx) {
  if (loads_first(message, ctx)) return;
  const auto incarnation = memory_->incarnation;
  tell_missed(message.core);  // while whoever asks holds these topics back, and does not take it for what comes later
  TopicsOpened answer{message.ticket, index_, {incarnation, topics_->top().offset}, {}};
  auto allowance = topics_->allowance();
  for (const auto& topic : message.topics) {
    if (!message.cut) {
      answer.topics.push_back(topics_->open(topic, moment(ctx), allowance));
      continue;
    }
    auto seq = message.cut->incarnation == incarnation ? std::optional{message.cut->seq} : std::nullopt;
    answer.topics.push_back(topics_->go_on(topic, seq, moment(ctx), allowance));
  }
  router(message.core).tell(std::move(answer));
}

void MessageRouterActor::handle(OpenInbox message, actor::Context& ctx) {
  auto contents = inboxes_.open(message.user, message.core, moment(ctx));
  router(message.core).tell(InboxOpened{message.receiver, std::move(contents)});
}

void MessageRouterActor::handle(const CloseInbox& message) { inboxes_.close(message.user, message.core); }

}  // namespace troupe::realtime
