// See held_topics.h.
#include "troupe/realtime/connection/held_topics.h"

#include <algorithm>
#include <ranges>

#include "troupe/base/check.h"

namespace troupe::realtime {
namespace {

/// What was dropped of a topic past the bound.
struct Lost {
  Epoch epoch;
  Offset from = 0;
  Offset to = 0;
  Overflow overflow = Overflow::drop_oldest;
  Came came = Came::by_name;
  StreamPlace last{};  // behind which none of them stands
};

/// A topic of which something waits, and whose position is known by now.
struct Settled {
  Position last;
  HeldTopics::Holes holes = HeldTopics::Holes::ordinary;
};

std::size_t size_of(const HeldMessage& message) { return message.frame->bytes.size(); }

bool lies_in(const auto& patterns, const std::string& topic) {
  if (std::ranges::empty(patterns)) return false;
  const auto name = TopicName::parse(topic);  // none: an inbox of an odd user
  return name && std::ranges::any_of(patterns, [&](const TopicPattern& one) { return one.matches(*name); });
}

template <class Map, class Key>
bool leave(Map& holders, const Key& key) {
  auto found = holders.find(key);
  if (found == holders.end() || --found->second > 0) return false;
  holders.erase(found);
  return true;
}

}  // namespace

struct HeldTopics::Tables {
  HeldLimits limits;
  std::map<std::string, std::size_t> names;  // how many hold each
  std::map<TopicPattern, std::size_t> patterns;
  std::vector<TopicPattern> live;

  FlatQueue<HeldMessage> line;
  std::size_t bytes = 0;
  std::map<std::string, std::size_t> waiting;  // messages in the line, by topic
  bool place_waits = false;                    // one that holds_place is in the line, or was lost from it
  std::map<std::string, Lost> lost;            // by topic
  bool overrun = false;
  std::map<std::string, Settled> settled;

  bool is_held(const std::string& topic) const {
    return names.contains(topic) || lies_in(patterns | std::views::keys, topic);
  }

  /// What waits for a name is owed by a pattern that is live. What waits for a pattern alone is recovered with it, or
  /// comes after its place: others need not wait behind it, unless a live one owes it, too.
  bool holds_place(const std::string& topic, Came came) const {
    return came == Came::by_pattern && (names.contains(topic) || lies_in(live, topic));
  }

  bool must_wait(const LocalFrame& frame) const {
    return is_held(frame.topic) || any_waits_of(frame.topic) || (frame.came == Came::by_pattern && place_waits);
  }

  void push(HeldMessage message) {
    place_waits |= holds_place(message.frame->topic, message.frame->came);
    bytes += size_of(message);
    ++waiting[message.frame->topic];
    line.push_back(std::move(message));
  }

  HeldMessage pop() {
    HeldMessage message = line.pop_front();
    bytes -= size_of(message);
    leave(waiting, message.frame->topic);
    return message;
  }

  void lose(const HeldMessage& message) {
    const auto& [epoch, offset] = message.frame->position;
    const auto to = std::max(offset, message.missed_to);
    auto known = lost.find(message.frame->topic);
    if (known != lost.end() && known->second.epoch == epoch) {
      known->second.to = to;
      known->second.last = message.frame->place;
      if (message.frame->came == Came::by_pattern) known->second.came = Came::by_pattern;
    } else if (lost.size() < limits.messages_max) {
      lost.insert_or_assign(message.frame->topic,
                            Lost{epoch, offset, to, message.overflow, message.frame->came, message.frame->place});
    } else {
      overrun = true;
    }
  }

  /// True: one of them is held by nobody any more.
  bool leave_all(const std::vector<TopicPattern>& topics) {
    bool any = false;
    for (const auto& topic : topics) any |= topic.is_name() ? leave(names, topic.text()) : leave(patterns, topic);
    live.clear();
    return any;
  }

  bool holds_any() const { return !names.empty() || !patterns.empty(); }
  bool any_waits_of(const std::string& topic) const { return waiting.contains(topic) || lost.contains(topic); }

  /// What has been let go since may be further than `last`.
  void settle(const TopicPositions& last) {
    for (const auto& [topic, position] : last) {
      if (!any_waits_of(topic)) continue;
      Position& known = settled[topic].last;
      if (known.epoch != position.epoch || known.offset < position.offset) known = position;
    }
  }

