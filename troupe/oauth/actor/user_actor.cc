// See user_actor.h.
#include "troupe/oauth/actor/user_actor.h"

#include "troupe/base/check.h"
#include "troupe/oauth/actor/browser_session.h"
#include "troupe/oauth/actor/known_device.h"
#include "troupe/oauth/actor/readable_client.h"
#include "troupe/oauth/actor/user_endings.h"
#include "troupe/oauth/model/kept_scope.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t email_bytes_max = 254;  // RFC 5321, 4.5.3.1.3
constexpr std::size_t password_bytes_min = 8;
constexpr std::uint32_t memory_kib_max = 1024 * 1024;  // with the passes: of a hash, by any configuration
constexpr std::uint32_t passes_max = 64;
constexpr auto hashing_max = std::chrono::seconds{4};  // who asks waits for five, and is to hear that we are busy

bool is_good_name(const std::string& name) {
  if (name.empty() || name.size() > name_bytes_max || !wire::is_plain_utf8(name)) return false;
  return name.front() != ' ' && name.back() != ' ';
}

/// Not whether mail would arrive, which only sending some can tell.
bool is_good_email(const std::string& email) {
  const bool is_one_word = wire::is_plain_utf8(email) && !email.contains(' ');
  return is_one_word && email.size() <= email_bytes_max && email.find('@') > 0 && email.contains('@') &&
         !email.ends_with('@');
}

/// Why a login failed, for the audit trail alone.
std::string_view reason_of_failure(const std::optional<UserRecord>& user, const PasswordVerdict& verdict) {
  if (!user) return "unknown_user";
  if (!verdict.is_right) return "wrong_password";
  return user->user.state == UserState::enabled ? "changed_meanwhile" : "disabled";
}

/// Whether there can be such a user with such a password.
bool can_be_right(const VerifyPassword& message) {
  return message.name.value().size() <= name_bytes_max &&
         message.password.expose().size() <= crypto::password_bytes_max;
}

std::chrono::seconds rounded_up(base::Duration wait) { return std::chrono::ceil<std::chrono::seconds>(wait); }

}  // namespace

std::optional<UserError> fault_in(const UserName& name, const std::optional<std::string>& email,
                                  const crypto::Password& password) {
  if (!is_good_name(name.value())) return UserError::bad_name;
  if (email && !is_good_email(*email)) return UserError::bad_email;
  if (!is_good_password(password)) return UserError::bad_password;
  return std::nullopt;
}

std::expected<User, UserError> change_user(Tables& tables, UserRecord user, const UserChange& change) {
  if (change.name) {
    if (!is_good_name(change.name->value())) return std::unexpected(UserError::bad_name);
    const auto other = tables.users.find_by_name(*change.name);
    if (other && other->user.id != user.user.id) return std::unexpected(UserError::name_taken);
    user.user.name = *change.name;
  }
  if (change.email) {
    if (*change.email && !is_good_email(**change.email)) return std::unexpected(UserError::bad_email);
    user.user.email = *change.email;
  }
  const bool is_known = tables.users.update(user);
  INVARIANT(is_known, "a user is changed in the transaction that has found them");
  return user.user;
}

bool is_good_password(const crypto::Password& password) {
  const std::size_t bytes = password.expose().size();
  const bool can_be_typed = !password.expose().contains('\0');  // no form brings it
  return can_be_typed && bytes >= password_bytes_min && bytes <= crypto::password_bytes_max;
}

UserRecord make_user(const UserName& name, std::optional<std::string> email, std::string password_hash,
                     base::UnixTime now, base::Random& random) {
  return {.user = {.id = UserId{"u_" + crypto::TokenIds{}.next(now, random).text()},
                   .name = name,
                   .email = std::move(email),
                   .created_at = now},
          .password_hash = std::move(password_hash),
          .password_changed_at = now};
}

UserActor::UserActor(UserActorParts parts) : parts_(std::move(parts)), throttle_(parts_.throttle) {}

void UserActor::tell_revoked(const std::vector<FamilyId>& families) const {
  if (!parts_.watcher) return;
  for (const FamilyId& family : families) parts_.watcher.tell(TokensRevoked{family, std::nullopt});
}

actor::Task<void> UserActor::started(actor::Context& context) {
  const auto kept = co_await parts_.storage.read([](Tables& t) { return t.users.password_beginnings(); });
  for (const std::string& each : kept) note_cost(each);
  hashers_ = start_hashers(context, parts_.passwords);
}

