// User Actor: owns the people who can sign in, the hashes of their passwords, and what they
// have agreed to.
//
// A wrong password and a name that does not exist get the same answer in the same time: that of the dearest hash which
// anybody has, since what a hash costs changes with machines and configurations, and kept ones follow late.
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
#include "troupe/oauth/actor/refusal_budget.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/oauth/model/session.h"
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

/// Who has signed in, and the cookie by which their browser is known again; none where none is remembered.
struct SignedInUser : User {
  base::UnixTime password_since;  // as their record said when the password was right: for StartSession
  std::optional<DeviceToken> device;
};

/// Who signs in with this name and password? `device` is what the browser shows of an earlier time.
struct VerifyPassword {
  UserName name;
  crypto::Password password;
  net::IpAddress from;
  Cause cause{};
  std::optional<DeviceToken> device{};
  using reply = SignedInUser;
  using error = LoginError;
};

struct PasswordChangeError {
  enum class Reason {
    wrong,  // the present password
    slow_down,
    busy,
    bad_password,       // the new one
    breached_password,  // the new one, which stands in the list of those that have become known
    signed_out,         // the session is over, or the password has been changed meanwhile
  } reason = Reason::wrong;
  std::chrono::seconds retry_after{0};
};

/// The cookies of the session that goes on in the browser that has changed the password, and of that browser.
struct PasswordChanged {
  SessionToken token;
  std::optional<DeviceToken> device;
};

/// Gives the user of a session another password. All their sessions and tokens end, in the same transaction; the
/// browser goes on in a session of another name (T29). Wrong passwords are counted as at sign-in.
struct ChangePassword {
  SessionToken token;
  crypto::Password present;
  crypto::Password next;
  net::IpAddress from;
  SignInPlace place;
  Cause cause{};
  std::optional<DeviceToken> device{};
  using reply = PasswordChanged;
  using error = PasswordChangeError;
};

enum class UserError { name_taken, bad_name, bad_email, bad_password, breached_password, unknown, busy, changed };

/// The error as a sentence for whoever administers, without a full stop: "there is no such user".
std::string_view sentence(UserError error) noexcept;

/// Adds a user. A name has 1 to 64 bytes of UTF-8 without control characters and spaces at its ends; an address
/// at most 254 with an `@` inside, a password 8 to 256, and it stands in no list of those that have become known.
struct AddUser {
  UserName name;
  std::optional<std::string> email;
  crypto::Password password;
  Cause cause{};
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

/// Users by id, at most `count` of those behind `after`.
struct ListUserPage {
  UserId after;
  int count = 100;
  using reply = std::vector<User>;
};

/// A user after a deed, and how many of their grants have ended with it.
struct ChangedUser {
  User user;
  int grants_ended = 0;
};

/// Keeps a user from signing in, and ends all their sessions and tokens. Once more changes nothing. Errors: unknown.
struct DisableUser {
  UserId id;
  Cause cause{};
  using reply = ChangedUser;
  using error = UserError;
};

/// Lets a user sign in again; what has ended stays ended. Errors: unknown.
struct EnableUser {
  UserId id;
  Cause cause{};
  using reply = ChangedUser;
  using error = UserError;
};

/// Gives a user another password without asking for the present one, and ends all their sessions and tokens. Errors:
/// unknown, bad_password, breached_password, and busy where too many passwords are being hashed.
struct SetPassword {
  UserId id;
  crypto::Password password;
  Cause cause{};
  using reply = ChangedUser;
  using error = UserError;
};

/// Gives a user another name or address. Who they are stays, and so does all that they have opened. Errors: unknown,
/// those of a bad or taken name and of a bad address, and changed: they are not as `seen` any more.
struct UpdateUser {
  User seen;
  UserChange change;
  Cause cause{};
  using reply = User;
  using error = UserError;
};

struct UserRemoved {};

/// Errors: unknown, and changed: they are not as `seen` any more, where that is given.
struct RemoveUser {
  UserId id;
  std::optional<User> seen{};
  Cause cause{};
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
  Cause cause{};
  using reply = ConsentRecorded;
};

/// The user has refused what a client asked for. Nothing changes by it; the audit trail has it.
struct RecordDenial {
  UserId user;
  ClientId client;
  Cause cause{};
  using reply = ConsentRecorded;
};

/// What a user has allowed a client.
struct GrantedApplication {
  ClientId client;
  std::string name;
  ScopeSet scope;
  base::UnixTime granted_at;
};

/// All that the user has allowed, by the client's name.
struct ListConsents {
  UserId user;
  using reply = std::vector<GrantedApplication>;
};

struct ConsentRevoked {};

/// Takes back what the user has allowed a client, and with it the client's tokens and codes in the user's name, in one
/// transaction. Where nothing was allowed nothing happens.
struct RevokeConsent {
  UserId user;
  ClientId client;
  Cause cause{};
  using reply = ConsentRevoked;
};

struct UserActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<TokensRevoked>> watcher;  // may be null
  SharedOptions options;
  PasswordOptions passwords{};
  LoginThrottleOptions throttle{};
};