  /// Adds to `out` what the client has not yet.
  void emit(HeldMessage message, Released& out) {
    const auto& topic = message.frame->topic;
    auto& known = settled[topic];
    const auto [epoch, offset] = message.frame->position;
    const auto to = std::max(offset, message.missed_to);
    auto from = offset;
    if (epoch == known.last.epoch) {
      if (to <= known.last.offset) return;
      const Offset next = known.last.offset + 1;
      from = std::max(from, next);
      if (known.holes == Holes::told && from > next) {
        out.messages.push_back({FrameRef::message({}, topic, {epoch, next}), message.overflow, from - 1});
      }
    }
    known.last = {epoch, to};
    if (from != offset)
      message.frame =
          FrameRef::message({}, topic, {epoch, from}, Priority::normal, Came::by_name, message.frame->place);
    out.messages.push_back(std::move(message));
  }
};

HeldTopics::HeldTopics() = default;
HeldTopics::~HeldTopics() = default;

HeldTopics::Tables& HeldTopics::tables(HeldLimits limits) {
  if (tables_ == nullptr) tables_ = std::make_unique<Tables>(limits);
  return *tables_;
}

void HeldTopics::hold(const std::string& name, HeldLimits limits) { ++tables(limits).names[name]; }

void HeldTopics::hold(const std::vector<TopicPattern>& topics, std::vector<TopicPattern> live, HeldLimits limits) {
  if (topics.empty()) return;
  Tables& all = tables(limits);
  for (const auto& topic : topics) ++(topic.is_name() ? all.names[topic.text()] : all.patterns[topic]);
  all.live = std::move(live);
}

std::optional<Position> HeldTopics::first_of(const std::string& topic) const {
  if (tables_ == nullptr || !tables_->any_waits_of(topic)) return std::nullopt;
  if (const auto range = tables_->lost.find(topic); range != tables_->lost.end())
    return Position{range->second.epoch, range->second.from};
  const auto first =
      std::ranges::find_if(tables_->line, [&](const HeldMessage& message) { return message.frame->topic == topic; });
  INVARIANT(first != tables_->line.end(), "what is counted as waiting waits");
  return first->frame->position;
}

bool HeldTopics::take(const FrameRef& frame, Overflow overflow, Offset missed_to) {
  if (tables_ == nullptr || !tables_->must_wait(*frame)) return false;
  tables_->push({frame, overflow, missed_to});
  const auto& limits = tables_->limits;
  while (tables_->line.size() > limits.messages_max ||
         (tables_->bytes > limits.bytes_max && tables_->line.size() > 1)) {
    tables_->lose(tables_->pop());
  }
  return true;
}

HeldTopics::Released HeldTopics::release(const std::string& name, const TopicPositions& last, Holes holes) {
  if (tables_ == nullptr || !leave(tables_->names, name)) return {};
  if (tables_->any_waits_of(name)) {
    tables_->settle(last);
    tables_->settled[name].holes = holes;
  } else if (tables_->holds_any()) {
    return {};  // nobody waits behind it
  }
  return let_go();
}

HeldTopics::Released HeldTopics::release(const std::vector<TopicPattern>& topics, const TopicPositions& last) {
  if (tables_ == nullptr || !tables_->leave_all(topics)) return {};
  tables_->settle(last);
  for (const auto& topic : topics) {
    if (topic.is_name() && tables_->any_waits_of(topic.text())) tables_->settled[topic.text()].holes = Holes::told;
  }
  return let_go();
}

bool HeldTopics::is_overrun() const noexcept { return tables_ != nullptr && tables_->overrun; }

HeldTopics::Released HeldTopics::discard(const std::vector<TopicPattern>& topics) {
  if (tables_ == nullptr || !tables_->leave_all(topics)) return {};
  const auto waited_for_them = [&](const std::string& topic) {
    return lies_in(topics, topic) && !tables_->is_held(topic);
  };
  std::erase_if(tables_->lost, [&](const auto& entry) { return waited_for_them(entry.first); });
  for (std::size_t left = tables_->line.size(); left > 0; --left) {
    HeldMessage message = tables_->pop();
    if (!waited_for_them(message.frame->topic)) tables_->push(std::move(message));
  }
  auto out = let_go();
  out.overrun = false;  // what was lost was of these, too
  return out;
}

HeldTopics::Released HeldTopics::let_go() {
  Tables& tables = *tables_;
  Released out{.overrun = std::exchange(tables.overrun, false), .messages = {}};
  std::set<std::string> kept;
  tables.place_waits = false;
  for (auto one = tables.lost.begin(); one != tables.lost.end();) {
    const auto& [topic, range] = *one;
    if (tables.is_held(topic)) {
      tables.place_waits |= tables.holds_place(topic, range.came);
      kept.insert(topic);
      ++one;
    } else {
      auto nothing =
          FrameRef::message({}, topic, {range.epoch, range.from}, Priority::normal, Came::by_name, range.last);
      tables.emit({std::move(nothing), range.overflow, range.to}, out);
      one = tables.lost.erase(one);
    }
  }
  for (std::size_t left = tables.line.size(); left > 0; --left) {
    HeldMessage message = tables.pop();
    const auto& [topic, came] = std::pair{message.frame->topic, message.frame->came};
    if (tables.is_held(topic) || kept.contains(topic) || (came == Came::by_pattern && tables.place_waits)) {
      kept.insert(topic);
      tables.push(std::move(message));
    } else {
      tables.emit(std::move(message), out);
    }
  }
  // Of the others the next message goes out at once, and nobody notes how far they are.
  std::erase_if(tables.settled, [&](const auto& entry) { return !tables.waiting.contains(entry.first); });
  if (!tables.holds_any()) tables_.reset();
  return out;
}

}  // namespace troupe::realtime
