// See topic_directory.h. Here: subscribers that have moved to another core, and who subscribes.
#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/forward.h"
#include "troupe/actor/runtime/lifecycle.h"
#include "troupe/actor/runtime/topic_directory.h"

namespace troupe::actor {
namespace {

/// Follows an actor that was subscribed by an address that it has left.
struct SubscribeMoved {
  static constexpr std::string_view name = "subscribe";
  TopicEntry* entry;
  TopicSubscriber subscriber;
  base::TopicPattern pattern;

  void apply(Core& core, Cell& cell) {
    subscriber.who = cell.address();
    core.host().topics().subscribe(core, *entry, subscriber, pattern);
  }
};

/// Follows what was published to where the subscriber has been.
struct TopicToken {
  static constexpr std::string_view name = "the way to a subscriber";
  Address as;

  void apply(Core& core, Cell&) const { on_dead(core); }
  void on_dead(Core&) const {  // if it has ended, that is told apart
    as.cell->owner->post_remotely([as = as](Core& home) { home.host().topics().way_is_clear(home, as); });
  }
};

/// The same, where messages wait for room on their way, so that it waits behind them.
constexpr Handler waiting_token_handler{
    .invoke = [](Core& core, Cell*, Envelope& envelope) { envelope.message<TopicToken>().on_dead(core); },
    .destroy = destroy_message<TopicToken>,
    .undeliverable = [](Core& core, Envelope& envelope) { envelope.message<TopicToken>().on_dead(core); },
    .message = TopicToken::name,
    .priority = Priority::high,  // that it has come is enough
    .unmourned = true,
    .reads = true,
};

void send_token(Core& home, const MovedSubscriber& who) {
  if (who.blocks) {
    Core::submit(&home, *who.who.cell->owner, home.make(waiting_token_handler, who.who, TopicToken{who.as}));
  } else {
    control::send(&home, who.who, TopicToken{who.as});
  }
}

/// The home of an actor that has moved, for that topic; null: it may subscribe where it is.
TopicHome* home_of(Cell& cell, const TopicEntry& entry) noexcept {
  if (!cell.extras || !cell.extras->topic_homes) return nullptr;
  for (TopicHome& home : *cell.extras->topic_homes) {
    if (std::ranges::find(home.topics, &entry) != home.topics.end()) return &home;
  }
  return nullptr;
}

}  // namespace

void TopicDirectory::subscribe(Core& here, TopicEntry& entry, const TopicSubscriber& subscriber,
                               const base::TopicPattern& pattern) {
  const Address who = subscriber.who;
  if (!who.cell->is(who.generation)) {
    control::send(&here, who, SubscribeMoved{&entry, subscriber, pattern});
  } else if (TopicHome* home = home_of(*who.cell, entry)) {
    TopicSubscriber at_home = subscriber;
    at_home.who = home->as;
    say(here, *home, [this, &entry, at_home, pattern](Core& there) { add(there, entry, at_home, pattern); });
  } else {
    add(here, entry, subscriber, pattern);
  }
}

void TopicDirectory::unsubscribe(Core& here, TopicEntry& entry, Address who, const base::TopicPattern& pattern) {
  if (TopicHome* home = home_of(*who.cell, entry)) {
    say(here, *home, [this, &entry, as = home->as, pattern](Core& there) { remove(there, entry, as, pattern); });
  } else {
    remove(here, entry, who, pattern);
  }
}

// ---- to whom ----

void TopicDirectory::pass_on(Core& here, MovedSubscriber& to, Envelope* envelope) {
  if (to.who == to.next) {
    forwarding::pass_on(here, envelope, to.who);
  } else if (forwarding::may_hold(*envelope, to.held_count)) {
    to.held.push(envelope);
    ++to.held_count;
  } else {
    here.drop(envelope, nullptr, Drop::full);
  }
}

// ---- it moves ----

void TopicDirectory::moves(Core& here, Address before, Address now, CellExtras& extras, bool blocks) {
  // Those where it was at home before: each learns where it is now.
  if (extras.topic_homes) {
    for (TopicHome& home : *extras.topic_homes) {
      say(here, home, [this, as = home.as, now](Core& there) {
        if (MovedSubscriber* who = moved(there, as)) moves_on(there, *who, now);
      });
    }
  }
  // And this one, if it has subscribed here.
  Half& half = half_of(here);
  const auto resident = half.watched.find(lifecycle::id_of(before));
  if (resident == half.watched.end()) return;
  auto& [topics, its_move] = resident->second;
  its_move =
      std::make_unique<MovedSubscriber>(MovedSubscriber{.as = before, .who = now, .next = now, .blocks = blocks});
  for (const TopicEntry* entry : topics) {
    LocalTopic& topic = *half.topics[entry->index];
    topic.members[topic.numbers.at(lifecycle::id_of(before))].subscriber.moved = its_move.get();
  }
  if (!extras.topic_homes) extras.topic_homes = std::make_unique<std::vector<TopicHome>>();
  extras.topic_homes->push_back({.as = before, .topics = topics});
}

void TopicDirectory::say(Core&, TopicHome& home, std::move_only_function<void(Core&)> news) {
  home.as.cell->owner->post_remotely([this, as = home.as, number = home.said++, news = std::move(news)](
                                         Core& there) mutable { hear(there, as, number, std::move(news)); });
}

/// News may come from each core that the actor was on, so by different ways.
void TopicDirectory::hear(Core& home, Address as, std::uint64_t number, std::move_only_function<void(Core&)> news) {
  MovedSubscriber* who = moved(home, as);
  if (who == nullptr) return;  // it has ended
  who->early.emplace(number, std::move(news));
  while (!who->early.empty() && who->early.begin()->first == who->heard) {
    auto next = who->early.extract(who->early.begin());
    ++who->heard;
    next.mapped()(home);
  }
}

MovedSubscriber* TopicDirectory::moved(Core& home, Address as) noexcept {
  Half& half = half_of(home);
  const auto resident = half.watched.find(lifecycle::id_of(as));
  return resident != half.watched.end() ? resident->second.moved.get() : nullptr;
}

void TopicDirectory::moves_on(Core& home, MovedSubscriber& who, Address now) {
  const bool waits = who.who != who.next;
  who.next = now;
  if (waits || who.who == now) return;
  send_token(home, who);
}

void TopicDirectory::way_is_clear(Core& home, Address as) {
  MovedSubscriber* who = moved(home, as);
  if (who == nullptr) return;
  who->who = who->next;
  who->held_count = 0;
  EnvelopeList held = who->held.take();
  while (Envelope* envelope = held.pop()) forwarding::pass_on(home, envelope, who->who);
}

void TopicDirectory::clear(Core& here) noexcept {
  for (auto& [id, resident] : half_of(here).watched) {
    while (Envelope* envelope = resident.moved ? resident.moved->held.pop() : nullptr) here.destroy(envelope);
  }
}

}  // namespace troupe::actor
