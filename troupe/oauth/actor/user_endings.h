// What ends with a decision about a user, as steps of transactions: for the User Actor and the
// command line. Each gives the families of tokens that were ended, to be told to those who
// serve on the strength of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// Removes a user and ends all their tokens; nothing when there is no such user.
std::optional<std::vector<FamilyId>> remove_user(Tables& tables, const UserId& id, base::UnixTime now);

/// Gives the user another password and ends all sessions and tokens that came before it: who knew the old one may hold
/// some of them.
std::vector<FamilyId> change_password(Tables& tables, UserRecord user, std::string password_hash, base::UnixTime now);

/// Disables a user and ends all their sessions and tokens, which enabling does not bring back.
std::vector<FamilyId> disable_user(Tables& tables, UserRecord user, base::UnixTime now);

/// Lets a user sign in again.
void enable_user(Tables& tables, UserRecord user);

/// Takes back what the user has allowed a client: the consent, its tokens, and codes on their way, which are those made
/// at `codes_since` or later. Nothing when the user has allowed it nothing.
std::optional<std::vector<FamilyId>> revoke_consent(Tables& tables, const UserId& user, const ClientId& client,
                                                    base::UnixTime now, base::UnixTime codes_since);

}  // namespace troupe::oauth
