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
};

}  // namespace troupe::oauth
