// See dead_letter_box.h. Here also: how a core counts what it drops.
#include "troupe/actor/runtime/dead_letter_box.h"

namespace troupe::actor {
namespace {

constinit const ActorType gone{.name = "(gone)"};

/// Whose message it was: the tenant's, else of the class that the reference was made for.
const ActorType& type_of_target(const Envelope& envelope, const Cell* cell) noexcept {
  if (cell != nullptr && cell->type != nullptr) return *cell->type;
  return envelope.handler->actor != nullptr ? envelope.handler->actor() : gone;
}

}  // namespace

bool DeadLetterBox::post(const DeadLetter& letter) {
  if (core_.now() - second_ >= 1s) {
    second_ = core_.now();
    this_second_ = 0;
  }
  if (this_second_ == per_second) return false;
  ++this_second_;
  posted_.push_back(letter);
  core_.at_turn_end(*this);
  return true;
}

void DeadLetterBox::on_turn_end() {
  // What the listener drops in its turn is told at the end of the next one.
  std::swap(posted_, told_);
  if (const DeadLetterListener listener = core_.host().dead_letter_listener()) listener(core_, told_);
  told_.clear();
}

void Core::drop(Envelope* envelope, Cell* cell, Drop reason) noexcept {
  count_dropped(*envelope, type_of_target(*envelope, cell), reason, 1);
  if (observer_ != nullptr) observer_->dropped(*this, *envelope, reason);
  if (envelope->handler->undeliverable != nullptr) {
    envelope->handler->undeliverable(*this, *envelope);
  } else if (envelope->reply) {
    fail_ask(envelope->reply, Outcome::not_executed, std::string{name_of(reason)});
  }
  destroy(envelope);
}

void Core::count_dropped(const Envelope& envelope, const ActorType& type, Drop reason, std::uint64_t n) noexcept {
  if (envelope.handler->runtime) return;  // the runtime's own words to the dead are nobody's loss
  stats(type).dropped[static_cast<std::size_t>(reason)].add(n);
  if (host_.dead_letter_listener() == nullptr || envelope.handler->unmourned) return;
  const ActorId target =
      envelope.target != nullptr ? lifecycle::id_of({envelope.target, envelope.generation}) : ActorId{};
  mourn({envelope.sender, target, type.name, envelope.handler->message, reason}, n);
}

void Core::count_unaddressed(Drop reason, std::uint64_t n) noexcept {
  stats(gone).dropped[static_cast<std::size_t>(reason)].add(n);
  if (host_.dead_letter_listener() != nullptr) mourn({{}, {}, gone.name, "answer", reason}, n);
}

void Core::mourn(const DeadLetter& letter, std::uint64_t n) noexcept {
  if (torn_down_) return;
  if (!dead_letters_) dead_letters_ = std::make_unique<DeadLetterBox>(*this);
  dead_letters_left_out_.add(dead_letters_->post(letter) ? n - 1 : n);
}

void Core::count_refused(Refused& refused) noexcept {
  Envelope envelope;
  envelope.target = refused.target.cell;
  envelope.generation = refused.target.generation;
  envelope.handler = refused.handler;
  count_dropped(envelope, type_of_target(envelope, nullptr), refused.reason, refused.count);
}

}  // namespace troupe::actor
