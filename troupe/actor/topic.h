// Topic: publish to whoever subscribed, on all cores, without knowing them.
//
//   Topic<Alert> alerts{ctx, "alerts"};
//   alerts.subscribe(ctx, this);                    // all of it
//   alerts.subscribe(ctx, this, "disk.*");          // what is published under a name that matches
//   alerts.publish("disk.full", Alert{...});
//
// Names and patterns are those of base/topic_name.h: `*` is one segment, at most four times,
// `>` one or more at the end, and a pattern that begins with a wildcard meets no reserved name.
// What is published without a name goes under "_". A subscriber handles T, and gets a copy of
// its own, or Published<T>, and shares one value with all others and sees the name. It gets a
// publication once, however many of its patterns match.
//
// A publication is one message to each core with subscribers, in order for each publisher; on
// a subscriber it counts like any message: its mailbox decides what becomes of it when full,
// and a drop is counted and has its dead letter. It goes on with the publisher's trace. A
// subscription survives a restart and ends with its subscriber. A value of this class is small;
// it is used on any thread.
//
// A subscription goes along with a subscriber that moves to another core (shards.h): it misses
// nothing, hears nothing twice, and hears each publisher in its order. While it moves once more,
// up to 1000 publications wait for it; what comes beyond is dropped and counted. Where it has
// moved, subscribing and taking back have their effect soon, not at once.
//
// Where the system has a Bus (runtime/bus.h), a value whose type says
// `static constexpr std::string_view bus_name = "alert/1";` goes to the subscribers of the other
// nodes too, as bytes (codec.h). All else stays where it is.
#pragma once

#include "troupe/actor/codec.h"
#include "troupe/actor/ref.h"
#include "troupe/actor/runtime/topic_directory.h"
#include "troupe/actor/system.h"
#include "troupe/base/topic_name.h"

namespace troupe::actor {

/// What was published and under which name; all who get it share it, on whichever core.
template <class T>
class Published {
 public:
  static constexpr auto message_class = detail::class_of<T>();
  static constexpr bool unmourned = detail::unmourned<T>();

  Published(base::TopicName name, T value) : body_(std::make_shared<const Body>(std::move(name), std::move(value))) {}

  const base::TopicName& name() const noexcept { return body_->name; }
  const T& operator*() const noexcept { return body_->value; }
  const T* operator->() const noexcept { return &body_->value; }

  /// In a mailbox it weighs what its value does, in that of each subscriber, and has its priority.
  std::size_t bytes() const noexcept
    requires detail::says_size<T>
  {
    return detail::size_of(body_->value);
  }
  Priority priority() const noexcept
    requires(detail::chooses_priority<T> || detail::static_priority_of<T>() != Priority::normal)
  {
    if constexpr (detail::chooses_priority<T>) {
      return body_->value.priority();
    } else {
      return detail::static_priority_of<T>();
    }
  }

 private:
  struct Body {
    base::TopicName name;
    T value;
  };
  std::shared_ptr<const Body> body_;
};

namespace detail {

template <class T>
inline constexpr char topic_type = 0;

/// Whether what is published reaches other nodes: it says under which name.
template <class T>
concept Travels = requires { std::bool_constant<(T::bus_name.size() > 0)>{}; };

/// Hands one publication to the subscribers of this core, and gives how many they are. `trace`: what it was published
/// within; null: nothing.
template <class T>
std::size_t fan_out(Core& here, const TopicEntry& entry, const Published<T>& what, ActorId sender,
                    const base::TraceContext* trace) {
  std::size_t receivers = 0;
  here.host().topics().for_each_subscriber(here, entry, what.name(), [&](const TopicSubscriber& subscriber) {
    ++receivers;
    Envelope* envelope = nullptr;
    if (subscriber.shared) {
      envelope = here.make_within(trace, *subscriber.handler, subscriber.who, Published<T>{what});
    } else if constexpr (may_copy<T>()) {
      envelope = here.make_within(trace, *subscriber.handler, subscriber.who, T{*what});
    }
    envelope->sender = sender;
    TopicDirectory::hand_over(here, subscriber, envelope);
  });
  return receivers;
}

template <class T>
struct Publication {
  const TopicEntry* entry;
  Published<T> what;
  std::optional<base::TraceContext> trace;
};

template <class T>
inline constexpr Handler publication_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          const auto& publication = envelope.message<Publication<T>>();
          core.count_receivers(fan_out(core, *publication.entry, publication.what, envelope.sender,
                                       publication.trace ? &*publication.trace : nullptr));
        },
    .destroy = destroy_message<Publication<T>>,
    .message = name_of_type<T>(),
    .message_class = class_of<T>(),
    .unmourned = unmourned<T>(),
};

