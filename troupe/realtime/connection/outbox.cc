// Outbox: three queues in one order. A gap stands where its first message stood.
#include "troupe/realtime/connection/outbox.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::realtime {

namespace {

// Frames in flight cannot be dropped any more, so no more are taken than one write can use.
constexpr std::size_t batch_bytes = 256 * 1024;

}  // namespace

Outbox::Pushed Outbox::push(FrameRef message, Overflow overflow) {
  auto sequence = next_sequence_++;
  auto bytes = message->bytes.size();
  if (overflow == Overflow::latest) drop_earlier_of(*message);
  bool evicts = overflow == Overflow::drop_oldest || overflow == Overflow::latest;
  if (!fits(bytes) && !(evicts && make_room(bytes))) {
    if (overflow == Overflow::disconnect) return Pushed::disconnect;
    ++dropped_;
    add_gap({sequence, message->topic, message->position, message->position.offset, GapReason::overflow});
    return after_push(Pushed::dropped);
  }
  messages_.push_back({sequence, std::move(message), Kind::message, overflow});
  count(messages_.back(), 1);
  return after_push(Pushed::accepted);
}

Outbox::Pushed Outbox::push_control(base::Bytes frame) {
  control_.push_back({next_sequence_++, FrameRef::control(std::move(frame)), Kind::control});
  count(control_.back(), 1);
  return control_bytes_ > limits_->control_bytes_max ? Pushed::disconnect : Pushed::accepted;
}

void Outbox::push_recovered(FrameRef message) {
  messages_.push_back({next_sequence_++, std::move(message), Kind::recovered});
  count(messages_.back(), 1);
}

bool Outbox::has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept {
  return recovered_count_ + messages <= limits_->recovered_max &&
         recovered_bytes_ + bytes <= limits_->recovered_bytes_max;
}

Outbox::Pushed Outbox::push_gap(const Gap& gap) {
  add_gap({next_sequence_++, std::string{gap.topic}, {Epoch{std::string{gap.epoch}}, gap.from}, gap.to, gap.reason});
  return after_push(Pushed::accepted);
}

Outbox::Pushed Outbox::after_push(Pushed result) const noexcept {
  return gaps_.size() > limits_->gaps_max ? Pushed::disconnect : result;
}

bool Outbox::fits(std::size_t bytes) const noexcept {
  return message_count_ < limits_->messages_max && message_bytes_ + bytes <= limits_->bytes_max;
}

// Drops the oldest messages whose subscription lets it, until `bytes` more would fit.
bool Outbox::make_room(std::size_t bytes) {
  if (bytes > limits_->bytes_max) return false;  // then dropping others would be in vain
  std::size_t index = 0;
  while (!fits(bytes) && index < messages_.size()) {
    const auto& waiting = messages_[index];
    bool may = waiting.kind == Kind::message &&
               (waiting.overflow == Overflow::drop_oldest || waiting.overflow == Overflow::latest);
    if (may) {
      drop(index, GapReason::overflow);
    } else {
      ++index;
    }
  }
  return fits(bytes);
}

// Under `latest` at most one message of a topic waits.
void Outbox::drop_earlier_of(const LocalFrame& message) {
  for (std::size_t index = messages_.size(); index > 0; --index) {
    const auto& waiting = messages_[index - 1];
    if (waiting.kind != Kind::message || waiting.overflow != Overflow::latest) continue;
    if (waiting.frame->topic == message.topic) return drop(index - 1, GapReason::latest);
  }
}

void Outbox::drop(std::size_t index, GapReason reason) {
  ++dropped_;
  count(messages_[index], -1);
  const auto& frame = *messages_[index].frame;
  OpenGap gap{messages_[index].sequence, frame.topic, frame.position, frame.position.offset, reason};
  if (index == 0) {
    messages_.pop_front();
  } else {
    messages_.erase(index);
  }
  add_gap(std::move(gap));
}

// Joins a gap with one that it continues, or gives it its place in the order.
void Outbox::add_gap(OpenGap gap) {
  auto continues = [](const OpenGap& earlier, const OpenGap& later) {
    return earlier.to + 1 == later.from.offset && earlier.reason == later.reason &&
           earlier.from.epoch == later.from.epoch && earlier.topic == later.topic;
  };
  for (auto& open : gaps_) {
    if (continues(open, gap)) {
      open.to = gap.to;
      return;
    }
    if (continues(gap, open)) {
      // The joined gap stands where the earlier of the two stood; nothing of this topic lies between them.
      open.from = gap.from;
      return;
    }
  }
  std::size_t place = gaps_.size();
  while (place > 0 && gaps_[place - 1].sequence > gap.sequence) --place;
  gaps_.insert(place, std::move(gap));
}

std::size_t Outbox::gather(std::span<iovec> parts) {
  std::size_t bytes = 0;
  for (const auto& waiting : in_flight_) bytes += waiting.frame->bytes.size();
  while (in_flight_.size() < parts.size() && bytes < batch_bytes && take_next()) {
    bytes += in_flight_.back().frame->bytes.size();
  }
  std::size_t used = 0;
  std::size_t skip = first_written_;
  for (const auto& waiting : in_flight_) {
    if (used == parts.size()) break;
    auto rest = waiting.frame->bytes.view().substr(skip);
    parts[used++] = {const_cast<char*>(rest.data()), rest.size()};
    skip = 0;
  }
  return used;
}

// Moves what is next in the order into the flight; false when nothing waits.
bool Outbox::take_next() {
  constexpr Sequence none = UINT64_MAX;
  auto control = control_.empty() ? none : control_.front().sequence;
  auto message = messages_.empty() ? none : messages_.front().sequence;
  auto gap = gaps_.empty() ? none : gaps_.front().sequence;
  auto first = std::min({control, message, gap});
  if (first == none) return false;
  if (first == control) {
    in_flight_.push_back(control_.pop_front());
  } else if (first == message) {
    in_flight_.push_back(messages_.pop_front());
  } else {
    auto open = gaps_.pop_front();
    auto frame = finished(Gap{open.topic, open.from.epoch.value(), open.from.offset, open.to, open.reason});
    in_flight_.push_back({open.sequence, FrameRef::control(std::move(frame)), Kind::control});
    count(in_flight_.back(), 1);
  }
  return true;
}

void Outbox::written(std::size_t bytes) {
  first_written_ += bytes;
  while (!in_flight_.empty() && first_written_ >= in_flight_.front().frame->bytes.size()) {
    auto done = in_flight_.pop_front();
    first_written_ -= done.frame->bytes.size();
    count(done, -1);
  }
  INVARIANT(!in_flight_.empty() || first_written_ == 0, "no more is written than was gathered");
}

void Outbox::count(const Waiting& waiting, std::ptrdiff_t sign) noexcept {
  auto one = static_cast<std::size_t>(sign);
  auto bytes = waiting.frame->bytes.size() * one;  // modulo 2^64, so that a negative sign subtracts
  switch (waiting.kind) {
    case Kind::control:
      control_bytes_ += bytes;
      break;
    case Kind::message:
      message_count_ += one;
      message_bytes_ += bytes;
      break;
    case Kind::recovered:
      recovered_count_ += one;
      recovered_bytes_ += bytes;
      break;
  }
}

}  // namespace troupe::realtime
