// User: a person who can sign in, as tokens and pages speak of them. The User Actor owns
// the record behind it, with the hash of the password.
#pragma once

#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/ids.h"

namespace troupe::oauth {

enum class UserState : std::uint8_t { enabled, disabled };

struct User {
  UserId id;
  UserName name;  // preferred_username
  std::optional<std::string> email;
  UserState state = UserState::enabled;
  base::UnixTime created_at;

  friend bool operator==(const User&, const User&) = default;
};

/// What of a user is to become another value; what is not said stays.
struct UserChange {
  std::optional<UserName> name;
  std::optional<std::optional<std::string>> email;  // nothing within: they have none
};

}  // namespace troupe::oauth
