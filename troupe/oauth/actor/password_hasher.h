// PasswordHasher: makes and checks hashes of passwords, one at a time, off the cores' threads.
//
// A pool of them is all the hashing that goes on: their number bounds the memory and the
// threads it takes, their mailboxes bound who waits, and whoever finds all of them full is
// told to come again. So a thousand logins at once slow down logins and nothing else.
#pragma once

#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/crypto/password.h"

namespace troupe::oauth {

/// What came of checking a password.
struct PasswordVerdict {
  bool is_right = false;
  std::optional<std::string> better_hash;  // of today's cost, where it is right and the kept one is of another cost
};

struct CheckPassword {
  crypto::Password password;
  std::string phc;  // "": nobody's; takes as long and is never right
  using reply = PasswordVerdict;
};

/// "" for a password that is too long.
struct HashPassword {
  crypto::Password password;
  using reply = std::string;
};

class PasswordHasher {
 public:
  explicit PasswordHasher(crypto::PasswordCost cost) : cost_(cost) {}

  actor::Task<PasswordVerdict> handle(CheckPassword message, actor::Context& context);
  actor::Task<std::string> handle(HashPassword message, actor::Context& context);

 private:
  crypto::PasswordCost cost_;
};

struct PasswordOptions {
  crypto::PasswordCost cost{};
  std::uint32_t hashers = 2;   // of the four threads for blocking work; the others serve the database
  std::uint32_t waiting = 32;  // at each: about a second of hashing
};

/// Starts the pool under the actor of `context`.
actor::Ref<PasswordHasher> start_hashers(actor::Context& context, const PasswordOptions& options);

}  // namespace troupe::oauth
