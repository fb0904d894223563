// See audit_json.h.
#include "troupe/oauth/storage/audit_json.h"

#include <fmt/chrono.h>

#include <ctime>

namespace troupe::oauth {
namespace {

std::string time_text(base::UnixTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(time.seconds())),
                     time.milliseconds % 1000);
}

}  // namespace

void write_event(wire::JsonWriter& writer, const AuditEvent& event) {
  writer.begin_object()
      .member("id", event.id.text())
      .member("time", time_text(event.id.time()))
      .member("kind", event.kind);
  if (event.client) writer.member("client", event.client->value());
  if (event.user) writer.member("user", *event.user);
  if (event.family) writer.member("family", event.family->value());
  if (event.token) writer.member("token", event.token->text());
  if (!event.request.empty()) writer.member("request", event.request);
  if (!event.done_by.empty()) writer.member("by", event.done_by);
  if (!event.reason.empty()) writer.member("reason", event.reason);
  writer.end_object();
}

}  // namespace troupe::oauth
