// LocalReceivers: slots that know their registration, so that a number of one that has left finds nobody.
#include "troupe/realtime/topic/local_receivers.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::realtime {

ReceiverNumber LocalReceivers::add(Register registration) {
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
  slot.receiver = std::move(registration.receiver);
  receivers_[place] = slot.receiver.get();
  slot.connection = std::move(registration.connection);
  slot.user = std::move(registration.user);
  by_user_[slot.user].push_back(place);
  return number_of(slot.registration, place);
}

LocalReceivers::Left LocalReceivers::remove(ReceiverNumber receiver) {
  Left left;
  Slot* slot = slot_of(receiver);
  if (slot == nullptr) return left;
  for (const auto& [pattern, id] : slot->subscriptions) {
    --by_namespace_.of(pattern.text());
    if (trie_.remove(id, pattern)) left.patterns.push_back(pattern);
  }
  auto place = place_of(receiver);
  auto& others = by_user_[slot->user];
  std::erase(others, place);
  if (others.empty()) {
    by_user_.erase(slot->user);
    left.user = slot->user;
  }
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

std::vector<std::pair<ReceiverNumber, std::shared_ptr<Receiver>>> LocalReceivers::take_receivers() {
  std::vector<std::pair<ReceiverNumber, std::shared_ptr<Receiver>>> all;
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
  auto [place, fresh] = slot->subscriptions.try_emplace(pattern, added.id);
  if (fresh) {
    ++by_namespace_.of(pattern.text());
    return added.first;
  }
  trie_.remove(std::exchange(place->second, added.id), pattern);
  return false;
}

bool LocalReceivers::unsubscribe(ReceiverNumber receiver, const TopicPattern& pattern) {
  Slot* slot = slot_of(receiver);
  if (slot == nullptr) return false;
  auto place = slot->subscriptions.find(pattern);
  if (place == slot->subscriptions.end()) return false;
  auto id = place->second;
  slot->subscriptions.erase(place);
  --by_namespace_.of(pattern.text());
  return trie_.remove(id, pattern);
}

// What belonged to no namespace may belong to one now.
void LocalReceivers::use(const RealtimeSettings& settings) {
  by_namespace_.reset();
  by_namespace_.use(settings);
  for (const auto& slot : slots_) {
    for (const auto& [pattern, id] : slot.subscriptions) ++by_namespace_.of(pattern.text());
  }
}

LocalReceivers::Counted LocalReceivers::deliver(const Deliver& message, base::Instant now) {
  Counted counted;
  Slot* publisher = slot_of(message.excluded ? message.excluded->receiver : message.publisher);
  bool pattern_frame = !message.frame_by_pattern.empty();
  // Each of the two frames is wrapped once, and only if somebody here wants it.
  FrameRef by_name, by_pattern;
  reached_ = 0;
  for (const auto& match : trie_.match(message.topic)) {
    auto* receiver = receivers_[match.subscriber];
    if (receiver == nullptr) throw RoutingTableCorrupted{"a subscription of a connection that has left"};
    auto overflow = static_cast<Overflow>(match.tag);
    if (publisher == &slots_[match.subscriber]) [[unlikely]] {
      if (message.excluded) {
        receiver->left_out(message.topic.text(), message.position);
        ++reached_;
        continue;
      }
      if (overflow == Overflow::block) overflow = Overflow::drop_newest;  // nobody waits for himself
    }
    if (message.target && !receiver->has_scope(*message.target)) [[unlikely]] {
      receiver->withheld(message.topic.text(), message.position);
      ++reached_;
      continue;
    }
    bool pattern = pattern_frame && match.via == base::SubscriptionTrie::Via::pattern;
    auto& frame = pattern ? by_pattern : by_name;
    if (!frame) {
      frame =
          FrameRef::message(pattern ? message.frame_by_pattern : message.frame, message.topic.text(), message.position,
                            // The positions of shards would not be true if one publication overtook another.
                            pattern ? Priority::normal : message.priority, pattern ? Came::by_pattern : Came::by_name);
      frame->queued_at = now;
    }
    switch (receiver->deliver(frame, overflow)) {
      case Delivery::accepted:
        ++counted.accepted;
        break;
      case Delivery::queued:
        ++counted.accepted, ++counted.queued;
        break;
      case Delivery::dropped:
        ++counted.dropped;
        break;
      case Delivery::spilled:
        ++counted.spilled;
        break;
      case Delivery::over:
        ++counted.over;
        break;
    }
    ++reached_;
  }
  return counted;
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
  auto found = by_user_.find(message.user);
  if (found == by_user_.end()) return counted;
  auto frame = FrameRef::message(message.frame, inbox_topic(message.user), message.position);
  for (auto place : found->second) {
    auto& slot = slots_[place];
    auto delivery = slot.receiver->deliver(frame, Overflow::drop_oldest);
    if (delivery != Delivery::accepted && delivery != Delivery::queued) continue;
    counted.connections.push_back(slot.connection);
    if (delivery == Delivery::queued) ++counted.queued;
  }
  return counted;
}

void LocalReceivers::missed(const Missed& range) {
  for (const auto& match : trie_.match(range.topic)) {
    slots_[match.subscriber].receiver->missed(range.topic.text(), range.epoch, range.from, range.to,
                                              static_cast<Overflow>(match.tag));
  }
}

LocalReceivers::Slot* LocalReceivers::slot_of(ReceiverNumber receiver) noexcept {
  auto place = place_of(receiver);
  if (place >= slots_.size()) return nullptr;
  auto& slot = slots_[place];
  bool same = slot.receiver != nullptr && slot.registration == receiver >> place_bits;
  return same ? &slot : nullptr;
}

}  // namespace troupe::realtime
