// User Actor: owns the people who can sign in, the hashes of their passwords, and what they
// have agreed to.
//
// A wrong password and a name that does not exist get the same answer in the same time.
// Hashing runs on the blocking pool, few at a time; who comes when the queue is full is told
// to come again. Failures slow down the account and the address they come from.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "troupe/crypto/password.h"
#include "troupe/net/address.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/oauth/model/user.h"

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

enum class UserError { name_taken, bad_name, bad_password, unknown };

/// Adds a user. A name has 1 to 64 bytes of UTF-8 without control characters and spaces at its ends; a password
/// 8 to 256 bytes.
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

class UserActor;

}  // namespace troupe::oauth