/// Of hashes by which this server has not been refusing yet: another process may have made one that is dearer.
void UserActor::note_cost(std::string_view phc) {
  const auto cost = crypto::cost_of(phc);
  // A row that is damaged must not make all refusals dearer than any configuration can.
  if (!cost || cost->memory_kib > memory_kib_max || cost->passes > passes_max) return;
  dearest_ = crypto::dearer(dearest_, *cost);
}

UserActor::Line UserActor::line_of(const UserName& name, const net::IpAddress& from,
                                   const std::optional<DeviceToken>& device, const std::optional<UserRecord>& user,
                                   base::UnixTime now) const {
  // Names that nobody can have are one account, so that they take no more memory than others.
  Line line{name.value().size() <= name_bytes_max ? name.value() : "", net::counted_address(from).text(), std::nullopt};
  if (device && user) line.device = known_device(*device, *user, now, parts_.options->known_device);
  return line;
}

base::Duration UserActor::wait_for(const Line& line, base::Instant now) const {
  return line.device ? throttle_.wait_for_device(*line.device, now)
                     : throttle_.wait_for(line.account, line.address, now);
}

LoginThrottle::Attempt UserActor::begin(const Line& line) {
  return line.device ? throttle_.begin_by_device(*line.device) : throttle_.begin(line.account, line.address);
}

void UserActor::count(const Line& line, bool is_right, base::Instant now) {
  if (is_right && line.device) throttle_.device_succeeded(*line.device);
  if (is_right && !line.device) throttle_.succeeded(line.account);
  if (is_right) return;
  ++failures_;
  if (line.device) {
    throttle_.device_failed(*line.device, line.address, now);
  } else {
    throttle_.failed(line.account, line.address, now);
  }
}

std::optional<DeviceToken> UserActor::known_from_now_on(const UserRecord& user, actor::Context& context) const {
  if (parts_.options->known_device.count() == 0) return std::nullopt;
  return new_known_device(user, context.wall(), context.random());
}

actor::Task<std::expected<SignedInUser, LoginError>> UserActor::handle(VerifyPassword message,
                                                                       actor::Context& context) {
  using Reason = LoginError::Reason;
  const base::Instant until = context.now() + hashing_max;
  const auto find = [name = message.name](Tables& t) { return t.users.find_by_name(name); };
  std::optional<UserRecord> user;
  if (message.device) user = co_await parts_.storage.read(find);
  const Line line = line_of(message.name, message.from, message.device, user, context.wall());
  const base::Duration wait = wait_for(line, context.now());
  if (wait > base::Duration{}) {
    note_refused(message.cause, "login_refused", "slow_down", context);
    co_return std::unexpected(LoginError{Reason::slow_down, rounded_up(wait)});
  }
  const LoginThrottle::Attempt attempt = begin(line);
  if (!can_be_right(message)) {  // before it costs a hash; counted like any wrong password
    count(line, false, context.now());
    note_refused(message.cause, "login_failed", "too_long", context);
    co_return std::unexpected(LoginError{Reason::wrong});
  }
  if (!message.device) user = co_await parts_.storage.read(find);
  if (user) note_cost(user->password_hash);
  // The same work for a name that nobody has.
  auto checked = co_await hashers_.ask(CheckPassword{message.password, user ? user->password_hash : "", dearest_},
                                       {.within = until - context.now()});
  if (!checked) {
    note_refused(message.cause, "login_refused", "busy", context);
    co_return std::unexpected(LoginError{Reason::busy, std::chrono::seconds{2}});
  }
  PasswordVerdict verdict = std::move(*checked);

  const bool is_right = verdict.is_right && user && user->user.state == UserState::enabled;
  AuditEvent event = auditor_.event(context, message.cause, "login_failed", reason_of_failure(user, verdict));
  if (user) event = about(std::move(event), user->user.id);
  const bool may_enter = co_await parts_.storage.write([=, better = verdict.better_hash](Tables& t) {
    auto present = t.users.find(user ? user->user.id : UserId{});  // for a name that nobody has, the same work
    // Another password, or none any more, since the record was read: what was right is not so now.
    const bool is_same = present && user && present->password_changed_at == user->password_changed_at;
    const bool enters = is_right && is_same;
    AuditEvent noted = event;
    if (enters) noted.kind = "login_succeeded", noted.reason.clear();
    t.audit.append(noted);
    if (better && is_same && present->password_hash == user->password_hash) {
      present->password_hash = *better;
      t.users.update(*present);
    }
    return enters;
  });
  count(line, may_enter, context.now());
  if (!may_enter) co_return std::unexpected(LoginError{Reason::wrong});
  ++logins_;
  if (verdict.better_hash) user->password_hash = *std::move(verdict.better_hash);
  auto device = known_from_now_on(*user, context);
  co_return SignedInUser{std::move(user->user), user->password_changed_at, std::move(device)};
}

