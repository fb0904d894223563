// PasswordHasher: makes and checks hashes of passwords, one at a time, off the cores' threads.
//
// A pool of them is all the hashing that goes on: their number bounds the memory and the
// threads it takes, their mailboxes bound who waits, and whoever finds all of them full is
// told to come again. So a thousand logins at once slow down logins and nothing else.
//
// Where a time for one hash is configured, one of them finds out after the start what this machine does in it; until
// then hashes have the least cost.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/actor/offload/idle.h"
#include "troupe/actor/offload/offload.h"
#include "troupe/base/published.h"
#include "troupe/crypto/password.h"

namespace troupe::crypto {
class BreachedPasswords;
}

namespace troupe::oauth {

/// What came of checking a password.
struct PasswordVerdict {
  bool is_right = false;
  std::optional<std::string> better_hash;  // of today's cost, where it is right and the kept one is of another cost
};

struct CheckPassword {
  crypto::Password password;
  std::string phc;  // "": nobody's; never right
  // What a wrong one costs at least, whosever it is: as much as the dearest hash that anybody has, or a dear one would
  // be told from a name that nobody has.
  crypto::PasswordCost refusal{.memory_kib = 0, .passes = 0};
  using reply = PasswordVerdict;
};

enum class HashError { breached };

/// The hash of a password that somebody wants to have from now on; "" for one that is too long. Errors: breached, where
/// it stands in the list of those that have become known.
struct HashPassword {
  crypto::Password password;
  using reply = std::string;
  using error = HashError;
};

struct PasswordOptions {
  crypto::PasswordCost cost{};              // the least; with a time below, of its passes alone
  std::chrono::milliseconds time{0};        // one hash may take so long on this machine; 0: it has the cost above
  std::uint32_t hashers = 2;                // as many threads; each takes the memory of one hash
  std::uint32_t waiting = 32;               // at each: about a second of hashing at the least cost
  std::shared_ptr<actor::Offload> threads;  // become idle; none: those that the system has for everything that blocks
  std::shared_ptr<const crypto::BreachedPasswords> breached{};  // none: any password may be a new one
};

/// What hashes cost now, and whether that will stay so.
struct PresentCost {
  crypto::PasswordCost cost;
  bool is_settled = true;
};

class PasswordHasher {
 public:
  PasswordHasher(const PasswordOptions& options, base::Published<PresentCost> present)
      : options_(options), present_(std::move(present)), reader_(present_.reader()) {}

  actor::Task<PasswordVerdict> handle(CheckPassword message, actor::Context& context);
  actor::Task<std::expected<std::string, HashError>> handle(HashPassword message, actor::Context& context);

  /// Told once to one of the pool: finds the cost for all of them.
  struct Calibrate {};
  actor::Task<void> handle(Calibrate message);

 private:
  template <class Work>
  auto off_core(Work work) {
    auto job = [work = std::move(work), is_own = options_.threads != nullptr]() mutable {
      if (is_own) actor::become_idle();
      return work();
    };
    return actor::BlockingAwaiter<decltype(job)>{std::move(job), options_.threads.get()};
  }

  PasswordOptions options_;
  base::Published<PresentCost> present_;
  base::PublishedReader<PresentCost> reader_;
};

/// Starts the pool under the actor of `context`.
actor::Ref<PasswordHasher> start_hashers(actor::Context& context, const PasswordOptions& options);

}  // namespace troupe::oauth