class UserActor {
 public:
  static constexpr bool interleaves = true;  // a password that is being hashed holds up nobody else

  explicit UserActor(UserActorParts parts);

  /// Finds out what the kept hashes cost; messages wait until then.
  actor::Task<void> started(actor::Context& context);
  actor::Task<std::expected<SignedInUser, LoginError>> handle(VerifyPassword message, actor::Context& context);
  actor::Task<std::expected<PasswordChanged, PasswordChangeError>> handle(ChangePassword message,
                                                                          actor::Context& context);
  actor::Task<std::expected<User, UserError>> handle(AddUser message, actor::Context& context);
  actor::Task<std::optional<User>> handle(GetUser message);
  actor::Task<std::vector<User>> handle(ListUsers message);
  actor::Task<std::vector<User>> handle(ListUserPage message);
  actor::Task<std::expected<ChangedUser, UserError>> handle(DisableUser message, actor::Context& context);
  actor::Task<std::expected<ChangedUser, UserError>> handle(EnableUser message, actor::Context& context);
  actor::Task<std::expected<ChangedUser, UserError>> handle(SetPassword message, actor::Context& context);
  actor::Task<std::expected<User, UserError>> handle(UpdateUser message, actor::Context& context);
  actor::Task<std::expected<UserRemoved, UserError>> handle(RemoveUser message, actor::Context& context);
  actor::Task<ScopeSet> handle(GetConsent message);
  actor::Task<ConsentRecorded> handle(RecordConsent message, actor::Context& context);
  actor::Task<ConsentRecorded> handle(RecordDenial message, actor::Context& context);
  actor::Task<std::vector<GrantedApplication>> handle(ListConsents message);
  actor::Task<ConsentRevoked> handle(RevokeConsent message, actor::Context& context);
  /// Told by itself, so that who was refused need not wait for the disk.
  struct NoteRefusal {
    AuditEvent event;
  };
  actor::Task<void> handle(NoteRefusal message);
  void inspect(actor::Inspection& out) const;

 private:
  /// Whose mistakes count against whoever shows this password: those of the account and its address, or of a device.
  struct Line {
    std::string account;
    std::string address;
    std::optional<std::string> device;
  };
  Line line_of(const UserName& name, const net::IpAddress& from, const std::optional<DeviceToken>& device,
               const std::optional<UserRecord>& user, base::UnixTime now) const;
  base::Duration wait_for(const Line& line, base::Instant now) const;
  LoginThrottle::Attempt begin(const Line& line);
  void count(const Line& line, bool is_right, base::Instant now);
  std::optional<DeviceToken> known_from_now_on(const UserRecord& user, actor::Context& context) const;
  void note_refused(const Cause& cause, std::string_view kind, std::string_view reason, actor::Context& context);
  actor::Task<std::expected<UserRecord, PasswordChangeError>> check_present(ChangePassword message,
                                                                            actor::Context& context);
  /// Changes a user in one transaction by `work`, which gives the families that have ended.
  template <class Work>
  actor::Task<std::expected<ChangedUser, UserError>> change(UserId id, AuditEvent event, Work work);
  void tell_revoked(const std::vector<FamilyId>& families) const;
  void note_cost(std::string_view phc);

  UserActorParts parts_;
  actor::Ref<PasswordHasher> hashers_;
  LoginThrottle throttle_;
  Auditor auditor_;
  RefusalBudget refusals_;
  crypto::TokenIds ids_;
  crypto::PasswordCost dearest_{.memory_kib = 0, .passes = 0};  // of the hashes that were seen
  std::int64_t logins_ = 0;
  std::int64_t failures_ = 0;
};

/// Why a user of this name, address and password is not added, or nothing.
std::optional<UserError> fault_in(const UserName& name, const std::optional<std::string>& email,
                                  const crypto::Password& password);

/// A user with those values, in the transaction that has found them: for the User Actor and the command line. Gives the
/// user as they are now. Errors: bad_name, bad_email, name_taken.
std::expected<User, UserError> change_user(Tables& tables, UserRecord user, const UserChange& change);

/// The record of a new user, for the User Actor and the command line; `fault_in` must have found nothing.
UserRecord make_user(const UserName& name, std::optional<std::string> email, std::string password_hash,
                     base::UnixTime now, base::Random& random);

/// Whether it has 8 to 256 bytes, none of them NUL.
bool is_good_password(const crypto::Password& password);

}  // namespace troupe::oauth
