// Users: the people who can sign in. Who they are by `sub`, which never changes.
#include <fmt/format.h>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"
#include "troupe/web/conditional.h"

namespace troupe::oauth::admin {
namespace {

constexpr int id_place = 3;

std::string json_of(const User& user) {
  std::string json;
  wire::JsonWriter writer{json};
  write_user(writer, user);
  return json;
}

OauthError error_of(UserError error) {
  if (error == UserError::unknown) return errors::not_found;
  if (error == UserError::name_taken) return errors::already_there;
  if (error == UserError::breached_password) return errors::breached_password;
  if (error == UserError::changed) return errors::changed_meanwhile;
  if (error == UserError::busy) return errors::temporarily_unavailable;
  return errors::invalid_request;
}

web::Response problem_of_user(const actor::Failure<UserError>& failure) {
  if (!failure.domain) return problem_of(errors::temporarily_unavailable);
  return problem_of(error_of(*failure.domain), fmt::format("It cannot be done: {}.", sentence(*failure.domain)));
}

/// What an administrator may change of a user, and what keeps them from signing in: who has seen all of it may change
/// it.
std::string etag_of(const User& user) {
  const std::string_view state = user.state == UserState::enabled ? "enabled" : "disabled";
  const std::string seen = fmt::format("{}\n{}\n{}", user.name.value(), user.email.value_or("\n"), state);
  return fmt::format("\"{}\"", crypto::hex(crypto::sha256(seen).view().substr(0, 8)));
}

web::Response answer_user(int status, const User& user) {
  auto response = answer(status, json_of(user));
  response.headers.set("ETag", etag_of(user));
  return response;
}

/// The user after a deed, and what has ended with it.
web::Response answer_changed(const actor::Answer<DisableUser>& changed) {
  if (!changed) return problem_of_user(changed.error());
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object();
  write_user_members(writer, changed->user);
  writer.member("grants_ended", changed->grants_ended).end_object();
  return answer(200, std::move(json));
}

UserId user_in(const web::Request& http) { return UserId{segment(http, id_place)}; }

/// The text of a member that must be there.
Read<std::string> read_text(const wire::Json& body, std::string_view name) {
  const std::string* text = body.string_at(name);
  if (text != nullptr) return *text;
  return std::unexpected(problem_of(errors::invalid_request, fmt::format("The member `{}` must be text.", name)));
}

/// The address in a body: text, or null for none.
Read<std::optional<std::string>> read_email(const wire::Json& body) {
  const wire::Json* given = body.find("email");
  if (given == nullptr || given->is_null()) return std::nullopt;
  auto text = read_text(body, "email");
  if (!text) return std::unexpected(std::move(text.error()));
  return *std::move(text);
}

/// A patch of a user (RFC 7396).
Read<UserChange> read_change(const wire::Json& body) {
  UserChange change;
  if (body.find("preferred_username") != nullptr) {
    auto name = read_text(body, "preferred_username");
    if (!name) return std::unexpected(std::move(name.error()));
    change.name = UserName{*std::move(name)};
  }
  if (body.find("email") != nullptr) {
    auto email = read_email(body);
    if (!email) return std::unexpected(std::move(email.error()));
    change.email = *std::move(email);
  }
  return change;
}

}  // namespace

Task<web::Response> list_users(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"limit", "after"});
  if (!query) co_return std::move(query.error());
  auto wanted = read_page(*query, "users");
  if (!wanted) co_return std::move(wanted.error());
  auto users = co_await service->users.ask(ListUserPage{UserId{wanted->after.value_or("")}, wanted->limit + 1});
  if (!users) co_return problem_of(errors::temporarily_unavailable);
  const auto id_of_user = [](const User& user) { return user.id.value(); };
  auto last = cut(*users, wanted->limit, id_of_user);
  co_return answer_page("users", *users, std::move(last), id_of_user, write_user);
}