/// Hands a publication to each core of this system that has subscribers.
template <class T>
Sent spread(Host& host, const TopicEntry& entry, const Published<T>& what, const base::TraceContext* trace) {
  Core* here = host.here();
  Sent result = Sent::sent;
  for (std::size_t i = 0; i < host.core_count(); ++i) {
    if (!host.topics().reaches(entry, i)) continue;
    Core& there = host.core(i);
    if (&there == here) {
      fan_out(there, entry, what, there.running_cell() != nullptr ? id_of(*there.running_cell()) : ActorId{}, trace);
    } else {
      Publication<T> publication{&entry, what, trace != nullptr ? std::optional{*trace} : std::nullopt};
      Envelope* envelope = Core::make_on(here, publication_handler<T>, {}, std::move(publication));
      if (Core::submit(here, there, envelope) != Sent::sent) result = Sent::full;
    }
  }
  return result;
}

/// Publishes here what another node has published.
template <class T>
void receive_from_bus(Host& host, const TopicEntry& entry, const BusMessage& message) {
  spread(host, entry, Published<T>{message.name, decode<T>(message.value.view())},
         message.trace ? &*message.trace : nullptr);
}

template <class T>
constexpr TopicWire topic_wire() {
  if constexpr (Travels<T>) {
    return {T::bus_name, receive_from_bus<T>};
  } else {
    return {};
  }
}

template <class A, class M>
consteval bool takes() {
  if constexpr (is_protocol<A>) {
    return protocol_has_message<A, M>;
  } else {
    return Handles<A, M>;
  }
}

template <class Actor, class Value>
inline constexpr bool subscriber_handles_published_value_or_a_copy_of_it =
    takes<Actor, Published<Value>>() || (takes<Actor, Value>() && may_copy<Value>());

}  // namespace detail

template <class T>
class Topic {
  static_assert(Message<T>, "what is published is a message");

 public:
  /// The topic of this name; everybody who names it means the same. Its values have one type.
  Topic(System& system, std::string_view name)
      : system_(&system), entry_(&system.topics().open(name, &detail::topic_type<T>, detail::topic_wire<T>())) {
    if constexpr (std::is_same_v<T, DeadLetter>) system.publish_dead_letters();
  }
  Topic(const Context& ctx, std::string_view name) : Topic(ctx.system(), name) {}

  /// From now on the actor of this handler gets what is published under a name that matches. A pattern that is none is
  /// our bug; what a client wrote is parsed first.
  template <class A>
  void subscribe(Context& ctx, const A*, const base::TopicPattern& pattern) const {
    system_->topics().subscribe(ctx.core(), *entry_, subscriber(Ref<A>{ctx.address()}), pattern);
  }
  template <class A>
  void subscribe(Context& ctx, const A* actor, std::string_view pattern = ">") const {
    subscribe(ctx, actor, parse(pattern));
  }
  /// The same for any actor, soon. Any thread.
  template <class A>
  void subscribe(Ref<A> who, std::string_view pattern = ">") const {
    if (!who) return;
    who.address().cell->owner->post_remotely(
        [topic = *this, one = subscriber(who), pattern = parse(pattern)](Core& there) {
          topic.system_->topics().subscribe(there, *topic.entry_, one, pattern);
        });
  }
  void unsubscribe(Context& ctx, std::string_view pattern = ">") const {
    system_->topics().unsubscribe(ctx.core(), *entry_, ctx.address(), parse(pattern));
  }

  /// Never blocks. `full`: the way to some core, or node, was full, and its subscribers missed it. Any thread.
  Sent publish(const base::TopicName& name, T value) const {
    const Published<T> what{name, std::move(value)};
    const Core* here = Core::current();
    const Span* span = here != nullptr ? here->span() : nullptr;
    const base::TraceContext* trace = span != nullptr ? &span->context : nullptr;
    Sent result = detail::spread(*system_, *entry_, what, trace);
    if constexpr (detail::Travels<T>) {
      if (Bus* bus = system_->topics().bus()) {
        const Sent beyond = bus->publish({.topic = entry_->name,
                                          .type = std::string{T::bus_name},
                                          .name = what.name(),
                                          .value = base::Bytes{encode(*what)},
                                          .trace = trace != nullptr ? std::optional{*trace} : std::nullopt});
        if (beyond != Sent::sent) result = beyond;
      }
    }
    return result;
  }
  Sent publish(std::string_view name, T value) const {
    auto parsed = base::TopicName::parse(name);
    INVARIANT(parsed.has_value(), "what is published has a topic's name; what a client wrote is parsed first");
    return publish(*parsed, std::move(value));
  }
  Sent publish(T value) const { return publish("_", std::move(value)); }

  const std::string& name() const noexcept { return entry_->name; }

 private:
  static base::TopicPattern parse(std::string_view pattern) {
    auto parsed = base::TopicPattern::parse(pattern);
    INVARIANT(parsed.has_value(), "who subscribes says a topic's name or pattern; what a client wrote is parsed first");
    return *std::move(parsed);
  }
  template <class A>
  static TopicSubscriber subscriber(Ref<A> who) {
    static_assert(detail::subscriber_handles_published_value_or_a_copy_of_it<A, T>,
                  "who subscribes handles Published<T>, or T if that can be copied");
    if constexpr (detail::takes<A, Published<T>>()) {
      return {who.address(), &who.route_.template handler<Published<T>>(), true};
    } else {
      return {who.address(), &who.route_.template handler<T>(), false};
    }
  }

  System* system_;
  TopicEntry* entry_;
};

}  // namespace troupe::actor
