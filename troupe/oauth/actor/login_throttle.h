// LoginThrottle: slows down who guesses passwords, by account and by address.
//
// A few mistakes cost nothing; after them each further one doubles the wait, up to a limit
// that annoys an attacker and does not lock an owner out for long. Both sides are counted:
// one account from many addresses, and many accounts from one address (RFC 6819, 5.1.4.2).
// A browser that is known to the account (known_device.h) has a line of its own: the mistakes of strangers do not slow
// it, its own do. Once there is a wait, attempts are made one after the other: many that are made at once, each before
// the mistake of another is counted, would be as many guesses for one wait. Memory is bounded; what is oldest is
// forgotten first. Owned by the User Actor.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::oauth {

struct LoginThrottleOptions {
  int account_mistakes_free = 5;      // what a person with two passwords needs
  int address_mistakes_free = 20;     // an office behind one address
  std::chrono::seconds wait_max{60};  // a guess a minute is 500 000 a year: hopeless, yet no lock-out
  std::chrono::seconds forget_after{15 * 60};
  std::size_t entries_max = 20'000;  // about 3 MB each
};

class LoginThrottle {
  class Ledger;
  using UnderWay = std::multiset<std::string, std::less<>>;

 public:
  /// An attempt whose password is being checked: under way until this is gone, whatever comes of it. The throttle
  /// outlives it.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept : places_(std::exchange(other.places_, {})) {}
    Attempt& operator=(Attempt&&) = delete;
    ~Attempt() {
      for (const auto& [ledger, place] : places_) ledger->erase(place);
    }

   private:
    friend class LoginThrottle;
    Attempt() = default;
    void add(UnderWay& ledger, std::string_view key) { places_.emplace_back(&ledger, ledger.emplace(key)); }

    std::vector<std::pair<UnderWay*, UnderWay::iterator>> places_;
  };

  explicit LoginThrottle(const LoginThrottleOptions& options = {}) : options_(options) {}

  /// How long this attempt has to wait; zero: it may be made now.
  base::Duration wait_for(std::string_view account, std::string_view address, base::Instant now) const;

  /// It may be made now, and is.
  Attempt begin(std::string_view account, std::string_view address);
  void failed(std::string_view account, std::string_view address, base::Instant now);

  /// The account's mistakes are forgotten; those of the address are not, or an attacker's own account would clear them.
  void succeeded(std::string_view account);

  /// The same for a known device. What it gets wrong counts for its address too; what it gets right clears nothing but
  /// its own line, or strangers would have a few free guesses each time.
  base::Duration wait_for_device(std::string_view device, base::Instant now) const;
  Attempt begin_by_device(std::string_view device);
  void device_failed(std::string_view device, std::string_view address, base::Instant now);
  void device_succeeded(std::string_view device);

 private:
  struct Mistakes {
    int count = 0;
    base::Instant last;
  };
  class Ledger {
   public:
    base::Duration wait_for(std::string_view key, int free, base::Instant now,
                            const LoginThrottleOptions& options) const;
    void add(std::string_view key, base::Instant now, const LoginThrottleOptions& options);
    void forget(std::string_view key);

    UnderWay under_way;  // keys of attempts

   private:
    void make_room(base::Instant now, const LoginThrottleOptions& options);

    std::map<std::string, Mistakes, std::less<>> by_key_;
    std::multimap<base::Instant, std::string> by_age_;
  };

  LoginThrottleOptions options_;
  Ledger accounts_;
  Ledger addresses_;
  Ledger devices_;
};

}  // namespace troupe::oauth
