// Known devices: by a cookie, the server knows a browser again in which somebody has signed in before, so that the
// guesses of strangers do not slow down the owner of an account (threat T64).
//
// The cookie is good for one account, for a bounded time, until the password changes: its MAC is keyed with the kept
// hash of the password, 384 bits that nobody sees, so nothing needs to be stored or taken back. It opens nothing; it
// gives a browser mistakes of its own to answer for.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/storage/records.h"

namespace troupe::oauth {

/// A cookie for a browser in which this user has just shown the password.
DeviceToken new_known_device(const UserRecord& user, base::UnixTime now, base::Random& random);

/// The name under which the mistakes of this browser are counted; nothing when the cookie is not good for this user,
/// or older than `lifetime`.
std::optional<std::string> known_device(const DeviceToken& shown, const UserRecord& user, base::UnixTime now,
                                        std::chrono::seconds lifetime);

}  // namespace troupe::oauth
