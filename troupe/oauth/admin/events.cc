// Events: the audit trail, to be read and never to be changed.
#include <fmt/format.h>

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"
#include "troupe/oauth/storage/audit_json.h"

namespace troupe::oauth::admin {
namespace {

Read<EventFilter> read_filter(const wire::Form& query) {
  auto since = read_moment(query, "since");
  if (!since) return std::unexpected(std::move(since.error()));
  auto until = read_moment(query, "until");
  if (!until) return std::unexpected(std::move(until.error()));
  EventFilter filter{.client = id_in<ClientId>(query, "client"),
                     .user = id_in<UserId>(query, "user"),
                     .family = id_in<FamilyId>(query, "grant"),
                     .since = *since,
                     .until = *until};
  if (const auto kind = query.get("kind")) filter.kind = std::string{*kind};
  return filter;
}

/// The text of a member; nothing where it is left out.
Read<std::optional<std::string>> read_text(const wire::Json& body, std::string_view name) {
  const wire::Json* member = body.find(name);
  if (member == nullptr) return std::nullopt;
  if (member->string() != nullptr) return *member->string();
  return std::unexpected(problem_of(errors::invalid_request, fmt::format("The member `{}` must be text.", name)));
}

Read<LogEvent> read_event(const wire::Json& body) {
  LogEvent event;
  auto kind = read_text(body, "kind");
  if (!kind) return std::unexpected(std::move(kind.error()));
  auto client = read_text(body, "client");
  if (!client) return std::unexpected(std::move(client.error()));
  auto user = read_text(body, "user");
  if (!user) return std::unexpected(std::move(user.error()));
  auto reason = read_text(body, "reason");
  if (!reason) return std::unexpected(std::move(reason.error()));
  event.kind = kind->value_or("");
  if (*client) event.client = ClientId{**client};
  if (*user) event.user = UserId{**user};
  event.reason = reason->value_or("");
  if (const auto fault = fault_in(event)) return std::unexpected(problem_of(errors::invalid_request, *fault));
  return event;
}

}  // namespace

Task<web::Response> list_events(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"kind", "client", "user", "grant", "since", "until", "limit", "after"});
  if (!query) co_return std::move(query.error());
  auto filter = read_filter(*query);
  if (!filter) co_return std::move(filter.error());
  auto wanted = read_timed_page(*query, "events");
  if (!wanted) co_return std::move(wanted.error());
  auto page = co_await service->trail.ask(ListEvents{*std::move(filter), wanted->after, wanted->limit});
  if (!page) co_return problem_of(errors::temporarily_unavailable);
  co_return answer_page(
      "events", page->events, key_text(page->next), [](const AuditEvent& event) { return event.id.text(); },
      write_event);
}

Task<web::Response> log_event(ServicePtr service, Caller caller, web::Request http) {
  auto body = read_body(http, {"kind", "client", "user", "reason"});
  if (!body) co_return std::move(body.error());
  auto event = read_event(*body);
  if (!event) co_return std::move(event.error());
  event->cause = caller.cause;
  service->log.tell(*std::move(event));  // nobody waits for it, and where there are too many it is dropped and counted
  co_return answer(202, "{}");
}

}  // namespace troupe::oauth::admin
