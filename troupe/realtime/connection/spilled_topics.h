// SpilledTopics: topics of one connection that found no room under `spill`: of each the
// position up to which it was written, and how far it has come meanwhile.
//
// What lies between is in the topic's history and will be read from there, one page at a
// time, the topics taking turns. Messages of such a topic that come meanwhile only move its
// top. Owned by one connection. Of a connection that has
// never spilled it is a null pointer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
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

  bool empty() const noexcept { return state_ == nullptr || state_->topics.empty(); }
  std::size_t size() const noexcept { return state_ == nullptr ? 0 : state_->topics.size(); }
  bool is_reading() const noexcept { return state_ != nullptr && state_->reading; }
  /// Nothing has ever spilled.
  bool is_like_new() const noexcept { return state_ == nullptr; }

  Topic* find(std::string_view topic) {
    if (empty()) [[likely]]
      return nullptr;
    auto found = state_->topics.find(topic);
    return found == state_->topics.end() ? nullptr : &found->second;
  }
  /// The topic, if it is still the stretch that was asked for.
  Topic* find(const Wanted& wanted) {
    auto* found = find(wanted.topic.text());
    return found != nullptr && found->number == wanted.number ? found : nullptr;
  }

  /// A topic that is not there yet.
  void add(std::string_view topic, const Position& after, Offset top) {
    if (state_ == nullptr) state_ = std::make_unique<State>();
    state_->topics.emplace(topic, Topic{++state_->stretches, after, top});
  }
  /// The topic begins a new epoch behind `after`; what is left of the old one must have been told, and its acks sent.
  void begin_epoch(Topic& topic, Position after) { topic = {++state_->stretches, std::move(after), 0}; }

  /// The topic is read from behind `after`, where it stood before. What is being read of it now is not taken.
  void begin_earlier(Topic& topic, Offset after) {
    topic.number = ++state_->stretches;
    topic.after.offset = after;
  }

  /// Keeps an ack until its topic has come so far; false when it need not wait.
  bool keep_ack(std::string_view topic, const Position& position, const base::Bytes& frame) {
    auto* found = find(topic);
    if (found == nullptr || found->after.epoch != position.epoch || found->after.offset >= position.offset)
      return false;
    found->acks.push_back({position.offset, frame});
    state_->ack_bytes += frame.size();
    return true;
  }
  /// Those whose offset is not behind any more.
  std::vector<Ack> take_acks(Topic& topic, Offset until) {
    std::vector<Ack> due;
    for (auto& ack : topic.acks) {
      if (ack.offset <= until) due.push_back(ack);
    }
    std::erase_if(topic.acks, [&](const Ack& ack) { return ack.offset <= until; });
    for (const auto& ack : due) state_->ack_bytes -= ack.frame.size();
    return due;
  }
  std::size_t ack_bytes() const noexcept { return state_ == nullptr ? 0 : state_->ack_bytes; }

  void left_out(std::string_view topic, const Position& position) {
    auto* found = find(topic);
    if (found == nullptr || found->after.epoch != position.epoch || found->left_out.size() == left_out_max) return;
    found->left_out.push_back(position.offset);
  }

  /// Forgets the topics for which `unwanted` holds; gives the acks that they kept.
  template <class Unwanted>
  std::vector<Ack> erase_if(Unwanted unwanted) {
    std::vector<Ack> acks;
    if (empty()) return acks;
    auto& topics = state_->topics;
    for (auto entry = topics.begin(); entry != topics.end();) {
      if (unwanted(TopicName::parse(entry->first).value())) {
        std::ranges::move(take_acks(entry->second, offset_max), std::back_inserter(acks));
        entry = topics.erase(entry);
      } else {
        ++entry;
      }
    }
    return acks;
  }
  std::vector<Ack> erase(std::string_view topic) {
    auto* spilled = find(topic);
    if (spilled == nullptr) return {};
    auto acks = take_acks(*spilled, offset_max);
    state_->topics.erase(state_->topics.find(topic));
    return acks;
  }

  /// The topic whose turn it is; there must be one. Until read() no other is read.
  Wanted next() {
    auto turn = state_->topics.upper_bound(state_->last);
    if (turn == state_->topics.end()) turn = state_->topics.begin();
    state_->last = turn->first;
    state_->reading = true;
    return {TopicName::parse(turn->first).value(), turn->second.number, turn->second.after};
  }
  void read() noexcept { state_->reading = false; }

 private:
  struct State {
    std::map<std::string, Topic, std::less<>> topics;
    std::string last;  // the topic that was read last
    std::uint64_t stretches = 0;
    std::size_t ack_bytes = 0;
    bool reading = false;
  };

  std::unique_ptr<State> state_;  // null until the first topic spills, for stretches are never numbered anew
};

}  // namespace troupe::realtime
