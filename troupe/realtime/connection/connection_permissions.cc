// Connection: what it may do, as its token and the configuration say, and what ends when that becomes less.
#include <algorithm>
#include <span>

#include "troupe/realtime/command/forbidden.h"
#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

// A token that ends when the last one did is no newer, and its holder, who was told of that end, is not told again.
void Connection::use(Identity identity) {
  const bool ends_as_before = identity.expires_at == session_.identity.expires_at;
  session_.identity = std::move(identity);
  find_permissions();
  const auto expires = session_.identity.expires_at;
  const auto now = core_.now();
  expires_at_ = expires ? now + (*expires - core_.wall()) : base::Instant::never();
  if (!expires) {
    expiring_at_ = base::Instant::never();
  } else if (!ends_as_before) {
    expiring_at_ = std::max(expires_at_ - site_->options.expiry_warning, now + (expires_at_ - now) / 2);
  }
  reschedule();
}

void Connection::find_permissions() {
  const auto& settings = *site_->settings;
  session_.permissions = Permissions::from(
      session_.identity.scopes, is_anonymous() ? settings.grants_without_token() : settings.grants_with_token());
  end_forbidden_histories();
}

// What was verified may have ended before it came here. Closes if so.
bool Connection::may_stay() {
  if (site_->revoked.contains(token())) {
    close_token("the token was revoked");
    return false;
  }
  if (is_anonymous() && site_->settings->anonymous() == Anonymous::refused) {
    close_token("a token is needed now");
    return false;
  }
  return true;
}

void Connection::review() {
  if (!welcomed_ || state_ >= State::closing || !may_stay()) return;
  find_permissions();
  end_forbidden_subscriptions();
}

// At once, however many commands wait for their turn, and for however long. Only what the present one is making, or
// ending, is not touched before that is done: it would be made in spite of this.
void Connection::end_forbidden_subscriptions() {
  review_due_ = true;  // should this fail
  if (state_ >= State::closing) return;
  std::span<const TopicPattern> under_way;
  if (command_ != nullptr) under_way = command_->held;
  end_forbidden(*this, under_way);
  if (!under_way.empty()) return;
  review_due_ = false;
  end_empty_stream();
}

}  // namespace troupe::realtime
