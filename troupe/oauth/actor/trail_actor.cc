// See trail_actor.h.
#include "troupe/oauth/actor/trail_actor.h"

namespace troupe::oauth {
namespace {

constexpr int step = 500;
constexpr int looked_max = 10'000;

bool is_wanted(const AuditEvent& event, const EventFilter& filter, const std::optional<std::string>& user) {
  if (filter.kind && event.kind != *filter.kind) return false;
  if (filter.client && event.client != filter.client) return false;
  if (filter.family && event.family != filter.family) return false;
  return !user || event.user == user;
}

/// The first id that is not wanted any more, from the newest backwards.
std::optional<crypto::TokenId> start_of(const ListEvents& wanted) {
  if (!wanted.filter.until) return wanted.before;
  const crypto::TokenId end = crypto::TokenId::first_at(*wanted.filter.until);
  return wanted.before && *wanted.before < end ? *wanted.before : end;
}

EventPage events_of(Tables& tables, const ListEvents& wanted) {
  std::optional<std::string> user;
  if (wanted.filter.user) user = audit_name_of(*wanted.filter.user);
  EventPage page;
  std::optional<crypto::TokenId> before = start_of(wanted);
  for (int looked = 0; looked < looked_max; looked += step) {
    const auto events = tables.audit.events(before, step);
    for (const AuditEvent& event : events) {
      if (wanted.filter.since && event.id.time() < *wanted.filter.since) return page;
      before = event.id;
      if (is_wanted(event, wanted.filter, user)) page.events.push_back(event);
      if (std::ssize(page.events) < wanted.count) continue;
      page.next = before;
      return page;
    }
    if (std::ssize(events) < step) return page;
  }
  page.next = before;
  return page;
}

}  // namespace

actor::Task<EventPage> TrailActor::handle(ListEvents message) {
  auto page = co_await storage_.read([message](Tables& t) { return events_of(t, message); });
  co_return page;
}

actor::Task<Noted> TrailActor::handle(RecordRefusal message, actor::Context& context) {
  const auto reason = known_.note("lacks " + message.scope, context.now());
  if (!reason) co_return Noted{};
  AuditEvent event = about(auditor_.event(context, message.cause, "administration_refused", *reason), message.client);
  co_await storage_.write([event = std::move(event)](Tables& t) { t.audit.append(event); });
  co_return Noted{};
}

actor::Task<void> TrailActor::handle(NoteRefusedCall message, actor::Context& context) {
  const auto reason = strangers_.note(message.reason, context.now());
  if (!reason) co_return;
  AuditEvent event = auditor_.event(context, message.cause, "administration_refused", *reason);
  co_await storage_.write([event = std::move(event)](Tables& t) { t.audit.append(event); });
}

}  // namespace troupe::oauth
