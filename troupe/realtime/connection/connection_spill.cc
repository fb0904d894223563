// Connection: topics that found no room under `spill`, and how they are read again.
//
// Of such a topic nothing is written but what is read from its home's history, up to the
// newest message that has come: so nothing is written twice, and the topic is live again
// when both meet.
#include <algorithm>

#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/connection/connection_supervisor.h"

namespace troupe::realtime {

namespace {

constexpr std::uint32_t failures_max = 5;  // then the home is not waited for any longer, and a gap is told

}  // namespace

// Whatever its subscription says now, a message of a topic that is behind does not pass what is to be read.
Outbox::Pushed Connection::push_or_spill(const FrameRef& frame, Overflow overflow) {
  const auto& position = frame->position;
  if (auto* spilled = find_spilled(frame->topic)) {
    return stay_behind(frame->topic, *spilled, position.epoch, position.offset, position.offset);
  }
  // What comes by a pattern must not pass either, or the pattern's place would pass what is still to be read.
  if (frame->came == Came::by_pattern && is_behind()) {
    return spill(frame->topic, {position.epoch, position.offset - 1}, position.offset);
  }
  if (reaches_publishers(overflow)) return push_or_press(frame, overflow);
  auto result = open_outbox().push(frame, overflow);
  if (result != Outbox::Pushed::spilled) return result;
  return spill(frame->topic, {position.epoch, position.offset - 1}, position.offset);
}

// A reader with that many topics behind had better start again, as one with that many open gaps.
Outbox::Pushed Connection::spill(std::string_view topic, const Position& after, Offset top) {
  auto& all = make_rare().spilled;
  if (all.size() >= site_->options.outbox.spilled_max) return Outbox::Pushed::disconnect;
  all.add(topic, after, top);
  return Outbox::Pushed::spilled;
}

// The messages `from`..`to` have come, in one way or another.
Outbox::Pushed Connection::stay_behind(std::string_view topic, SpilledTopics::Topic& spilled, const Epoch& epoch,
                                       Offset from, Offset to) {
  if (epoch != spilled.after.epoch) {
    // The old epoch's history is gone with it.
    lose_spilled(topic, spilled, spilled.top, GapReason::expired);
    answer_all(rare_->spilled.take_acks(spilled, offset_max));
    rare_->spilled.begin_epoch(spilled, {epoch, from - 1});
  }
  spilled.top = to;
  return Outbox::Pushed::spilled;
}

// An ack takes the place of a message that is left out, and comes behind one that is not: so it waits with what is
// behind, and counts as an answer that waits.
void Connection::acknowledge(base::Bytes frame, std::string_view topic, const Position& position) {
  if (state_ >= State::closing) return;
  if (!is_behind() || !rare_->spilled.keep_ack(topic, position, frame)) return answer(std::move(frame));
  const auto waiting = outbox().control_load() + rare_->spilled.ack_bytes();
  if (waiting > site_->options.outbox.control_bytes_max) pushed(Outbox::Pushed::disconnect);
  update_reading();
}

void Connection::answer_all(const std::vector<SpilledTopics::Ack>& acks) {
  for (const auto& ack : acks) answer(ack.frame);
}

void Connection::left_out(std::string_view topic, const Position& position) {
  if (is_behind()) rare_->spilled.left_out(topic, position);
}

void Connection::begin_anew(const std::string& topic, const Position& place) {
  const auto* spilled = find_spilled(topic);
  if (spilled != nullptr && spilled->after != place) answer_all(rare_->spilled.erase(topic));
}

void Connection::end_topics(const std::vector<TopicPattern>& ended) {
  if (!is_behind() && rare().felt == nullptr) return;
  auto brings = [](const TopicName& topic) { return [&](const TopicPattern& one) { return one.matches(topic); }; };
  auto has_ended = [&](const TopicName& topic) {
    return std::ranges::any_of(ended, brings(topic)) && !session_.subscriptions.any_key(brings(topic));
  };
  answer_all(rare_->spilled.erase_if(has_ended));
  relieve([&](const std::string& topic, Overflow) { return has_ended(TopicName::parse(topic).value()); });
}

// One page at a time, when the last one is written: however slow the reader is, not more than that is taken from
// history for it.
void Connection::read_spilled() {
  auto& all = rare_->spilled;
  if (all.is_reading() || outbox().recovered() > 0) return;
  ++site_->figures.spill_pages;
  site_->supervisor.tell(ReadSpilled{number(), all.next(), site_->options.outbox.spill_page_messages_max});
}

void Connection::take_spilled(const SpilledTopics::Wanted& wanted, const std::optional<HistoryPage>& page) {
  auto& all = rare_->spilled;
  all.read();
  if (state_ >= State::closing) return;
  const auto& topic = wanted.topic.text();
  if (auto* spilled = all.find(wanted)) {
    if (page) {
      push_page(topic, *spilled, *page);
    } else if (++spilled->failures >= failures_max) {
      lose_spilled(topic, *spilled, spilled->top, GapReason::overflow);
    }
    if (spilled->after.offset == spilled->top) answer_all(all.erase(topic));
  }
  take_turn();
}

// What came behind the top will be delivered, or is on its way here: it is not taken from the page.
void Connection::push_page(const std::string& topic, SpilledTopics::Topic& spilled, const HistoryPage& page) {
  const auto& limits = site_->options.outbox;
  const Offset top = spilled.top;
  spilled.failures = 0;
  bool same = page.epoch == spilled.after.epoch;
  auto oldest = same && !page.items.empty() ? page.items.front().offset : top + 1;
  if (oldest > spilled.after.offset + 1) lose_spilled(topic, spilled, std::min(oldest - 1, top), GapReason::expired);
  std::vector<KeptMessage> taken;
  auto push_taken = [&] { push_recovered(topic, spilled.after.epoch, std::exchange(taken, {})); };
  std::size_t bytes = 0;
  for (const auto& item : page.items) {
    if (!same || item.offset > top) break;
    bytes += item.message.frame.size();
    const bool first = bytes == item.message.frame.size() && outbox().recovered() == 0;  // however large it is
    const bool fits = bytes <= limits.spill_page_bytes_max && outbox().has_room_to_recover(taken.size() + 1, bytes);
    if (!fits && !first) break;
    spilled.after.offset = item.offset;
    std::ranges::binary_search(spilled.left_out, item.offset) ? push_taken() : taken.push_back(item);
    auto acks = rare_->spilled.take_acks(spilled, item.offset);
    if (!acks.empty()) push_taken();
    answer_all(acks);
  }
  push_taken();
  std::erase_if(spilled.left_out, [&](Offset offset) { return offset <= spilled.after.offset; });
}

// Told where it stood, before what is read behind it. The client's own messages that it left out are not lost to it.
void Connection::lose_spilled(std::string_view topic, SpilledTopics::Topic& spilled, Offset to, GapReason reason) {
  auto& [epoch, offset] = spilled.after;
  auto lose = [&](Offset last) {
    if (last <= offset) return;
    site_->figures.spill_lost += last - offset;
    pushed(open_outbox().push_gap({topic, epoch.value(), offset + 1, last, reason}));
    offset = last;
  };
  for (Offset own : spilled.left_out) {
    if (own <= offset || own > to) continue;
    lose(own - 1);
    offset = own;
    answer_all(rare_->spilled.take_acks(spilled, own));
  }
  lose(to);
  answer_all(rare_->spilled.take_acks(spilled, to));
}

}  // namespace troupe::realtime