/// Whether this is the present password of the session's user: a wrong one counts as one at sign-in would.
actor::Task<std::expected<UserRecord, PasswordChangeError>> UserActor::check_present(ChangePassword message,
                                                                                     actor::Context& context) {
  using Reason = PasswordChangeError::Reason;
  const base::Instant until = context.now() + hashing_max;
  const base::UnixTime now = context.wall();
  const auto cookie = read_cookie(message.token);
  if (!cookie) co_return std::unexpected(PasswordChangeError{Reason::signed_out});
  auto user = co_await parts_.storage.read([cookie = *cookie, now, options = parts_.options](Tables& t) {
    const auto session = find_live(t, cookie, now, options);
    return session ? t.users.find(session->session.authentication.user) : std::nullopt;
  });
  if (!user) co_return std::unexpected(PasswordChangeError{Reason::signed_out});

  const Line line = line_of(user->user.name, message.from, message.device, user, now);
  const base::Duration wait = wait_for(line, context.now());
  if (wait > base::Duration{}) co_return std::unexpected(PasswordChangeError{Reason::slow_down, rounded_up(wait)});
  const LoginThrottle::Attempt attempt = begin(line);
  if (message.present.expose().size() <= crypto::password_bytes_max) {
    auto checked =
        co_await hashers_.ask(CheckPassword{message.present, user->password_hash}, {.within = until - context.now()});
    if (!checked) co_return std::unexpected(PasswordChangeError{Reason::busy, std::chrono::seconds{2}});
    if (checked->is_right) {
      count(line, true, context.now());
      co_return std::move(*user);
    }
  }
  count(line, false, context.now());
  AuditEvent event =
      about(auditor_.event(context, message.cause, "password_change_failed", "wrong_password"), user->user.id);
  co_await parts_.storage.write([event = std::move(event)](Tables& t) { t.audit.append(event); });
  co_return std::unexpected(PasswordChangeError{Reason::wrong});
}

actor::Task<std::expected<PasswordChanged, PasswordChangeError>> UserActor::handle(ChangePassword message,
                                                                                   actor::Context& context) {
  using Reason = PasswordChangeError::Reason;
  if (!is_good_password(message.next)) co_return std::unexpected(PasswordChangeError{Reason::bad_password});
  const base::Instant until = context.now() + hashing_max;
  auto user = co_await check_present(message, context);
  if (!user) co_return std::unexpected(user.error());
  auto hash = co_await hashers_.ask(HashPassword{message.next}, {.within = until - context.now()});
  if (!hash && hash.error().domain) co_return std::unexpected(PasswordChangeError{Reason::breached_password});
  if (!hash) co_return std::unexpected(PasswordChangeError{Reason::busy, std::chrono::seconds{2}});

  const base::UnixTime now = context.wall();
  const SessionId fresh{ids_.next(now, context.random()).text()};
  const SessionToken cookie = fresh_cookie(fresh, context.random());
  SessionRecord session = new_session(fresh, cookie, user->user.id, std::move(message.place), now, parts_.options);
  AuditEvent event = about(auditor_.event(context, message.cause, "password_changed", "by_its_user"), user->user.id);
  using Families = std::vector<FamilyId>;
  auto ended = co_await parts_.storage.write([user = *user, hash = *hash, session, now, event](Tables& t) {
    const auto present = t.users.find(user.user.id);
    // Gone, disabled, or given another password while this one was being hashed.
    const bool is_same = present && present->password_hash == user.password_hash;
    if (!is_same || present->user.state == UserState::disabled) return std::optional<Families>{};
    Families families = change_password(t, *present, hash, now);
    t.users.insert_session(session);
    t.audit.append(event);
    return std::optional{std::move(families)};
  });
  if (!ended) co_return std::unexpected(PasswordChangeError{Reason::signed_out});
  tell_revoked(*ended);
  user->password_hash = *std::move(hash);
  auto device = known_from_now_on(*user, context);
  co_return PasswordChanged{cookie, std::move(device)};
}

