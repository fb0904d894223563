// A browser's session as rows: its cookie, whether it is alive, and what ends with it.
//
// Steps of transactions, for the actors that own sessions and users. What a session ends with
// is one of them: there is no moment at which a session is over and its tokens are not.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "troupe/base/random.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/model/session.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// What a cookie says: the name finds the row, the hash proves the secret.
struct SessionCookie {
  SessionId id;
  crypto::Digest hash;
};

/// Nothing for a text that cannot be a cookie of ours.
std::optional<SessionCookie> read_cookie(const SessionToken& cookie);

/// A new cookie of the session of this name. It alone opens the session; only its hash is kept.
SessionToken fresh_cookie(const SessionId& id, base::Random& random);

/// So long a session that is renewed keeps its name.
inline constexpr base::Duration session_name_kept_for = std::chrono::hours{24 * 28};
/// A session of a name that is older than this is over.
inline base::Duration session_name_max(const OauthOptions& options) {
  return session_name_kept_for + options.session_absolute + std::chrono::hours{24};
}

/// A session that begins now, for a row of its own.
SessionRecord new_session(const SessionId& id, const SessionToken& cookie, const UserId& user, SignInPlace place,
                          base::UnixTime now, const OauthOptions& options);

/// Why the session is over by time: "expired", for it is too old; "unused"; or nothing, for it is not.
std::optional<std::string_view> over_by(const SessionRecord& record, base::UnixTime now, const OauthOptions& options);

/// Whether the session of `user` is alive: nobody has ended it, neither of its times is over, and the user is enabled
/// and has not changed the password since.
bool is_alive(const SessionRecord& record, const UserRecord& user, base::UnixTime now, const OauthOptions& options);

/// The session of a cookie, if it is alive.
std::optional<SessionRecord> find_live(Tables& tables, const SessionCookie& cookie, base::UnixTime now,
                                       const OauthOptions& options);

/// Ends the session and takes back the tokens that stem from it, but those with the scope offline_access, which are
/// meant to outlive it; every client that had a part in it and wants to be told is noted. Gives the families that were
/// ended.
std::vector<FamilyId> end_session(Tables& tables, SessionRecord record, base::UnixTime now, std::string_view because);

/// Ends the oldest sessions of the user of one that has just begun where they have more than they may; gives the
/// families as end_session does, and appends `event` where there were such.
std::vector<FamilyId> end_surplus(Tables& tables, const Session& fresh, base::UnixTime now, const OauthOptions& options,
                                  const AuditEvent& event);

}  // namespace troupe::oauth
