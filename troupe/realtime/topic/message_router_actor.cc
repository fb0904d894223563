// MessageRouterActor: subscribing and unsubscribing, and what goes from core to core.
#include "troupe/realtime/topic/message_router_actor.h"

#include <algorithm>

#include "troupe/realtime/topic/topic_journal.h"

namespace troupe::realtime {

namespace {

// Made before there is any need of it, for it is thrown where there is no memory.
const RoutingTableCorrupted not_told{"a delivery has failed, and those whom it had not reached could not be told"};

// Does what brings something to the connections of a core. When it fails half way, some have it, and whoever has not
// would never hear of it: so all of them go on after what had come before, by what their homes keep. The fault is told
// as ever.
template <class Step, class BeginAnew>
void bring(Step step, BeginAnew begin_anew) {
  try {
    step();
  } catch (const RoutingTableCorrupted&) {
    throw;  // the supervisor lets all routers begin anew
  } catch (...) {
    try {
      begin_anew();
    } catch (...) {
      throw not_told;
    }
    throw;
  }
}

}  // namespace

MessageRouterActor::MessageRouterActor(RouterOptions options, CoreIndex index, std::shared_ptr<RouterMemory> memory)
    : options_(std::move(options)),
      index_(index),
      memory_(std::move(memory)),
      inboxes_(options_.inboxes),
      published_(options_.idempotency),
      sent_(options_.idempotency) {
  if (!memory_->local) memory_->local = std::make_unique<LocalReceivers>();
}

void MessageRouterActor::started(actor::Context& ctx) {
  ++memory_->incarnation;
  next_ticket_ = Ticket{memory_->incarnation} << 40 | 1;  // an answer to the last incarnation is none to this one
  topics_ = std::make_unique<TopicShard>(options_.topics, settings(), shard_name(index_), ctx.random());
  name_namespaces(topics_->settings());
  ctx.every(this, "housekeeping", options_.housekeeping, Housekeep{});
  if (!memory_->routers) return;
  join();  // what waits in the mailbox was said to the last incarnation
  begin_anew();
}

void MessageRouterActor::handle(JoinRouters message) {
  memory_->routers = std::move(message.routers);
  memory_->journal = message.journal;
  if (memory_->journal) memory_->journal->tell(UseSettings{settings()});
  memory_->handled.resize(memory_->routers->size());
  memory_->incarnations.resize(memory_->routers->size());
  join();
}

void MessageRouterActor::join() {
  routers_ = memory_->routers;
  windows_.assign(cores(), {});
  unreported_.assign(cores(), {index_, 0, 0});
}

// All tables of this core are empty now. Whoever stood in them is told how far the homes had come, so that it loses
// nothing and gets nothing twice.
void MessageRouterActor::begin_anew() {
  auto cut = std::make_shared<const std::vector<ShardPlace>>(memory_->handled);
  auto reached = cut;
  auto interrupted = std::exchange(memory_->interrupted, std::nullopt);
  if (interrupted) {  // which may be long ago
    const auto& handled = (*cut)[interrupted->home];
    const auto& place = interrupted->place;
    if (handled.incarnation == place.incarnation && handled.seq >= place.seq) interrupted.reset();
  }
  if (interrupted) {
    auto further = memory_->handled;
    further[interrupted->home] = interrupted->place;
    reached = std::make_shared<const std::vector<ShardPlace>>(std::move(further));
  }
  auto lost = std::exchange(memory_->local, std::make_unique<LocalReceivers>(local().registrations()));
  local().use(topics_->settings());
  recovering_.clear();
  recoveries_.clear();
  opening_.clear();  // their askers learn that it came to nothing, and ask again
  for (const auto& router : *routers_) router.tell(BeginAnew{index_, memory_->incarnation});
  for (auto& [number, receiver] : lost->take_receivers()) {
    receiver->routes_lost(interrupted && interrupted->reached.contains(number) ? reached : cut);
  }
}

// Another core has lost its tables: as a home it forgets what that core wanted. If that core has lost what it kept as
// a home as well, nobody's subscriptions are there any more: all tables are begun anew.
void MessageRouterActor::handle(const BeginAnew& message) {
  topics_->drop_all_interest(message.core);
  inboxes_.close_all(message.core);
  windows_[message.core] = {};  // what it has missed it asks for
  if (message.core == index_) return;
  const auto known = std::exchange(memory_->incarnations[message.core], message.incarnation);
  if (known != message.incarnation && message.incarnation > 1) begin_anew();
}

void MessageRouterActor::has_handled(CoreIndex home, const ShardPlace& place) {
  auto& handled = memory_->handled[home];
  if (handled.incarnation != place.incarnation || handled.seq < place.seq) handled = place;
}

void MessageRouterActor::handle(UseSettings message, actor::Context& ctx) {
  memory_->settings = message.settings;
  if (memory_->journal) memory_->journal->tell(message);
  name_namespaces(*message.settings);
  topics_->use(std::move(message.settings), ctx.now());
}

void MessageRouterActor::name_namespaces(const RealtimeSettings& settings) {
  figures_.namespaces.use(settings);
  local().use(settings);
}

// ---- for the connections of this core ----

ReceiverNumber MessageRouterActor::handle(const Register& message) {
  auto number = local().add(message.receiver);
  message.receiver->registered(number);
  const auto& user = message.receiver->user();
  router(home_of(inbox_topic(user), cores())).tell(OpenInbox{index_, user, number});
  return number;
}

void MessageRouterActor::handle(Unregister message) {
  auto left = local().remove(message.receiver);
  tell_no_interest(left.patterns);
  if (left.user) router(home_of(inbox_topic(*left.user), cores())).tell(CloseInbox{index_, *left.user});
}

// What somebody here has already costs nothing more, so nobody can keep others from the topics that all have.
bool MessageRouterActor::has_room_for(const std::vector<WantedTopic>& topics) const {
  std::size_t more = 0;
  for (const auto& topic : topics) more += local().more_segments_for(topic.pattern);
  return more == 0 || local().segments() + more <= options_.subscription_segments_max;
}

void MessageRouterActor::handle(AddSubscriptions message, actor::Reply<std::vector<SubscribedResult>, NotOpened> reply,
                                actor::Context& ctx) {
  if (message.topics.empty()) return reply.set({});  // no home is asked, so none would answer
  if (local().find(message.receiver) == nullptr) return;
  if (!message.cut && !has_room_for(message.topics)) return reply.fail(NotOpened::no_room);
  std::vector<TopicPattern> added;
  for (const auto& topic : message.topics) {
    if (local().subscribe(message.receiver, topic.pattern, topic.overflow)) added.push_back(topic.pattern);
  }
  tell_interest(added);

  auto ticket = next_ticket_++;
  auto& waiting = opening_[ticket];
  waiting.since = ctx.now();
  waiting.goes_on = message.cut != nullptr;
  waiting.replies.push_back(std::move(reply));
  waiting.result.resize(message.topics.size());
  for (std::size_t i = 0; i < message.topics.size(); ++i) {
    const auto& [pattern, recover, overflow] = message.topics[i];
    waiting.result[i].topic.topic = pattern.text();
    // Until a shard says otherwise; those that were there when the client was must be those that are there now.
    waiting.result[i].topic.recovered =
        !pattern.is_name() && (message.cut || (recover && recover->shards.size() == cores()));
  }
  auto asked = questions(message, ticket);
  for (const auto& question : asked) waiting.missing += question.topics.empty() ? 0 : 1;
  const bool recovers = !message.cut && std::ranges::any_of(message.topics, [](const WantedTopic& topic) {
    return topic.recover.has_value();
  });
  if (!recovers) return ask_homes(std::move(asked));
  recoveries_.emplace(ticket, std::move(asked));
  begin_recoveries();
}

void MessageRouterActor::ask_homes(std::vector<OpenTopics> questions) {
  for (std::size_t home = 0; home < questions.size(); ++home) {
    if (!questions[home].topics.empty()) router(home).tell(std::move(questions[home]));
  }
}

// What history gives is in memory before its asker says for how much there is room, so that few are read for at a time.
void MessageRouterActor::begin_recoveries() {
  while (!recoveries_.empty() && recovering_.size() < options_.recoveries_max) {
    auto next = recoveries_.extract(recoveries_.begin());
    recovering_.insert(next.key());
    ask_homes(std::move(next.mapped()));
  }
}

void MessageRouterActor::end_recovery(Ticket ticket) {
  recovering_.erase(ticket);
  recoveries_.erase(ticket);
}

// What each home is to be asked: a name only its own, a pattern all of them.
std::vector<OpenTopics> MessageRouterActor::questions(const AddSubscriptions& message, Ticket ticket) const {
  std::vector<OpenTopics> asked(cores(), OpenTopics{index_, ticket, {}, {}});
  for (std::size_t home = 0; message.cut && home < cores(); ++home) asked[home].cut = (*message.cut)[home];
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
  has_handled(message.home, message.handed);
  auto found = opening_.find(message.ticket);
  if (found == opening_.end()) return;
  if (message.topics.empty()) {
    for (auto& reply : found->second.replies) reply.fail(NotOpened::not_read);
    opening_.erase(found);
    end_recovery(message.ticket);
    return begin_recoveries();
  }
  auto& waiting = found->second;
  const auto ticket = message.ticket;
  take_opened(waiting, std::move(message));
  if (--waiting.missing > 0) return;
  for (auto& result : waiting.result) {
    if (!result.topic.recovered && !waiting.goes_on) result.recovered.clear();  // one shard could not
  }
  for (auto& reply : waiting.replies) reply.set(std::move(waiting.result));
  opening_.erase(found);
  end_recovery(ticket);
  begin_recoveries();
}

void MessageRouterActor::take_opened(Waiting<std::vector<SubscribedResult>, NotOpened>& waiting, TopicsOpened message) {
  for (auto& opened : message.topics) {
    auto& result = waiting.result[opened.index];
    if (TopicPattern::parse(result.topic.topic)->is_name()) {
      result.topic.position = std::move(opened.top);
      result.topic.recovered = opened.recovered;
      result.recovered = std::move(opened.messages);
    } else {
      result.topic.shards.push_back({shard_name(message.home), std::move(opened.top)});
      result.topic.recovered = result.topic.recovered && opened.recovered;
      for (auto& one : opened.messages) one.home = message.home;
      std::ranges::move(opened.messages, std::back_inserter(result.recovered));
    }
  }
}

void MessageRouterActor::handle(RemoveSubscriptions message) {
  std::erase_if(message.topics,
                [&](const TopicPattern& pattern) { return !local().unsubscribe(message.receiver, pattern); });
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
  const auto& core = *actor::Core::current();
  LocalReceivers::Counted counted;
  const auto deliver = [&] {
    try {
      counted = figures_.enqueuing.measure(core, [&] { return local().deliver(message, core.now()); });
    } catch (...) {
      auto reached = local().reached(message.topic);
      memory_->interrupted = {message.home, message.place, {reached.begin(), reached.end()}};
      throw;
    }
  };
  bring(deliver, [this] { begin_anew(); });
  has_handled(message.home, message.place);
  figures_.delivered += counted.accepted;
  figures_.dropped += counted.dropped;
  figures_.spilled += counted.spilled;
  auto& figures = figures_.namespaces.of(message.topic.text());
  figures.delivered += counted.accepted;
  figures.spilled += counted.spilled;
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
  const auto tell = [&] {
    for (const auto& range : message.ranges) local().missed(range, {message.home, message.last.seq});
  };
  bring(tell, [this] { begin_anew(); });
  has_handled(message.home, message.last);
}

void MessageRouterActor::handle(const InboxOpened& message) {
  if (Receiver* receiver = local().find(message.receiver)) receiver->open_inbox(message.contents);
}

void MessageRouterActor::handle(const DeliverDirect& message) {
  LocalReceivers::CountedDirect counted;
  bring([&] { counted = local().deliver_direct(message); }, [this] { begin_anew(); });
  router(message.home).tell(DirectDelivered{message.ticket, std::move(counted.connections), counted.queued});
}

// ---- housekeeping and figures ----

void MessageRouterActor::handle(Housekeep, actor::Context& ctx) {
  if (!routers_) return;
  topics_->expire(ctx.now());
  keep_house_with_journal(ctx);
  inboxes_.expire(ctx.now());
  published_.expire(ctx.now());
  sent_.expire(ctx.now());
  pressed_.expire(ctx.now());
  // An answer that does not come any more: dropping the reply tells the asker that the outcome is not known, but for
  // subscriptions, which are taken back. A repeat of what bore a key is told what is known of it.
  auto give_up = [&](auto& tickets, auto keep) {
    while (!tickets.empty() && tickets.begin()->second.since + options_.answer_within <= ctx.now()) {
      keep(tickets.begin()->first, tickets.begin()->second);
      tickets.erase(tickets.begin());
    }
  };
  const auto for_repeats = [&](auto& window) {
    return [&ctx, answers = &window](Ticket ticket, const auto& waiting) {
      if (waiting.key) answers->keep(*waiting.key, ticket, waiting.result, ctx.now());
    };
  };
  give_up(counting_, for_repeats(published_));
  give_up(directing_, for_repeats(sent_));
  give_up(opening_, [this](Ticket ticket, auto& waiting) {
    for (auto& reply : waiting.replies) reply.fail(NotOpened::not_read);
    end_recovery(ticket);
  });
  begin_recoveries();
}

RouterFigures MessageRouterActor::handle(const MeasureRouter&) const {
  auto figures = figures_;
  figures.topics = topics_->topics();
  figures.recording = recordings_waiting_;
  figures.history_bytes = topics_->history_bytes();
  figures.inboxes = inboxes_.size();
  figures.subscriptions = local().subscriptions();
  figures.namespaces.merge(local().subscriptions_by_namespace(),
                           [](NamespaceFigures& sum, std::size_t count) { sum.subscriptions += count; });
  figures.namespaces.merge(topics_->history_bytes_by_namespace(),
                           [](NamespaceFigures& sum, std::size_t bytes) { sum.history_bytes += bytes; });
  for (const auto& stats : {topics_->trie_stats(), local().trie_stats()}) {
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
