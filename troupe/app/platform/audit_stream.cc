// See audit_stream.h.
#include "troupe/app/platform/audit_stream.h"

#include "troupe/app/platform/audit_strangers.h"
#include "troupe/oauth/storage/audit_json.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr int page_rows = 200;
constexpr auto late_after = 1min;
constexpr auto publish_within = 5s;

}  // namespace

actor::Task<void> AuditStream::handle(oauth::AuditSeen message, actor::Context& context) {
  if (!memory_->told) memory_->told = message.newest;
  if (!memory_->realtime) co_return;
  while (*memory_->told < message.newest) {
    auto page = co_await storage_.read(
        [after = *memory_->told](oauth::Tables& t) { return t.audit.page_after(after, page_rows); });
    warn_of_strangers(page);
    if (page.rows.empty()) co_return;  // the newest one is gone: its time was over
    for (oauth::AuditRow& row : page.rows) {
      const crypto::TokenId id = row.event.id;
      const bool is_late = context.wall() - id.time() > late_after;
      const bool is_told = !is_late && co_await publish(std::move(row.event));
      ++(is_told ? published_ : left_out_);
      memory_->told = id;
    }
  }
}

/// Whether it is published for all that is known. What is not sure is not said twice.
actor::Task<bool> AuditStream::publish(oauth::AuditEvent event) {
  auto topic = realtime::TopicName::parse("system.oauth." + event.kind);
  if (!topic) co_return false;
  std::string json;
  wire::JsonWriter writer{json};
  oauth::write_event(writer, event);
  auto ack =
      co_await memory_->realtime.within(publish_within).ask(realtime::PublishOwn{*std::move(topic), std::move(json)});
  co_return ack.has_value();
}

void AuditStream::inspect(actor::Inspection& out) const {
  out.add("published", published_);
  out.add("left_out", left_out_);
}

}  // namespace troupe::app
