// See core.h. Here: the inbox, by which threads that are no cores reach this one.
#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/dead_letter_box.h"

namespace troupe::actor {
namespace {

/// Of a user nothing else is sent to a core itself.
bool is_publication(const Envelope& envelope) noexcept {
  return envelope.target == nullptr && !envelope.handler->runtime;
}

}  // namespace

Sent Core::from_outside(Envelope* envelope) {
  const bool may_wait = envelope->target != nullptr && envelope->handler->message_class != MessageClass::control &&
                        host_.threads_may_wait() && envelope->target->generation.passage(envelope->generation).blocks;
  return may_wait ? credits::submit_from_outside(*this, envelope) : to_inbox(envelope);
}

void Core::refuse_from_outside(Envelope* envelope, Drop reason) {
  {
    const std::lock_guard lock{inbox_mutex_};
    if (inbox_limit_.is_open()) {
      refuse_foreign(*envelope, reason);
      inbox_filled_.store(true, std::memory_order_relaxed);
    }
  }
  envelope->handler->destroy(*envelope);
  ::operator delete(envelope);
}

Sent Core::to_inbox(Envelope* envelope) {
  Sent result = Sent::sent;
  {
    const std::lock_guard lock{inbox_mutex_};
    if (!inbox_limit_.is_open()) {
      result = Sent::dead;
    } else if (!inbox_limit_.has_room(*envelope->handler, is_publication(*envelope))) {
      const bool is_control = envelope->handler->message_class == MessageClass::control;
      result = is_control ? Sent::dead : Sent::full;  // no mailbox is too full for control messages
      refuse_foreign(*envelope, is_control ? Drop::dead : Drop::full);
    } else {
      inbox_.push(envelope);
      inbox_limit_.note(is_publication(*envelope));
      inbox_filled_.store(true, std::memory_order_relaxed);
    }
  }
  if (result != Sent::sent) {
    envelope->handler->destroy(*envelope);
    ::operator delete(envelope);
    return result;
  }
  if (rest_.is_to_be_woken()) wake();
  return Sent::sent;
}

/// Notes a refusal, until the core's own thread can count it. With the inbox locked.
void Core::refuse_foreign(const Envelope& envelope, Drop reason) {
  const Address target{envelope.target, envelope.generation};
  for (Refused& entry : inbox_refused_) {
    if (entry.handler != envelope.handler || entry.reason != reason) continue;
    // Past so many targets they are no longer told apart, since foreign threads must not fill the memory either.
    if (entry.target == target || inbox_refused_.size() >= 64) {
      ++entry.count;
      return;
    }
  }
  inbox_refused_.push_back({envelope.handler, target, reason, 1});
}

void Core::receive_from_outside() {
  EnvelopeList taken;
  std::vector<Refused> refused;
  std::size_t publications = 0;
  {
    const std::lock_guard lock{inbox_mutex_};
    taken = inbox_.take();
    refused.swap(inbox_refused_);
    publications = inbox_limit_.take();
    inbox_filled_.store(false, std::memory_order_relaxed);
  }
  for (Refused& entry : refused) count_refused(entry);
  const std::uint64_t before = published_to_;
  receive_chain(taken.head);
  if (publications == 0) return;
  const std::lock_guard lock{inbox_mutex_};
  inbox_limit_.learn(publications, published_to_ - before);
}

void Core::narrow_inbox(InboxLimit::Ending ending) noexcept {
  const std::lock_guard lock{inbox_mutex_};
  inbox_limit_.narrow(ending);
}

}  // namespace troupe::actor
