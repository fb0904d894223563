// See trace.h.
#include "troupe/actor/sim/trace.h"

#include <fmt/format.h>

namespace troupe::actor::test {
namespace {

void mix(std::uint64_t& hash, std::uint64_t value) noexcept {
  hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 32;
}

/// FNV-1a over the text, not over where it stands: addresses differ from run to run.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string time_text(Instant at) {
  return fmt::format("{}.{:06}s", at.nanoseconds / 1'000'000'000, at.nanoseconds / 1000 % 1'000'000);
}

std::string outcome_text(const TraceStep& step) {
  switch (step.outcome) {
    case StepOutcome::open:
      return "under way";
    case StepOutcome::handled:
      return "handled";
    case StepOutcome::waits:
      return "waits";
    case StepOutcome::went_on:
      return "waits again";
    case StepOutcome::threw:
      return "THREW";
    case StepOutcome::ended:
      return "handled; the actor has ended";
    case StepOutcome::dropped:
      return fmt::format("DROPPED: {}", actor::name_of(step.reason));
  }
  return {};
}

std::string message_text(const TraceStep& step) {
  switch (step.kind) {
    case StepKind::message:
      break;
    case StepKind::control:
      return fmt::format("[{}]", step.what);
    case StepKind::resumption:
      return fmt::format("... {} goes on", step.what);
    case StepKind::callback:
      return fmt::format("({})", step.what);
  }
  return std::string{step.what};
}

std::string shortened(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 2) + "..";
  return text;
}

}  // namespace

Trace::Trace(std::size_t kept) : kept_(kept) {
  if (kept_ != all) steps_.resize(std::max<std::size_t>(kept_, 1));
}

std::size_t Trace::add(const TraceStep& step) {
  if (kept_ == all) {
    steps_.push_back(step);
  } else {
    steps_[next_ % steps_.size()] = step;
  }
  return next_++;
}

TraceStep* Trace::find(std::size_t number) noexcept {
  return number >= first_kept() ? &steps_[number % steps_.size()] : nullptr;
}

void Trace::seal(std::size_t number) noexcept {
  const TraceStep* step = find(number);
  if (step == nullptr) return;  // so many steps were nested in it that it is not kept
  for (const std::uint64_t value :
       {static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(step->at.nanoseconds), step->from.value,
        step->to.value, hash_of(step->what), static_cast<std::uint64_t>(step->core),
        static_cast<std::uint64_t>(step->kind) << 16 | static_cast<std::uint64_t>(step->outcome) << 8 |
            static_cast<std::uint64_t>(step->reason)}) {
    mix(fingerprint_, value);
  }
}

void Trace::name(const Cell& cell) {
  if (cell.type == nullptr) return;
  const ActorId id = id_of(cell);
  if (names_.contains(id)) return;
  const bool named = cell.extras && !cell.extras->name.empty();
  names_.emplace(id, named ? cell.extras->name : fmt::format("{}#{}", cell.type->name, id.value >> 32 & 0x7fffff));
}

void Trace::note(Instant at, std::string_view text) {
  if (notes_.size() == notes_max) notes_.erase(notes_.begin());
  notes_.push_back({next_, at, std::string{text}});
}

std::string Trace::name_of(ActorId id) const {
  if (id == ActorId{}) return "-";
  const auto found = names_.find(id);
  return found != names_.end() ? found->second : fmt::format("{}.{}", id.value >> 56, id.value >> 32 & 0xffffff);
}

std::string Trace::line(std::size_t number) const {
  const TraceStep& step = at(number);
  return fmt::format("{:>7} {:>13} {:>4}  {:<22} -> {:<22} {:<28} {}\n", number, time_text(step.at), step.core,
                     shortened(name_of(step.from), 22), shortened(name_of(step.to), 22),
                     shortened(message_text(step), 28), outcome_text(step));
}

std::string Trace::chart(std::size_t steps_max) const {
  std::string text = fmt::format("{:>7} {:>13} {:>4}  {:<22} -> {:<22} {:<28} {}\n", "step", "time", "core", "from",
                                 "to", "message", "outcome");
  const std::size_t end = marked_.value_or(next_);
  const std::size_t first = std::min(end, std::max(first_kept(), end - std::min(end, steps_max)));
  auto note = std::ranges::lower_bound(notes_, first, {}, &Note::before);
  for (std::size_t i = first; i <= end; ++i) {
    for (; note != notes_.end() && note->before <= i; ++note) {
      text += fmt::format("{:>7} {:>13}       {}\n", "*", time_text(note->at), note->text);
    }
    if (i < end) text += line(i);
  }
  return text;
}

std::string Trace::busiest(std::size_t steps_max) const {
  if (next_ == 0) return "no step was observed (WorldOptions::steps_kept)";
  struct Share {
    ActorId who;
    std::size_t steps = 0;
    std::string message;
  };
  std::vector<Share> shares;
  const std::size_t first = std::max(first_kept(), next_ - std::min(next_, steps_max));
  for (std::size_t i = first; i < next_; ++i) {
    const TraceStep& step = at(i);
    auto share = std::ranges::find(shares, step.to, &Share::who);
    if (share == shares.end()) share = shares.insert(share, {step.to, 0, message_text(step)});
    ++share->steps;
  }
  std::ranges::sort(shares, [](const Share& a, const Share& b) {
    return a.steps != b.steps ? a.steps > b.steps : a.who.value < b.who.value;
  });
  if (shares.size() > 3) shares.resize(3);
  std::string text;
  for (const Share& share : shares) {
    text += fmt::format("{}{} took {} ({})", text.empty() ? "" : ", ", name_of(share.who), share.steps, share.message);
  }
  return fmt::format("of the last {} steps {}", next_ - first, text);
}

std::optional<std::size_t> Trace::first_difference(const Trace& a, const Trace& b) noexcept {
  const std::size_t both = std::min(a.next_, b.next_);
  for (std::size_t i = 0; i < both; ++i) {
    if (!(a.at(i) == b.at(i))) return i;
  }
  if (a.next_ == b.next_) return std::nullopt;
  return both;
}

}  // namespace troupe::actor::test
