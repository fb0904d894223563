// See core_wait.h.
#include "troupe/store/core_wait.h"

#include "troupe/actor/runtime/core.h"
#include "troupe/base/check.h"

namespace troupe::store {

CoreWait::~CoreWait() {
  cancel();
  forget(registered_);
}

void CoreWait::run(std::move_only_function<void()> function, std::move_only_function<void()> ended) {
  core_ = actor::Core::current();
  is_cancelled_ = false;
  ended_ = std::move(ended);
  fiber_.start(std::move(function));
  tell_end();
}

void CoreWait::cancel() noexcept {
  if (!fiber_.is_busy()) return;
  is_cancelled_ = true;
  ended_ = nullptr;
  go_on(Waited::cancelled);
  INVARIANT(!fiber_.is_busy(), "a function waits on although it was cancelled");
}

Waited CoreWait::wait(int socket, actor::IoEvents interest, base::Duration at_most) {
  if (is_cancelled_) return Waited::cancelled;
  register_for(socket, interest);
  core_->timers().arm(*this, core_->now() + at_most);
  is_waiting_ = true;
  fiber_.pause();
  return outcome_;
}

void CoreWait::register_for(int socket, actor::IoEvents interest) {
  if (registered_ == socket && interest.read == interest_.read && interest.write == interest_.write) return;
  if (registered_ == socket) {
    core_->poller().change(socket, interest, *this);
  } else {
    forget(registered_);
    core_->poller().add(socket, interest, *this);
  }
  registered_ = socket;
  interest_ = interest;
}

void CoreWait::forget(int socket) noexcept {
  if (socket < 0 || socket != registered_) return;
  core_->poller().remove(socket, *this);
  registered_ = -1;
}

void CoreWait::on_io(actor::IoEvents) {
  if (!is_waiting_) return forget(registered_);  // an end, or an answer that the next wait reads
  go_on(Waited::ready);
}

void CoreWait::on_time(actor::TimerNode& node) noexcept { static_cast<CoreWait&>(node).go_on(Waited::late); }

void CoreWait::go_on(Waited what) {
  is_waiting_ = false;
  if (armed()) core_->timers().disarm(*this);
  outcome_ = what;
  fiber_.resume();
  tell_end();
}

void CoreWait::tell_end() {
  if (fiber_.is_busy() || !ended_) return;
  auto ended = std::exchange(ended_, nullptr);
  ended();
}

}  // namespace troupe::store
