// See login_throttle.h.
#include "troupe/oauth/actor/login_throttle.h"

namespace troupe::oauth {
namespace {

constexpr base::Duration one_more_after = std::chrono::seconds{1};  // that another attempt is under way

}  // namespace

base::Duration LoginThrottle::Ledger::wait_for(std::string_view key, int free, base::Instant now,
                                               const LoginThrottleOptions& options) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || now - found->second.last >= options.forget_after) return {};
  const int beyond = found->second.count - free;
  if (beyond < 0) return {};
  const base::Duration wait =
      std::min<base::Duration>(std::chrono::seconds{1LL << std::min(beyond, 20)}, options.wait_max);
  const base::Duration rest = std::max(base::Duration{}, found->second.last + wait - now);
  return rest == base::Duration{} && under_way.contains(key) ? one_more_after : rest;
}

void LoginThrottle::Ledger::forget(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto [begin, end] = by_age_.equal_range(found->second.last);
  for (auto it = begin; it != end; ++it) {
    if (it->second != key) continue;
    by_age_.erase(it);
    break;
  }
  by_key_.erase(found);
}

void LoginThrottle::Ledger::make_room(base::Instant now, const LoginThrottleOptions& options) {
  while (!by_age_.empty()) {
    const auto oldest = by_age_.begin();
    if (by_key_.size() < options.entries_max && now - oldest->first < options.forget_after) return;
    by_key_.erase(oldest->second);
    by_age_.erase(oldest);
  }
}

void LoginThrottle::Ledger::add(std::string_view key, base::Instant now, const LoginThrottleOptions& options) {
  const auto found = by_key_.find(key);
  const int before =
      found == by_key_.end() || now - found->second.last >= options.forget_after ? 0 : found->second.count;
  forget(key);
  make_room(now, options);
  by_key_.emplace(key, Mistakes{before + 1, now});
  by_age_.emplace(now, key);
}

base::Duration LoginThrottle::wait_for(std::string_view account, std::string_view address, base::Instant now) const {
  return std::max(accounts_.wait_for(account, options_.account_mistakes_free, now, options_),
                  addresses_.wait_for(address, options_.address_mistakes_free, now, options_));
}

LoginThrottle::Attempt LoginThrottle::begin(std::string_view account, std::string_view address) {
  Attempt attempt;
  attempt.add(accounts_.under_way, account);
  attempt.add(addresses_.under_way, address);
  return attempt;
}

LoginThrottle::Attempt LoginThrottle::begin_by_device(std::string_view device) {
  Attempt attempt;
  attempt.add(devices_.under_way, device);
  return attempt;
}

void LoginThrottle::failed(std::string_view account, std::string_view address, base::Instant now) {
  accounts_.add(account, now, options_);
  addresses_.add(address, now, options_);
}

void LoginThrottle::succeeded(std::string_view account) { accounts_.forget(account); }

base::Duration LoginThrottle::wait_for_device(std::string_view device, base::Instant now) const {
  return devices_.wait_for(device, options_.account_mistakes_free, now, options_);
}

void LoginThrottle::device_failed(std::string_view device, std::string_view address, base::Instant now) {
  devices_.add(device, now, options_);
  addresses_.add(address, now, options_);
}

void LoginThrottle::device_succeeded(std::string_view device) { devices_.forget(device); }

}  // namespace troupe::oauth