Task<web::Response> create_user(ServicePtr service, Caller caller, web::Request http) {
  auto body = read_body(http, {"preferred_username", "email", "password"});
  if (!body) co_return std::move(body.error());
  auto name = read_text(*body, "preferred_username");
  if (!name) co_return std::move(name.error());
  auto password = read_text(*body, "password");
  if (!password) co_return std::move(password.error());
  auto email = read_email(*body);
  if (!email) co_return std::move(email.error());
  auto added = co_await service->users.ask(AddUser{.name = UserName{*std::move(name)},
                                                   .email = *std::move(email),
                                                   .password = crypto::Password{*std::move(password)},
                                                   .cause = caller.cause});
  if (!added) co_return problem_of_user(added.error());
  auto response = answer_user(201, *added);
  response.headers.set("Location", fmt::format("/admin/v1/users/{}", added->id.value()));
  co_return response;
}

Task<web::Response> show_user(ServicePtr service, Caller, web::Request http) {
  auto user = co_await service->users.ask(GetUser{user_in(http)});
  if (!user) co_return problem_of(errors::temporarily_unavailable);
  if (!*user) co_return problem_of(errors::not_found);
  if (web::is_known(http, etag_of(**user))) co_return not_changed(etag_of(**user));
  co_return answer_user(200, **user);
}

Task<web::Response> update_user(ServicePtr service, Caller caller, web::Request http) {
  auto before = co_await service->users.ask(GetUser{user_in(http)});  // 1. as they were seen
  if (!before) co_return problem_of(errors::temporarily_unavailable);
  if (!*before) co_return problem_of(errors::not_found);
  const web::Seen seen = web::seen(http, etag_of(**before));
  if (seen == web::Seen::unsaid) co_return problem_of(errors::condition_missing);
  if (seen == web::Seen::other) co_return problem_of(errors::changed_meanwhile);

  auto body = read_body(http, {"preferred_username", "email"}, BodyType::merge_patch);  // 2. what is wanted
  if (!body) co_return std::move(body.error());
  auto change = read_change(*body);
  if (!change) co_return std::move(change.error());

  auto updated = co_await service->users.ask(  // 3. unless they have changed meanwhile
      UpdateUser{.seen = **std::move(before), .change = *std::move(change), .cause = caller.cause});
  if (!updated) co_return problem_of_user(updated.error());
  co_return answer_user(200, *updated);
}

Task<web::Response> disable_user(ServicePtr service, Caller caller, web::Request http) {
  auto dry_run = read_dry_run(http);
  if (!dry_run) co_return std::move(dry_run.error());
  if (*dry_run) co_return co_await answer_grants(std::move(service), {.user = user_in(http)}, **dry_run);
  auto changed = co_await service->users.ask(DisableUser{user_in(http), caller.cause});
  co_return answer_changed(changed);
}

Task<web::Response> enable_user(ServicePtr service, Caller caller, web::Request http) {
  auto changed = co_await service->users.ask(EnableUser{user_in(http), caller.cause});
  co_return answer_changed(changed);
}

Task<web::Response> set_password(ServicePtr service, Caller caller, web::Request http) {
  auto body = read_body(http, {"password"});
  if (!body) co_return std::move(body.error());
  auto password = read_text(*body, "password");
  if (!password) co_return std::move(password.error());
  auto changed =
      co_await service->users.ask(SetPassword{user_in(http), crypto::Password{*std::move(password)}, caller.cause});
  co_return answer_changed(changed);
}

Task<web::Response> delete_user(ServicePtr service, Caller caller, web::Request http) {
  auto dry_run = read_dry_run(http);
  if (!dry_run) co_return std::move(dry_run.error());
  auto before = co_await service->users.ask(GetUser{user_in(http)});
  if (!before) co_return problem_of(errors::temporarily_unavailable);
  const web::Seen seen = web::seen(http, *before ? etag_of(**before) : "");
  const bool is_bound = seen != web::Seen::unsaid;
  if (seen == web::Seen::other || (is_bound && !*before)) co_return problem_of(errors::changed_meanwhile);
  if (*dry_run) co_return co_await answer_grants(std::move(service), {.user = user_in(http)}, **dry_run);

  RemoveUser removal{.id = user_in(http), .cause = caller.cause};
  if (is_bound) removal.seen = *std::move(before);
  auto removed = co_await service->users.ask(std::move(removal));
  const bool is_gone = !removed && removed.error().domain == UserError::unknown;
  if (!removed && !is_gone) co_return problem_of_user(removed.error());
  co_return no_content();
}

}  // namespace troupe::oauth::admin