actor::Task<std::expected<User, UserError>> UserActor::handle(AddUser message, actor::Context& context) {
  if (const auto fault = fault_in(message.name, message.email, message.password)) co_return std::unexpected(*fault);
  auto hash = co_await hashers_.ask(HashPassword{message.password});
  if (!hash) co_return std::unexpected(hash.error().domain ? UserError::breached_password : UserError::busy);
  UserRecord user =
      make_user(message.name, std::move(message.email), std::move(*hash), context.wall(), context.random());
  AuditEvent event = about(auditor_.event(context, message.cause, "user_added"), user.user.id);
  const bool is_added = co_await parts_.storage.write([user, event](Tables& t) {
    if (t.users.find_by_name(user.user.name)) return false;
    t.users.insert(user);
    t.audit.append(event);
    return true;
  });
  if (!is_added) co_return std::unexpected(UserError::name_taken);
  co_return user.user;
}

actor::Task<std::optional<User>> UserActor::handle(GetUser message) {
  auto user = co_await parts_.storage.read([id = message.id](Tables& t) { return t.users.find(id); });
  if (!user) co_return std::nullopt;
  co_return std::move(user->user);
}

actor::Task<std::vector<User>> UserActor::handle(ListUsers) {
  auto users = co_await parts_.storage.read([](Tables& t) {
    std::vector<User> all;
    for (std::vector<UserRecord> page = t.users.list(UserId{}, 1000); !page.empty();
         page = t.users.list(all.back().id, 1000))
      for (UserRecord& record : page) all.push_back(std::move(record.user));
    return all;
  });
  std::ranges::sort(users, {}, &User::name);
  co_return users;
}

actor::Task<ScopeSet> UserActor::handle(GetConsent message) {
  auto consent =
      co_await parts_.storage.read([message](Tables& t) { return t.users.find_consent(message.user, message.client); });
  co_return consent ? std::move(consent->scope) : ScopeSet{};
}

actor::Task<ConsentRecorded> UserActor::handle(RecordConsent message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  AuditEvent event =
      about(about(auditor_.event(context, message.cause, "consent_given"), message.client), message.user);
  co_await parts_.storage.write([message, now, event](Tables& t) {
    if (!t.clients.find_standing(message.client)) return;  // removed meanwhile: nobody would remove this after it
    const auto before = t.users.find_consent(message.user, message.client);
    // What has no room beside it is asked for anew.
    const ScopeSet scope = before ? kept_with(message.scope, before->scope) : message.scope;
    t.users.put_consent({message.user, message.client, scope, now});
    t.audit.append(event);
  });
  co_return ConsentRecorded{};
}

actor::Task<ConsentRecorded> UserActor::handle(RecordDenial message, actor::Context& context) {
  AuditEvent event = about(
      about(auditor_.event(context, message.cause, "consent_denied", "by_its_user"), message.client), message.user);
  co_await parts_.storage.write([event = std::move(event)](Tables& t) { t.audit.append(event); });
  co_return ConsentRecorded{};
}

actor::Task<std::vector<GrantedApplication>> UserActor::handle(ListConsents message) {
  auto applications = co_await parts_.storage.read([user = message.user](Tables& t) {
    std::vector<GrantedApplication> found;
    for (ConsentRecord& consent : t.users.consents_of(user)) {
      const auto client = readable_client(t, consent.client);
      if (client)
        found.push_back({consent.client, client->metadata.name, std::move(consent.scope), consent.granted_at});
    }
    return found;
  });
  std::ranges::sort(applications, {}, [](const auto& each) { return std::pair{each.name, each.client}; });
  co_return applications;
}

actor::Task<ConsentRevoked> UserActor::handle(RevokeConsent message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  const base::UnixTime codes_since = now - parts_.options->code_ttl;
  const std::string_view reason = message.cause.by.empty() ? "by_its_user" : "administration";
  AuditEvent event =
      about(about(auditor_.event(context, message.cause, "consent_revoked", reason), message.client), message.user);
  auto ended = co_await parts_.storage.write([message, now, codes_since, event](Tables& t) {
    auto families = revoke_consent(t, message.user, message.client, now, codes_since);
    if (families) t.audit.append(event);
    return families;
  });
  if (ended) tell_revoked(*ended);
  co_return ConsentRevoked{};
}

void UserActor::note_refused(const Cause& cause, std::string_view kind, std::string_view reason,
                             actor::Context& context) {
  const auto noted = refusals_.note(reason, context.now());
  if (!noted) return;
  context.self(this).tell(NoteRefusal{auditor_.event(context, cause, kind, *noted)});
}

actor::Task<void> UserActor::handle(NoteRefusal message) {
  co_await parts_.storage.write([event = std::move(message.event)](Tables& t) { t.audit.append(event); });
}

void UserActor::inspect(actor::Inspection& out) const {
  out.add("logins", logins_);
  out.add("failures", failures_);
  out.add("refusals_unnoted", refusals_.unnoted());
}

}  // namespace troupe::oauth
