// Connection: what is due when: pings, the end of its token, and going away.
#include <algorithm>

#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/connection/connection_supervisor.h"

namespace troupe::realtime {

base::Instant Connection::due() const noexcept {
  auto due = std::min(
      {heartbeat_.due(), rare().resume_until, expiring_at_, expires_at_, rare().drain_at, give_up_at(), idle_at()});
  return state_ == State::unauthenticated ? std::min(due, rare().arrival->authenticate_until) : due;
}

// Pongs do not count: every client answers pings, used or not. Of a stream, whose client cannot speak, nothing is
// asked, nor of a client while we do not read what it says.
base::Instant Connection::idle_at() const noexcept {
  const auto patience = site_->options.idle_timeout;
  const bool counts = patience > base::Duration::zero() && !is_stream() && !reading_paused_;
  return counts ? frames_.asked_at() + patience : base::Instant::never();
}

void Connection::reschedule() {
  if (state_ >= State::closing) return;
  site_->due.move(*this, due());
  if (site_->due.earliest() < site_->armed) site_->supervisor.tell(LookAtClock{});
}

void Connection::on_time(base::Instant now) {
  if (now >= give_up_at()) give_up(now);
  if (state_ == State::unauthenticated && now >= rare().arrival->authenticate_until) {
    close(wire::close_code::policy_violation, "no token came in time");
  } else if (now >= expires_at_) {
    close_token("the token has expired");
  } else if (now >= idle_at()) {
    close(close_codes::idle, "the client has said nothing for too long");
  } else if (now >= rare().drain_at) {
    on_drain(now);
  } else if (now >= rare().resume_until) {
    on_resume_time(now);
  } else if (now >= expiring_at_) {
    expiring_at_ = base::Instant::never();
    answer(finished(TokenExpiring{*session_.identity.expires_at}));
  }
  if (state_ >= State::closing) return;
  // Who does not take our answers is not waited for; who waits for his own commands is.
  const bool hears = !reading_paused_ || control_bytes() > site_->options.outbox.control_bytes_pause / 2;
  switch (heartbeat_.on_time(now, hears)) {
    case Heartbeat::Step::wait:
      break;
    case Heartbeat::Step::ping:
      rest_outbox();
      forget_rare();
      link_->ping({});
      break;
    case Heartbeat::Step::lost:
      ++site_->figures.closed_heartbeat;
      return close(close_codes::heartbeat_lost, "no answer to a ping");
  }
  reschedule();
}

void Connection::drain(base::Instant at) {
  if (state_ >= State::closing) return;
  auto& drain_at = make_rare().drain_at;
  if (drain_at == base::Instant::never()) ++site_->figures.drain.left;
  drain_at = std::min(drain_at, at);
  reschedule();
}

// The first time tells the client, and reads no more of it: each command that came before has its answer. The second
// means that it took too long. Who has not been let in has nothing to wait for.
void Connection::on_drain(base::Instant now) {
  if (state_ == State::draining || !welcomed_) return close(wire::close_code::going_away, "the server is going away");
  state_ = State::draining;
  reading_paused_ = true;
  link_->pause_reading();
  ++site_->figures.drain.told;
  // Spread again, for all who are told to go will come back.
  auto after = std::chrono::milliseconds{core_.random().below(1000)};
  answer(finished(Draining{after}));
  make_rare().drain_at = now + site_->options.flush_within;
  take_turn();
}

}  // namespace troupe::realtime
