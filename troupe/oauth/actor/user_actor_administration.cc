// User Actor: what is done to people by those who administer. See user_actor.h.
#include "troupe/oauth/actor/user_actor.h"
#include "troupe/oauth/actor/user_endings.h"

namespace troupe::oauth {

std::string_view sentence(UserError error) noexcept {
  switch (error) {
    case UserError::name_taken:
      return "there is a user of this name already";
    case UserError::bad_name:
      return "a name has 1 to 64 bytes, no control characters, and no spaces at its ends";
    case UserError::bad_email:
      return "an address has an @ inside, no spaces, and at most 254 bytes";
    case UserError::bad_password:
      return "a password has 8 to 256 bytes";
    case UserError::breached_password:
      return "this password has become known to others, so it must be another one";
    case UserError::busy:
      return "too many passwords are being looked at";
    case UserError::changed:
      return "the user has changed meanwhile";
    case UserError::unknown:
      break;
  }
  return "there is no such user";
}

actor::Task<std::vector<User>> UserActor::handle(ListUserPage message) {
  auto users = co_await parts_.storage.read([message](Tables& t) {
    std::vector<User> page;
    for (UserRecord& record : t.users.list(message.after, message.count)) page.push_back(std::move(record.user));
    return page;
  });
  co_return users;
}

template <class Work>
actor::Task<std::expected<ChangedUser, UserError>> UserActor::change(UserId id, AuditEvent event, Work work) {
  struct Changed {
    User user;
    std::vector<FamilyId> ended;
  };
  auto changed = co_await parts_.storage.write([id, event, work](Tables& t) -> std::optional<Changed> {
    const auto before = t.users.find(id);
    if (!before) return std::nullopt;
    std::optional<std::vector<FamilyId>> ended = work(t, *before);
    if (ended) t.audit.append(event);
    return Changed{t.users.find(id).value().user, ended.value_or(std::vector<FamilyId>{})};
  });
  if (!changed) co_return std::unexpected(UserError::unknown);
  tell_revoked(changed->ended);
  co_return ChangedUser{std::move(changed->user), static_cast<int>(changed->ended.size())};
}

actor::Task<std::expected<ChangedUser, UserError>> UserActor::handle(DisableUser message, actor::Context& context) {
  AuditEvent event = about(auditor_.event(context, message.cause, "user_disabled"), message.id);
  return change(message.id, event, [now = context.wall()](Tables& t, const UserRecord& user) {
    if (user.user.state == UserState::disabled) return std::optional<std::vector<FamilyId>>{};
    return std::optional{disable_user(t, user, now)};
  });
}

actor::Task<std::expected<ChangedUser, UserError>> UserActor::handle(EnableUser message, actor::Context& context) {
  AuditEvent event = about(auditor_.event(context, message.cause, "user_enabled"), message.id);
  return change(message.id, event, [](Tables& t, const UserRecord& user) {
    if (user.user.state == UserState::enabled) return std::optional<std::vector<FamilyId>>{};
    enable_user(t, user);
    return std::optional{std::vector<FamilyId>{}};
  });
}

actor::Task<std::expected<ChangedUser, UserError>> UserActor::handle(SetPassword message, actor::Context& context) {
  if (!is_good_password(message.password)) co_return std::unexpected(UserError::bad_password);
  auto hash = co_await hashers_.ask(HashPassword{message.password});
  if (!hash) co_return std::unexpected(hash.error().domain ? UserError::breached_password : UserError::busy);
  AuditEvent event = about(auditor_.event(context, message.cause, "password_changed"), message.id);
  auto changed =
      co_await change(message.id, event, [hash = *hash, now = context.wall()](Tables& t, const UserRecord& user) {
        return std::optional{change_password(t, user, hash, now)};
      });
  co_return changed;
}

actor::Task<std::expected<User, UserError>> UserActor::handle(UpdateUser message, actor::Context& context) {
  AuditEvent event = about(auditor_.event(context, message.cause, "user_updated"), message.seen.id);
  auto changed = co_await parts_.storage.write([message, event](Tables& t) -> std::expected<User, UserError> {
    auto before = t.users.find(message.seen.id);
    if (!before) return std::unexpected(UserError::unknown);
    if (before->user != message.seen) return std::unexpected(UserError::changed);
    auto after = change_user(t, *std::move(before), message.change);
    if (after && *after != message.seen) t.audit.append(event);
    return after;
  });
  co_return changed;
}

actor::Task<std::expected<UserRemoved, UserError>> UserActor::handle(RemoveUser message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  AuditEvent event = about(auditor_.event(context, message.cause, "user_removed"), message.id);
  using Ended = std::expected<std::vector<FamilyId>, UserError>;
  auto ended = co_await parts_.storage.write([message, now, event](Tables& t) -> Ended {
    const auto before = t.users.find(message.id);
    if (!before) return std::unexpected(UserError::unknown);
    if (message.seen && before->user != *message.seen) return std::unexpected(UserError::changed);
    t.audit.append(event);
    return remove_user(t, message.id, now).value();
  });
  if (!ended) co_return std::unexpected(ended.error());
  tell_revoked(*ended);
  co_return UserRemoved{};
}

}  // namespace troupe::oauth
