// LocalReceivers: slots that know their registration, so that a number of one that has left finds nobody.
#include "troupe/realtime/topic/local_receivers.h"

#include <algorithm>
#include <array>
#include <limits>

#include "troupe/base/check.h"

namespace troupe::realtime {

namespace {

using Subscriber = base::SubscriptionTrie::Subscriber;

constexpr Subscriber nobody = std::numeric_limits<Subscriber>::max();
std::size_t hash_of(const UserId& user) noexcept { return std::hash<UserId>{}(user); }

constexpr std::size_t deliveries = static_cast<std::size_t>(Delivery::over) + 1;

}  // namespace

ReceiverNumber LocalReceivers::add(ReceiverRef receiver) {
  if (free_.empty()) {
    INVARIANT(slots_.size() < 1U << place_bits, "a core has fewer connections than numbers have places");
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
    receivers_.emplace_back();
  }
  auto place = free_.back();
  free_.pop_back();
  auto& slot = slots_[place];
  slot.registration = ++registrations_;
  slot.receiver = std::move(receiver);
  receivers_[place] = slot.receiver.get();
  by_user_.add(place, next_of(), [this](UserIndex::Place at) { return hash_of(receivers_[at]->user()); });
  return number_of(slot.registration, place);
}

LocalReceivers::Left LocalReceivers::remove(ReceiverNumber receiver) {
  Left left;
  Slot* slot = slot_of(receiver);
  if (slot == nullptr) return left;
  slot->subscriptions.for_each([&](auto, auto id) {
    auto pattern = trie_.pattern_of(id);
    --by_namespace_.of(pattern.text());
    if (trie_.remove(id, pattern)) left.patterns.push_back(std::move(pattern));
  });
  auto place = place_of(receiver);
  const auto& user = slot->receiver->user();
  by_user_.remove(place, hash_of(user), next_of());
  if (places_of(user).empty()) left.user = user;
  slot->subscriptions.clear();
  slot->receiver.reset();
  receivers_[place] = nullptr;
  free_.push_back(place);
  return left;
}

Receiver* LocalReceivers::find(ReceiverNumber receiver) const noexcept {
  Slot* slot = const_cast<LocalReceivers*>(this)->slot_of(receiver);
  return slot == nullptr ? nullptr : slot->receiver.get();
}

std::vector<std::pair<ReceiverNumber, ReceiverRef>> LocalReceivers::take_receivers() {
  std::vector<std::pair<ReceiverNumber, ReceiverRef>> all;
  for (std::uint32_t place = 0; place < slots_.size(); ++place) {
    auto& slot = slots_[place];
    if (slot.receiver == nullptr) continue;
    all.emplace_back(number_of(slot.registration, place), std::move(slot.receiver));
    receivers_[place] = nullptr;
  }
  return all;
}

bool LocalReceivers::subscribe(ReceiverNumber receiver, const TopicPattern& pattern, Overflow overflow) {
  Slot* slot = slot_of(receiver);
  if (slot == nullptr) return false;
  auto added = trie_.add(pattern, place_of(receiver), static_cast<std::uint8_t>(overflow));
  auto [place, fresh] = slot->subscriptions.try_emplace(added.pattern, added.id);
  if (fresh) {
    ++by_namespace_.of(pattern.text());
    return added.first;
  }
  trie_.remove(std::exchange(*place, added.id), pattern);
  return false;
}

bool LocalReceivers::unsubscribe(ReceiverNumber receiver, const TopicPattern& pattern) {
  Slot* slot = slot_of(receiver);
  if (slot == nullptr) return false;
  const auto number = trie_.number_of(pattern);
  const auto* known = number ? slot->subscriptions.find(*number) : nullptr;
  if (known == nullptr) return false;
  const auto id = *known;
  slot->subscriptions.erase(*number);
  --by_namespace_.of(pattern.text());
  return trie_.remove(id, pattern);
}

// What belonged to no namespace may belong to one now.
void LocalReceivers::use(const RealtimeSettings& settings) {
  by_namespace_.reset();
  by_namespace_.use(settings);
  for (const auto& slot : slots_) {
    slot.subscriptions.for_each([&](auto, auto id) { ++by_namespace_.of(trie_.pattern_of(id).text()); });
  }
}

std::size_t LocalReceivers::more_segments_for(const TopicPattern& pattern) const {
  if (trie_.number_of(pattern)) return 0;
  return static_cast<std::size_t>(std::ranges::count(pattern.text(), '.')) + 1;
}

Receiver* LocalReceivers::receiver_of(const base::SubscriptionTrie::Match& match) const {
  auto* receiver = receivers_[match.subscriber];
  if (receiver == nullptr) throw RoutingTableCorrupted{"a subscription of a connection that has left"};
  return receiver;
}

LocalReceivers::Counted LocalReceivers::deliver(const Deliver& message, base::Instant now) {
  std::array<std::uint64_t, deliveries> counts{};
  const auto publisher = message.excluded ? message.excluded->receiver : message.publisher;
  const Subscriber own = slot_of(publisher) != nullptr ? place_of(publisher) : nobody;
  const bool has_target = message.target != nullptr;
  const bool pattern_frame = !message.frame_by_pattern.empty();
  const StreamPlace place{message.home, message.place.seq};
  // Each of the two frames is wrapped once, and only if somebody here wants it.
  FrameRef by_name, by_pattern;
  reached_ = 0;
  for (const auto& match : trie_.match(message.topic)) {
    auto* receiver = receiver_of(match);
    auto overflow = static_cast<Overflow>(match.tag);
    if (match.subscriber == own) [[unlikely]] {
      if (message.excluded) {
        receiver->left_out(message.topic.text(), message.position);
        ++reached_;
        continue;
      }
      if (overflow == Overflow::block) overflow = Overflow::drop_newest;  // nobody waits for himself
    }
    if (has_target && !receiver->has_scope(*message.target)) [[unlikely]] {
      receiver->withheld(message.topic.text(), message.position, place);
      ++reached_;
      continue;
    }
    bool pattern = pattern_frame && match.via == base::SubscriptionTrie::Via::pattern;
    auto& frame = pattern ? by_pattern : by_name;
    if (!frame) [[unlikely]] {
      frame = FrameRef::message(
          pattern ? message.frame_by_pattern : message.frame, message.topic.text(), message.position,
          // The positions of shards would not be true if one publication overtook another.
          pattern ? Priority::normal : message.priority, pattern ? Came::by_pattern : Came::by_name, place);
      frame->queued_at = now;
    }
    ++counts[static_cast<std::size_t>(receiver->deliver(frame, overflow))];
    ++reached_;
  }
  auto count_of = [&](Delivery delivery) { return counts[static_cast<std::size_t>(delivery)]; };
  const auto queued = count_of(Delivery::queued);
  return {count_of(Delivery::accepted) + queued, queued, count_of(Delivery::dropped), count_of(Delivery::spilled),
          count_of(Delivery::over)};
}

std::vector<ReceiverNumber> LocalReceivers::reached(const TopicName& topic) {
  std::vector<ReceiverNumber> numbers;
  for (const auto& match : trie_.match(topic)) {
    if (numbers.size() == reached_) break;
    numbers.push_back(number_of(slots_[match.subscriber].registration, match.subscriber));
  }
  return numbers;
}

LocalReceivers::CountedDirect LocalReceivers::deliver_direct(const DeliverDirect& message) {
  CountedDirect counted;
  auto places = places_of(message.user);
  if (places.empty()) return counted;
  auto frame = FrameRef::message(message.frame, inbox_topic(message.user), message.position);
  for (auto place : places) {
    auto& receiver = *receivers_[place];
    auto delivery = receiver.deliver(frame, Overflow::drop_oldest);
    if (delivery != Delivery::accepted && delivery != Delivery::queued) continue;
    counted.connections.push_back(receiver.connection());
    if (delivery == Delivery::queued) ++counted.queued;
  }
  return counted;
}

void LocalReceivers::missed(const Missed& range, const StreamPlace& last) {
  for (const auto& match : trie_.match(range.topic)) {
    receiver_of(match)->missed(range.topic.text(), range.epoch, range.from, range.to, static_cast<Overflow>(match.tag),
                               last);
  }
}

// In the order in which they came.
std::vector<std::uint32_t> LocalReceivers::places_of(const UserId& user) const {
  std::vector<std::uint32_t> places;
  auto next_of = [this](UserIndex::Place place) { return slots_[place].next_of_hash; };
  by_user_.for_each(hash_of(user), next_of, [&](UserIndex::Place place) {
    if (receivers_[place]->user() == user) places.push_back(place);
  });
  std::ranges::sort(places, {}, [&](std::uint32_t place) { return slots_[place].registration; });
  return places;
}

LocalReceivers::Slot* LocalReceivers::slot_of(ReceiverNumber receiver) noexcept {
  auto place = place_of(receiver);
  if (place >= slots_.size()) return nullptr;
  auto& slot = slots_[place];
  bool same = slot.receiver != nullptr && slot.registration == receiver >> place_bits;
  return same ? &slot : nullptr;
}

}  // namespace troupe::realtime
