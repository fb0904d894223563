// User Actor: owns the people who can sign in, the hashes of their passwords, and what they
// have agreed to.
//
// A wrong password and a name that does not exist get the same answer in the same time.
// Hashing runs on the blocking pool, few at a time; who comes when the queue is full is told
// to come again. Failures slow down the account and the address they come from.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/crypto/password.h"
#include "troupe/net/address.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/login_throttle.h"
#include "troupe/oauth/actor/password_hasher.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/model/user.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

struct LoginError {
  enum class Reason {
    wrong,  // name or password, nobody is told which
    slow_down,
    busy,
  } reason = Reason::wrong;
  std::chrono::seconds retry_after{0};
};

/// Who signs in with this name and password?
struct VerifyPassword {
  UserName name;
  crypto::Password password;
  net::IpAddress from;
  using reply = User;
  using error = LoginError;
};

enum class UserError { name_taken, bad_name, bad_email, bad_password, unknown };

/// Adds a user. A name has 1 to 64 bytes of UTF-8 without control characters and spaces at its ends; an address
/// at most 254 with an `@` inside, a password 8 to 256.
struct AddUser {
  UserName name;
  std::optional<std::string> email;
  crypto::Password password;
  using reply = User;
  using error = UserError;
};

/// The user, nothing when there is none.
struct GetUser {
  UserId id;
  using reply = std::optional<User>;
};

/// All users, by name.
struct ListUsers {
  using reply = std::vector<User>;
};

struct UserRemoved {};

struct RemoveUser {
  UserId id;
  using reply = UserRemoved;
  using error = UserError;
};

/// What the user has agreed that the client may do; empty when nothing yet.
struct GetConsent {
  UserId user;
  ClientId client;
  using reply = ScopeSet;
};

struct ConsentRecorded {};

/// Adds `scope` to what the user has agreed to.
struct RecordConsent {
  UserId user;
  ClientId client;
  ScopeSet scope;
  using reply = ConsentRecorded;
};

struct UserActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<TokensRevoked>> watcher;  // may be null
  PasswordOptions passwords{};
  LoginThrottleOptions throttle{};
};

class UserActor {
 public:
  static constexpr bool interleaves = true;  // a password that is being hashed holds up nobody else

  explicit UserActor(UserActorParts parts);

  void started(actor::Context& context);
  actor::Task<std::expected<User, LoginError>> handle(VerifyPassword message, actor::Context& context);
  actor::Task<std::expected<User, UserError>> handle(AddUser message, actor::Context& context);
  actor::Task<std::optional<User>> handle(GetUser message);
  actor::Task<std::vector<User>> handle(ListUsers message);
  actor::Task<std::expected<UserRemoved, UserError>> handle(RemoveUser message, actor::Context& context);
  actor::Task<ScopeSet> handle(GetConsent message);
  actor::Task<ConsentRecorded> handle(RecordConsent message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  UserActorParts parts_;
  actor::Ref<PasswordHasher> hashers_;
  LoginThrottle throttle_;
  Auditor auditor_;
  std::int64_t logins_ = 0;
  std::int64_t failures_ = 0;
};

/// Why a user of this name, address and password is not added, or nothing.
std::optional<UserError> fault_in(const UserName& name, const std::optional<std::string>& email,
                                  const crypto::Password& password);

/// The record of a new user, for the User Actor and the command line; `fault_in` must have found nothing.
UserRecord make_user(const UserName& name, std::optional<std::string> email, std::string password_hash,
                     base::UnixTime now, base::Random& random);

/// Removes a user and ends all their tokens; gives the families that were ended, nothing when there is no such user.
std::optional<std::vector<FamilyId>> remove_user(Tables& tables, const UserId& id, base::UnixTime now);

}  // namespace troupe::oauth
