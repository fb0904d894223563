// MessageRouterActor: subscribing and unsubscribing, and what goes from core to core.
#include "troupe/realtime/topic/message_router_actor.h"

#include <algorithm>

namespace troupe::realtime {

MessageRouterActor::MessageRouterActor(RouterOptions options, CoreIndex index,
                                       actor::Ref<actor::Protocol<RouterStarted>> owner)
    : options_(std::move(options)),
      index_(index),
      owner_(owner),
      inboxes_(options_.inboxes),
      idempotency_(options_.idempotency) {}

void MessageRouterActor::started(actor::Context& ctx) {
  topics_ = std::make_unique<TopicShard>(options_.topics, options_.settings, shard_name(index_), ctx.random());
  ctx.every(this, "housekeeping", options_.housekeeping, Housekeep{});
  owner_.tell(RouterStarted{index_});
}

void MessageRouterActor::handle(JoinRouters message) {
  routers_ = std::move(message.routers);
  windows_.assign(cores(), {});
  unreported_.assign(cores(), {index_, 0, 0});
}

void MessageRouterActor::handle(UseSettings message, actor::Context& ctx) {
  topics_->use(std::move(message.settings), ctx.now());
}

// ---- for the connections of this core ----

ReceiverNumber MessageRouterActor::handle(Register message) {
  auto user = message.user;
  auto receiver = message.receiver;
  auto number = local_.add(std::move(message));
  receiver->registered(number);
  router(home_of(inbox_topic(user), cores())).tell(OpenInbox{index_, std::move(user), number});
  return number;
}

void MessageRouterActor::handle(Unregister message) {
  auto left = local_.remove(message.receiver);
  tell_no_interest(left.patterns);
  if (left.user) router(home_of(inbox_topic(*left.user), cores())).tell(CloseInbox{index_, *left.user});
}

void MessageRouterActor::handle(AddSubscriptions message, actor::Reply<std::vector<SubscribedResult>> reply,
                                actor::Context& ctx) {
  if (message.topics.empty()) return reply.set({});  // no home is asked, so none would answer
  std::vector<TopicPattern> added;
  for (const auto& topic : message.topics) {
    if (local_.subscribe(message.receiver, topic.pattern, topic.overflow)) added.push_back(topic.pattern);
  }
  tell_interest(added);

  auto ticket = next_ticket_++;
  auto& waiting = opening_[ticket];
  waiting.since = ctx.now();
  waiting.replies.push_back(std::move(reply));
  waiting.result.resize(message.topics.size());
  for (std::size_t i = 0; i < message.topics.size(); ++i) {
    const auto& [pattern, recover, overflow] = message.topics[i];
    waiting.result[i].topic.topic = pattern.text();
    // Until a shard says otherwise; those that were there when the client was must be those that are there now.
    waiting.result[i].topic.recovered = !pattern.is_name() && recover && recover->shards.size() == cores();
  }
  auto asked = questions(message, ticket);
  for (const auto& question : asked) waiting.missing += question.topics.empty() ? 0 : 1;
  for (std::size_t home = 0; home < asked.size(); ++home) {
    if (!asked[home].topics.empty()) router(home).tell(std::move(asked[home]));
  }
}

// What each home is to be asked: a name only its own, a pattern all of them.
std::vector<OpenTopics> MessageRouterActor::questions(const AddSubscriptions& message, Ticket ticket) const {
  std::vector<OpenTopics> asked(cores(), OpenTopics{index_, ticket, {}});
  for (std::size_t i = 0; i < message.topics.size(); ++i) {
    const auto& [pattern, recover, overflow] = message.topics[i];
    if (pattern.is_name()) {
      auto position = recover ? std::optional{recover->position} : std::nullopt;
      asked[home_of(pattern.text(), cores())].topics.push_back({i, pattern, std::move(position)});
      continue;
    }
    for (std::size_t home = 0; home < asked.size(); ++home) {
      std::optional<Position> position;
      if (recover) {
        auto found = recover->shards.find(shard_name(static_cast<CoreIndex>(home)));
        if (found != recover->shards.end()) position = found->second;
      }
      asked[home].topics.push_back({i, pattern, std::move(position)});
    }
  }
  return asked;
}

void MessageRouterActor::handle(TopicsOpened message) {
  auto found = opening_.find(message.ticket);
  if (found == opening_.end()) return;
  auto& waiting = found->second;
  take_opened(waiting, std::move(message));
  if (--waiting.missing > 0) return;
  for (auto& result : waiting.result) {
    if (!result.topic.recovered) result.recovered.clear();  // one shard could not
  }
  for (auto& reply : waiting.replies) reply.set(std::move(waiting.result));
  opening_.erase(found);
}

void MessageRouterActor::take_opened(Waiting<std::vector<SubscribedResult>, actor::NoError>& waiting,
                                     TopicsOpened message) {
  for (auto& opened : message.topics) {
    auto& result = waiting.result[opened.index];
    if (TopicPattern::parse(result.topic.topic)->is_name()) {
      result.topic.position = std::move(opened.top);
      result.topic.recovered = opened.recovered;
      result.recovered = std::move(opened.messages);
    } else {
      result.topic.shards.push_back({message.shard, message.shard_top});
      result.topic.recovered = result.topic.recovered && opened.recovered;
      std::ranges::move(opened.messages, std::back_inserter(result.recovered));
    }
  }
}

void MessageRouterActor::handle(RemoveSubscriptions message) {
  std::erase_if(message.topics,
                [&](const TopicPattern& pattern) { return !local_.unsubscribe(message.receiver, pattern); });
  tell_no_interest(message.topics);
}

std::vector<std::vector<TopicPattern>> MessageRouterActor::by_home(const std::vector<TopicPattern>& patterns) const {
  std::vector<std::vector<TopicPattern>> homes(cores());
  for (const auto& pattern : patterns) {
    if (pattern.is_name()) {
      homes[home_of(pattern.text(), cores())].push_back(pattern);
    } else {
      for (auto& home : homes) home.push_back(pattern);
    }
  }
  return homes;
}

void MessageRouterActor::tell_interest(const std::vector<TopicPattern>& added) {
  auto homes = by_home(added);
  for (std::size_t home = 0; home < homes.size(); ++home) {
    if (!homes[home].empty()) router(home).tell(AddInterest{index_, std::move(homes[home])});
  }
}

void MessageRouterActor::tell_no_interest(const std::vector<TopicPattern>& dropped) {
  auto homes = by_home(dropped);
  for (std::size_t home = 0; home < homes.size(); ++home) {
    if (!homes[home].empty()) router(home).tell(DropInterest{index_, std::move(homes[home])});
  }
}

// ---- from other homes, to the connections of this core ----

LocalReceivers::Counted MessageRouterActor::deliver_here(const Deliver& message) {
  auto counted = local_.deliver(message);
  figures_.delivered += counted.accepted;
  figures_.dropped += counted.dropped;
  figures_.spilled += counted.spilled;
  return counted;
}

void MessageRouterActor::handle(const Deliver& message) {
  auto counted = deliver_here(message);
  if (message.ticket != 0 && counted.over > 0) {
    await_room(message, counted);
  } else if (message.ticket != 0) {
    router(message.home).tell(Delivered{message.ticket, counted.accepted, counted.queued});
  }
  // A quarter of the window at a time: what is not told yet never closes it.
  auto& handled = unreported_[message.home];
  ++handled.messages;
  handled.bytes += message.frame.size();
  if (handled.messages * 4 < options_.window_messages && handled.bytes * 4 < options_.window_bytes) return;
  router(message.home).tell(std::exchange(handled, {index_, 0, 0}));
}

void MessageRouterActor::handle(const DeliverMissed& message) {
  for (const auto& range : message.ranges) local_.missed(range);
}

void MessageRouterActor::handle(const InboxOpened& message) {
  if (Receiver* receiver = local_.find(message.receiver)) receiver->open_inbox(message.contents);
}

void MessageRouterActor::handle(const DeliverDirect& message) {
  auto counted = local_.deliver_direct(message);
  router(message.home).tell(DirectDelivered{message.ticket, std::move(counted.connections), counted.queued});
}

// ---- housekeeping and figures ----

void MessageRouterActor::handle(Housekeep, actor::Context& ctx) {
  if (!routers_) return;
  topics_->expire(ctx.now());
  inboxes_.expire(ctx.now());
  idempotency_.expire(ctx.now());
  pressed_.expire(ctx.now());
  // An answer that does not come any more: dropping the reply tells the asker that the outcome is not known.
  auto give_up = [&](auto& tickets) {
    while (!tickets.empty() && tickets.begin()->second.since + options_.answer_within <= ctx.now()) {
      tickets.erase(tickets.begin());
    }
  };
  give_up(counting_);
  give_up(directing_);
  give_up(opening_);
}

RouterFigures MessageRouterActor::handle(const MeasureRouter&) const {
  auto figures = figures_;
  figures.topics = topics_->topics();
  figures.history_bytes = topics_->history_bytes();
  figures.inboxes = inboxes_.size();
  figures.subscriptions = local_.subscriptions();
  for (const auto& stats : {topics_->trie_stats(), local_.trie_stats()}) {
    figures.trie_lookups += stats.lookups;
    figures.trie_hits += stats.hits;
    figures.trie_visited += stats.visited;
  }
  return figures;
}

void MessageRouterActor::inspect(actor::Inspection& out) const {
  auto figures = handle(MeasureRouter{});
  out.add("topics", figures.topics);
  out.add("subscriptions", figures.subscriptions);
  out.add("published", figures.published);
  out.add("delivered", figures.delivered);
  out.add("dropped", figures.dropped);
  out.add("inboxes", figures.inboxes);
}

}  // namespace troupe::realtime
