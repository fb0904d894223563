// See core.h. Here: the inbox, by which threads that are no cores reach this one.
#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/dead_letter_box.h"

namespace troupe::actor {

Sent Core::from_outside(Envelope* envelope) {
  const bool may_wait = envelope->target != nullptr && envelope->handler->message_class != MessageClass::control &&
                        host_.threads_may_wait() && envelope->target->generation.passage(envelope->generation).blocks;
  return may_wait ? credits::submit_from_outside(*this, envelope) : to_inbox(envelope);
}

void Core::refuse_from_outside(Envelope* envelope, Drop reason) {
  {
    const std::lock_guard lock{inbox_mutex_};
    if (!inbox_closed_) {
      refuse_foreign(*envelope, reason);
      inbox_filled_.store(true, std::memory_order_relaxed);
    }
  }
  envelope->handler->destroy(*envelope);
  ::operator delete(envelope);
}

Sent Core::to_inbox(Envelope* envelope) {
  const bool bounded = envelope->handler->message_class != MessageClass::control;
  Sent result = Sent::sent;
  {
    const std::lock_guard lock{inbox_mutex_};
    if (inbox_closed_) {
      result = Sent::dead;
    } else if (bounded && inbox_size_ >= inbox_limit) {
      result = Sent::full;
      refuse_foreign(*envelope, Drop::full);
    } else {
      inbox_.push(envelope);
      ++inbox_size_;
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
  {
    const std::lock_guard lock{inbox_mutex_};
    taken = inbox_.take();
    refused.swap(inbox_refused_);
    inbox_size_ = 0;
    inbox_filled_.store(false, std::memory_order_relaxed);
  }
  for (Refused& entry : refused) count_refused(entry);
  receive_chain(taken.head);
}

}  // namespace troupe::actor
