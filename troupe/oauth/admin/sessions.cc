// Sessions: the browsers in which a user is signed in.
#include <algorithm>

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"

namespace troupe::oauth::admin {
namespace {

constexpr int id_place = 3;

}  // namespace

Task<web::Response> list_sessions(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"user", "limit", "after"});
  if (!query) co_return std::move(query.error());
  auto wanted = read_page(*query, "sessions");
  if (!wanted) co_return std::move(wanted.error());
  const auto user = query->get("user");
  if (!user) co_return problem_of(errors::invalid_request, "The parameter `user` says whose sessions.");
  auto sessions = co_await service->sessions.ask(ListSessions{UserId{std::string{*user}}});
  if (!sessions) co_return problem_of(errors::temporarily_unavailable);

  std::ranges::sort(*sessions, {}, &Session::id);
  const SessionId after{wanted->after.value_or("")};
  std::erase_if(*sessions, [&](const Session& session) { return session.id <= after; });
  const auto id_of_session = [](const Session& session) { return session.id.value(); };
  auto last = cut(*sessions, wanted->limit, id_of_session);
  co_return answer_page("sessions", *sessions, std::move(last), id_of_session, write_session);
}

Task<web::Response> end_session(ServicePtr service, Caller caller, web::Request http) {
  const SessionId session{segment(http, id_place)};
  auto dry_run = read_dry_run(http);
  if (!dry_run) co_return std::move(dry_run.error());
  if (*dry_run) co_return co_await answer_grants(std::move(service), {.ends_with = session}, **dry_run);
  auto ended = co_await service->sessions.ask(EndNamedSession{session, caller.cause});
  if (!ended) co_return problem_of(errors::temporarily_unavailable);
  co_return no_content();
}

}  // namespace troupe::oauth::admin
