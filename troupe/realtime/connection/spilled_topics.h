// SpilledTopics: topics of one connection that found no room under `spill`: of each the
// position up to which it was written, and how far it has come meanwhile.
//
// What lies between is in the topic's history and will be read from there, one page at a
// time, the topics taking turns. Messages of such a topic that come meanwhile only move its
// top. Owned by one connection. Most of the time nothing is spilled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/bytes.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

class SpilledTopics {
 public:
  /// The ack of a publication of the client's own whose copy is behind, and which must come behind it.
  struct Ack {
    Offset offset;
    base::Bytes frame;
  };
  struct Topic {
    std::uint64_t number;            // of this stretch; another epoch, or another spilling, has another one
    Position after;                  // all up to here was written, told or left out
    Offset top;                      // the newest message that has come; behind `after`
    std::vector<Offset> left_out{};  // the client's own among what is to be read, which it does not want back; rising
    std::vector<Ack> acks{};
    std::uint32_t failures = 0;  // times that history could not be read, one after the other
  };
  /// What is to be read next.
  struct Wanted {
    TopicName topic;
    std::uint64_t number;
    Position after;
  };

  /// Of more own messages than this, the client gets the later ones back.
  static constexpr std::size_t left_out_max = 256;

  bool empty() const noexcept { return topics_.empty(); }
  std::size_t size() const noexcept { return topics_.size(); }
  bool is_reading() const noexcept { return reading_; }

  Topic* find(std::string_view topic) {
    if (topics_.empty()) [[likely]]
      return nullptr;
    auto found = topics_.find(topic);
    return found == topics_.end() ? nullptr : &found->second;
  }
  /// The topic, if it is still the stretch that was asked for.
  Topic* find(const Wanted& wanted) {
    auto* found = find(wanted.topic.text());
    return found != nullptr && found->number == wanted.number ? found : nullptr;
  }

  /// A topic that is not there yet.
  void add(std::string_view topic, const Position& after, Offset top) {
    topics_.emplace(topic, Topic{++stretches_, after, top});
  }
  /// The topic begins a new epoch behind `after`; what is left of the old one must have been told, and its acks sent.
  void begin_epoch(Topic& topic, Position after) { topic = {++stretches_, std::move(after), 0}; }

  /// Keeps an ack until its topic has come so far; false when it need not wait. An epoch is that of one topic alone.
  bool keep_ack(const Position& position, const base::Bytes& frame) {
    for (auto& [name, topic] : topics_) {
      if (topic.after.epoch != position.epoch || topic.after.offset >= position.offset) continue;
      topic.acks.push_back({position.offset, frame});
      ack_bytes_ += frame.size();
      return true;
    }
    return false;
  }
  /// Those whose offset is not behind any more.
  std::vector<Ack> take_acks(Topic& topic, Offset until) {
    std::vector<Ack> due;
    for (auto& ack : topic.acks) {
      if (ack.offset <= until) due.push_back(ack);
    }
    std::erase_if(topic.acks, [&](const Ack& ack) { return ack.offset <= until; });
    for (const auto& ack : due) ack_bytes_ -= ack.frame.size();
    return due;
  }
  std::size_t ack_bytes() const noexcept { return ack_bytes_; }

  void left_out(std::string_view topic, const Position& position) {
    auto* found = find(topic);
    if (found == nullptr || found->after.epoch != position.epoch || found->left_out.size() == left_out_max) return;
    found->left_out.push_back(position.offset);
  }

  /// Forgets the topics for which `unwanted` holds; gives the acks that they kept.
  template <class Unwanted>
  std::vector<Ack> erase_if(Unwanted unwanted) {
    std::vector<Ack> acks;
    for (auto entry = topics_.begin(); entry != topics_.end();) {
      if (unwanted(TopicName::parse(entry->first).value())) {
        std::ranges::move(take_acks(entry->second, offset_max), std::back_inserter(acks));
        entry = topics_.erase(entry);
      } else {
        ++entry;
      }
    }
    return acks;
  }
  std::vector<Ack> erase(std::string_view topic) {
    auto found = topics_.find(topic);
    if (found == topics_.end()) return {};
    auto acks = take_acks(found->second, offset_max);
    topics_.erase(found);
    return acks;
  }

  /// The topic whose turn it is; there must be one. Until read() no other is read.
  Wanted next() {
    auto turn = topics_.upper_bound(last_);
    if (turn == topics_.end()) turn = topics_.begin();
    last_ = turn->first;
    reading_ = true;
    return {TopicName::parse(turn->first).value(), turn->second.number, turn->second.after};
  }
  void read() noexcept { reading_ = false; }

 private:
  std::map<std::string, Topic, std::less<>> topics_;
  std::string last_;  // the topic that was read last
  std::uint64_t stretches_ = 0;
  std::size_t ack_bytes_ = 0;
  bool reading_ = false;
};

}  // namespace troupe::realtime
