// Users: the people who can sign in. Who they are by `sub`, which never changes.
#include <fmt/format.h>

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/request.h"

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
  if (error == UserError::busy) return errors::temporarily_unavailable;
  return errors::invalid_request;
}

web::Response problem_of_user(const actor::Failure<UserError>& failure) {
  if (!failure.domain) return problem_of(errors::temporarily_unavailable);
  return problem_of(error_of(*failure.domain), fmt::format("It cannot be done: {}.", sentence(*failure.domain)));
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

}  // namespace

Task<web::Response> list_users(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"limit", "after"});
  if (!query) co_return std::move(query.error());
  auto wanted = read_page(*query);
  if (!wanted) co_return std::move(wanted.error());
  auto users = co_await service->users.ask(ListUserPage{UserId{wanted->after.value_or("")}, wanted->limit + 1});
  if (!users) co_return problem_of(errors::temporarily_unavailable);
  std::string next;
  if (std::ssize(*users) > wanted->limit) {
    users->pop_back();
    next = cursor_of(users->back().id.value());
  }
  co_return answer_page("users", *users, next, write_user);
}

Task<web::Response> create_user(ServicePtr service, Caller caller, web::Request http) {
  auto body = read_body(http, {"preferred_username", "email", "password"});
  if (!body) co_return std::move(body.error());
  auto name = read_text(*body, "preferred_username");
  if (!name) co_return std::move(name.error());
  auto password = read_text(*body, "password");
  if (!password) co_return std::move(password.error());
  std::optional<std::string> email;
  if (const wire::Json* given = body->find("email"); given != nullptr && !given->is_null()) {
    auto text = read_text(*body, "email");
    if (!text) co_return std::move(text.error());
    email = *std::move(text);
  }
  auto added = co_await service->users.ask(AddUser{.name = UserName{*std::move(name)},
                                                   .email = std::move(email),
                                                   .password = crypto::Password{*std::move(password)},
                                                   .cause = caller.cause});
  if (!added) co_return problem_of_user(added.error());
  auto response = answer(201, json_of(*added));
  response.headers.set("Location", fmt::format("/admin/v1/users/{}", added->id.value()));
  co_return response;
}

Task<web::Response> show_user(ServicePtr service, Caller, web::Request http) {
  auto user = co_await service->users.ask(GetUser{user_in(http)});
  if (!user) co_return problem_of(errors::temporarily_unavailable);
  if (!*user) co_return problem_of(errors::not_found);
  co_return answer(200, json_of(**user));
}

Task<web::Response> disable_user(ServicePtr service, Caller caller, web::Request http) {
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
  auto removed = co_await service->users.ask(RemoveUser{user_in(http), caller.cause});
  const bool is_gone = !removed && removed.error().domain == UserError::unknown;
  if (!removed && !is_gone) co_return problem_of_user(removed.error());
  co_return no_content();
}

}  // namespace troupe::oauth::admin
