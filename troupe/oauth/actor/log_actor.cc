// See log_actor.h.
#include "troupe/oauth/actor/log_actor.h"

#include <algorithm>
#include <vector>

#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

constexpr std::uint32_t waiting_max = 10'000;  // about 5 MB, and a second of a busy database
constexpr std::size_t kind_bytes_max = 64;
constexpr std::size_t reason_bytes_max = 500;
constexpr std::size_t id_bytes_max = 200;
constexpr std::string_view prefix = "custom.";  // so that nobody can make an event that looks like one of ours

bool is_good_kind(std::string_view kind) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_good = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !kind.empty() && kind.size() <= kind_bytes_max && is_letter(kind.front()) &&
         std::ranges::all_of(kind, is_good);
}

bool is_good_id(std::string_view id) { return !id.empty() && id.size() <= id_bytes_max && wire::is_plain_utf8(id); }

}  // namespace

std::optional<std::string_view> fault_in(const LogEvent& event) {
  if (!is_good_kind(event.kind)) return "A kind is a word of a-z, 0-9 and _, of at most 64 bytes.";
  if (event.client && !is_good_id(event.client->value())) return "The client has 1 to 200 bytes of plain text.";
  if (event.user && !is_good_id(event.user->value())) return "The user has 1 to 200 bytes of plain text.";
  if (event.reason.size() > reason_bytes_max || !wire::is_plain_utf8(event.reason))
    return "The reason has at most 500 bytes of plain text.";
  return std::nullopt;
}

actor::Task<void> LogActor::handle(actor::Batch<LogEvent> batch, actor::Context& context) {
  std::vector<AuditEvent> events;
  for (const LogEvent& each : batch) {
    AuditEvent event = auditor_.event(context, each.cause, prefix, each.reason);
    event.kind += each.kind;
    if (each.client) event = about(std::move(event), *each.client);
    if (each.user) event = about(std::move(event), *each.user);
    events.push_back(std::move(event));
  }
  const auto count = static_cast<std::int64_t>(events.size());
  lost_ += count;  // until they are on the disk
  co_await storage_.write([events = std::move(events)](Tables& t) {
    for (const AuditEvent& event : events) t.audit.append(event);
  });
  lost_ -= count;
  logged_ += count;
}

void LogActor::inspect(actor::Inspection& out) const {
  out.add("logged", logged_);
  out.add("lost", lost_);
}

actor::ActorOptions log_actor_options() {
  return {.name = "log",
          .mailbox = {.capacity = waiting_max, .overflow = actor::Overflow::drop_newest},
          .restart = actor::Restart::permanent};
}

}  // namespace troupe::oauth
