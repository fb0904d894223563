// Outbox: one queue in the order in which it leaves. A gap stands where its first message stood.
#include "troupe/realtime/connection/outbox.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/realtime/connection/connection_figures.h"
#include "troupe/realtime/connection/frame_coding.h"
#include "troupe/realtime/connection/joined_frames.h"

namespace troupe::realtime {

namespace {

constexpr std::size_t batch_bytes = 256 * 1024;         // more than a socket takes at once
constexpr std::size_t recovered_bytes_min = 64 * 1024;  // of one connection, whatever others recover
constexpr std::size_t gone_min = 32;                    // places of what is gone that are not worth tidying up
constexpr std::size_t large_part = 4;                   // of the limit of answers: for no more does one of them count

}  // namespace

Outbox::~Outbox() {
  if (figures_ != nullptr) figures_->recovered_bytes -= rare().recovered.bytes;
}

// ---- what comes ----

// When there may be no room, or another message may have to go.
Outbox::Pushed Outbox::push_with_care(FrameRef message, Overflow overflow) {
  if (overflow == Overflow::latest) drop_earlier_of(*message);
  bool evicts = overflow == Overflow::drop_oldest || overflow == Overflow::latest;
  auto bytes = message->bytes.size();
  if (!fits(bytes) && !(evicts && make_room(bytes, message->priority))) {
    if (overflow == Overflow::disconnect) return Pushed::disconnect;
    if (overflow == Overflow::spill) return Pushed::spilled;
    if (overflow == Overflow::block && fits_over(bytes)) {
      enqueue(std::move(message), overflow, Kind::over);
      return after_push(Pushed::over);
    }
    count_dropped(overflow, message->topic);
    add_gap({make_rare().next_gap++, message->topic, message->position, message->position.offset, GapReason::overflow},
            nullptr);
    return after_push(Pushed::dropped);
  }
  enqueue(std::move(message), overflow, Kind::message);
  return after_push(Pushed::accepted);
}

void Outbox::enqueue(FrameRef message, Overflow overflow, Kind kind) {
  auto place = queue_.size();
  if (unequal_ > 0 || message->priority != Priority::normal) {
    std::size_t first = first_written_ > 0 ? 1 : 0;
    while (place > first && may_overtake(*message, queue_[place - 1])) --place;
  }
  kept_ = static_cast<std::uint32_t>(std::min<std::size_t>(kept_, place));
  auto priority = message->priority;
  queue_.insert(place, {std::move(message), kind, overflow, false, priority});
  count(queue_[place], 1);
}

// Answers are overtaken by nothing: a confirmation comes before what it confirms, an ack after its own message.
bool Outbox::may_overtake(const LocalFrame& message, const Waiting& other) const noexcept {
  if (other.sealed) return false;
  switch (other.kind) {
    case Kind::control:
    case Kind::divider:
      return false;
    case Kind::message:
    case Kind::over:
      return other.priority < message.priority && other.frame->topic != message.topic;
    case Kind::recovered:
      return message.priority == Priority::high && other.frame->topic != message.topic;
    case Kind::gap:
      return std::ranges::find(rare().gaps, other.number, &OpenGap::number)->topic != message.topic;
    case Kind::gone:
      return true;
  }
  return false;
}

Outbox::Pushed Outbox::push_answer(base::Bytes frame, Kind kind) {
  bool overrun = control_load() > limits_->control_bytes_max;
  queue_.push_back({FrameRef::control(std::move(frame)), kind});
  count(queue_.back(), 1);
  return overrun ? Pushed::overrun : Pushed::accepted;
}

void Outbox::push_recovered(FrameRef message) {
  queue_.push_back({std::move(message), Kind::recovered});
  count(queue_.back(), 1);
}

bool Outbox::has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept {
  const auto& waiting = rare().recovered;
  const bool all_have_room =
      figures_ == nullptr || figures_->recovered_bytes + bytes <= limits_->recovered_bytes_of_all_max;
  return waiting.messages + messages <= limits_->recovered_max &&
         waiting.bytes + bytes <= limits_->recovered_bytes_max &&
         (all_have_room || waiting.bytes + bytes <= recovered_bytes_min);
}

Outbox::Pushed Outbox::push_gap(const Gap& gap) {
  add_gap(
      {make_rare().next_gap++, std::string{gap.topic}, {Epoch{std::string{gap.epoch}}, gap.from}, gap.to, gap.reason},
      nullptr);
  return after_push(Pushed::accepted);
}

// ---- what waits over the limits ----

// As much as within them; one alone may be larger, as it is written when its turn comes.
bool Outbox::fits_over(std::size_t bytes) const noexcept {
  const auto& over = rare().over;
  return over.messages == 0 || (over.messages < limits_->messages_max && over.bytes + bytes <= limits_->bytes_max);
}

void Outbox::admit(std::vector<FrameRef>& settled) {
  if (rare_ == nullptr) return;
  std::ranges::move(std::exchange(rare_->settled, {}), std::back_inserter(settled));
  for (std::size_t index = 0; index < queue_.size() && rare_->over.messages > 0; ++index) {
    auto& waiting = queue_[index];
    if (waiting.kind != Kind::over) continue;
    if (!fits(waiting.frame->bytes.size())) return;
    settled.push_back(waiting.frame);
    take_in(waiting);
  }
}

void Outbox::take_in(Waiting& over) {
  count(over, -1);
  over.kind = Kind::message;
  count(over, 1);
}

bool Outbox::give_up(const FrameRef& message) {
  for (std::size_t index = first_written_ > 0 ? 1 : 0; index < queue_.size(); ++index) {
    const auto& waiting = queue_[index];
    if (waiting.kind != Kind::over || &*waiting.frame != &*message) continue;
    drop(index, GapReason::overflow);
    forget_gone();
    return true;
  }
  return false;
}

// ---- what goes, because there is no room ----

bool Outbox::may_drop(std::size_t index) const noexcept {
  const auto& waiting = queue_[index];
  return waiting.kind == Kind::message && !waiting.sealed && !(index == 0 && first_written_ > 0) &&
         (waiting.overflow == Overflow::drop_oldest || waiting.overflow == Overflow::latest);
}

// Drops the oldest messages whose subscription lets it, until `bytes` more would fit; those of the least priority
// first, and none of a higher one than `priority`.
bool Outbox::make_room(std::size_t bytes, Priority priority) {
  if (bytes > limits_->bytes_max) return false;  // then dropping others would be in vain
  if (unequal_ == 0 && priority >= Priority::normal) {
    while (!fits(bytes) && kept_ < queue_.size()) may_drop(kept_) ? drop(kept_, GapReason::overflow) : void(++kept_);
  } else {
    for (auto level : {Priority::low, Priority::normal, Priority::high}) {
      if (level <= priority) drop_oldest_until_fits(bytes, level);
    }
  }
  forget_gone();
  return fits(bytes);
}

void Outbox::drop_oldest_until_fits(std::size_t bytes, Priority priority) {
  for (std::size_t index = 0; index < queue_.size() && !fits(bytes); ++index) {
    if (may_drop(index) && queue_[index].priority == priority) drop(index, GapReason::overflow);
  }
}

// Under `latest` at most one message of a topic waits.
void Outbox::drop_earlier_of(const LocalFrame& message) {
  for (std::size_t index = queue_.size(); index > 0; --index) {
    const auto& waiting = queue_[index - 1];
    if (waiting.kind != Kind::message || waiting.overflow != Overflow::latest) continue;
    if (waiting.frame->topic != message.topic) continue;
    if (may_drop(index - 1)) drop(index - 1, GapReason::latest);
    return forget_gone();
  }
}

void Outbox::drop(std::size_t index, GapReason reason) {
  auto& waiting = queue_[index];
  count_dropped(waiting.overflow, waiting.frame->topic);
  count(waiting, -1);
  auto frame = std::exchange(waiting.frame, {});
  waiting.kind = Kind::gone;
  ++make_rare().gone;
  add_gap({rare_->next_gap++, frame->topic, frame->position, frame->position.offset, reason}, &waiting);
}

void Outbox::count_dropped(Overflow overflow, std::string_view topic) {
  ++make_rare().dropped;
  if (figures_ != nullptr) ++figures_->dropped_by(overflow, topic);
}

// Joins a gap with one that it continues, or opens it: at `place`, where something is gone, or behind everything.
void Outbox::add_gap(OpenGap gap, Waiting* place) {
  auto continues = [](const OpenGap& earlier, const OpenGap& later) {
    return earlier.to + 1 == later.from.offset && earlier.reason == later.reason &&
           earlier.from.epoch == later.from.epoch && earlier.topic == later.topic;
  };
  auto stand_at_place = [&](std::uint32_t number) {
    place->kind = Kind::gap;
    place->number = number;
    --rare_->gone;
  };
  auto& gaps = make_rare().gaps;
  for (auto& open : gaps) {
    const bool goes_on = continues(open, gap);
    if ((!goes_on && !continues(gap, open)) || is_divided(open, place)) continue;
    if (goes_on) {
      open.to = gap.to;
      return;
    }
    // The joined gap stands where the earlier of the two stood; nothing of this topic lies between them.
    open.from = gap.from;
    if (place == nullptr) return;
    place_of(open)->kind = Kind::gone;
    ++rare_->gone;
    return stand_at_place(open.number);
  }
  if (place != nullptr) {
    stand_at_place(gap.number);
  } else {
    queue_.push_back({.frame = {}, .kind = Kind::gap, .number = gap.number});
  }
  gaps.push_back(std::move(gap));
}

// Whether a frame that says where topics go on stands between an open gap and `place`, or the end: the client must hear
// of each part on its own side, or it knows nothing of the later one when it goes on behind that frame.
bool Outbox::is_divided(const OpenGap& gap, const Waiting* place) noexcept {
  if (dividers_ == 0) return false;
  const Waiting* first = place_of(gap);
  const Waiting* last = place == nullptr ? queue_.end() : place;
  if (last < first) std::swap(first, last);
  return std::any_of(first, last, [](const Waiting& waiting) { return waiting.kind == Kind::divider; });
}

Outbox::Waiting* Outbox::place_of(const OpenGap& gap) noexcept {
  auto found = std::ranges::find_if(
      queue_, [&](const Waiting& waiting) { return waiting.kind == Kind::gap && waiting.number == gap.number; });
  INVARIANT(found != queue_.end(), "an open gap has a place");
  return &*found;
}

// Nothing that is gone stands first, and not much of it elsewhere.
void Outbox::forget_gone() {
  if (rare().gone == 0) return;
  auto& gone = rare_->gone;
  if (gone >= gone_min && gone * 2 >= queue_.size()) {
    queue_.erase_if([](const Waiting& waiting) { return waiting.kind == Kind::gone; });
    gone = 0;
    kept_ = 0;
  }
  while (!queue_.empty() && queue_.front().kind == Kind::gone) {
    queue_.drop_front();
    --gone;
    if (kept_ > 0) --kept_;
  }
}

// ---- what leaves ----

std::size_t Outbox::gather(std::span<iovec> parts, JoinedFrames* joined) {
  if (joined != nullptr && queue_.size() >= JoinedFrames::frames_min && is_shared()) {
    const auto piece = joined->of(std::span<const Waiting>{queue_});
    if (!piece.empty()) {
      parts[0] = {const_cast<char*>(piece.data()), piece.size()};
      return 1;
    }
  }
  std::size_t used = 0;
  std::size_t bytes = 0;
  std::size_t skip = first_written_;
  for (auto& waiting : queue_) {
    if (used == parts.size() || bytes >= batch_bytes) break;
    if (waiting.kind >= Kind::gap) [[unlikely]] {
      if (waiting.kind == Kind::gone) continue;
      tell(waiting);
    }
    if (coding_ != nullptr && !waiting.sealed) [[unlikely]]
      seal(waiting);
    const auto& frame = waiting.frame->bytes;
    parts[used++] = {const_cast<char*>(frame.data()) + skip, frame.size() - skip};
    bytes += frame.size() - skip;
    skip = 0;
  }
  return used;
}

base::Instant Outbox::first_queued_at() const noexcept {
  const bool message = !queue_.empty() && queue_.front().kind == Kind::message;
  return message ? queue_.front().frame->queued_at : base::Instant::never();
}

// From now on it is a frame like others, and is not continued any more.
void Outbox::tell(Waiting& gap) {
  auto& gaps = make_rare().gaps;
  auto open = std::ranges::find(gaps, gap.number, &OpenGap::number);
  INVARIANT(open != gaps.end(), "the place of a gap is that of an open gap");
  Gap told{open->topic, open->from.epoch.value(), open->from.offset, open->to, open->reason};
  if (figures_ != nullptr) ++figures_->told(open->reason);
  gap.frame = FrameRef::message(finished(told), open->topic, {open->from.epoch, open->to});
  gap.kind = Kind::control;
  gaps.erase(open);
  count(gap, 1);
}

// With contexts that are kept, what has been compressed must leave, and in this order; and so must an event, whose id
// says what left before it.
void Outbox::seal(Waiting& waiting) {
  if (waiting.kind == Kind::over) {
    make_rare().settled.push_back(waiting.frame);
    take_in(waiting);
  }
  waiting.number = static_cast<std::uint32_t>(waiting.frame->bytes.size());
  waiting.frame = coding_->outgoing(std::move(waiting.frame));
  waiting.sealed = true;
}

// What nearly every write is.
void Outbox::written_all() {
  queue_.clear();
  message_bytes_ = control_bytes_ = first_written_ = 0;
  message_count_ = unequal_ = kept_ = dividers_ = 0;
}

void Outbox::written_in_part(std::size_t bytes) {
  first_written_ += bytes;
  while (!queue_.empty()) {
    auto& front = queue_.front();
    if (front.kind == Kind::gap) break;
    if (front.kind == Kind::gone) {
      --rare_->gone;
    } else {
      auto size = front.frame->bytes.size();
      if (first_written_ < size) break;
      first_written_ -= size;
      count(front, -1);
      if (front.kind == Kind::over) make_rare().settled.push_back(front.frame);
    }
    if (kept_ > 0) --kept_;
    queue_.drop_front();
  }
  INVARIANT(!queue_.empty() || first_written_ == 0, "no more is written than was gathered");
}

void Outbox::count(const Waiting& waiting, std::ptrdiff_t sign) {
  // Modulo 2^64, and 2^32, so that a negative sign subtracts.
  const auto one = static_cast<std::size_t>(sign);
  const auto size = waiting.sealed ? waiting.number : waiting.frame->bytes.size();
  const auto bytes = size * one;
  auto add_to = [&](Sum& sum) {
    sum.messages += one;
    sum.bytes += bytes;
  };
  const bool has_priority = waiting.kind == Kind::message || waiting.kind == Kind::over;
  if (has_priority && waiting.priority != Priority::normal) unequal_ += static_cast<std::uint32_t>(one);
  switch (waiting.kind) {
    case Kind::divider:
      dividers_ += static_cast<std::uint32_t>(one);
      [[fallthrough]];
    case Kind::control:
      control_bytes_ += bytes;
      if (const auto most = limits_->control_bytes_max / large_part; size > most) {
        make_rare().excess += (size - most) * one;
      }
      break;
    case Kind::message:
      message_count_ += static_cast<std::uint32_t>(one);
      message_bytes_ += bytes;
      break;
    case Kind::over:
      add_to(make_rare().over);
      break;
    case Kind::recovered:
      add_to(make_rare().recovered);
      if (figures_ != nullptr) figures_->recovered_bytes += bytes;
      break;
    case Kind::gap:
    case Kind::gone:
      INVARIANT(false, "only frames are counted");
  }
}

}  // namespace troupe::realtime
