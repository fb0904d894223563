// See audit_webhook.h.
#include "troupe/app/platform/audit_webhook.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/app/platform/audit_strangers.h"
#include "troupe/app/telemetry/http_post.h"
#include "troupe/base/log.h"
#include "troupe/crypto/digest.h"
#include "troupe/oauth/storage/audit_json.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto answered_within = 5s;
constexpr std::string_view reader_name = "webhook";

}  // namespace

std::string webhook_signature(const base::Secret<std::string>& secret, base::UnixTime now, std::string_view body) {
  const crypto::Digest digest = crypto::hmac_sha256(secret.expose(), fmt::format("{}.{}", now.seconds(), body));
  return fmt::format("t={},v1={}", now.seconds(), crypto::hex(digest.view()));
}

AuditWebhook::AuditWebhook(oauth::Storage storage, AuditWebhookOptions options)
    : storage_(std::move(storage)),
      options_(std::move(options)),
      delivered_(
          options_.metrics->counter("troupe_webhook_events_total", "Events of the audit trail that the webhook took.")),
      failures_(options_.metrics->counter("troupe_webhook_failures_total",
                                          "Requests that the webhook did not take; they are made again.")) {
  if (options_.post) return;
  options_.post = [url = options_.url](const std::string& body, const std::string& signature) {
    return post_json(url, body, answered_within, {"Troupe-Signature: " + signature});
  };
}

actor::Task<void> AuditWebhook::handle(oauth::AuditSeen message, actor::Context& context) {
  if (context.now() < not_before_) co_return;
  std::string why;
  try {
    co_await hand_on(message.newest, context);
  } catch (const store::Error& error) {
    why = error.what();
  }
  if (!why.empty()) failed(why, context);
}

actor::Task<void> AuditWebhook::hand_on(crypto::TokenId newest, actor::Context& context) {
  if (!told_) {
    auto kept = co_await storage_.read([](oauth::Tables& t) { return t.audit.reader(reader_name); });
    told_ = kept.value_or(newest);
    if (!kept) co_await keep_place(newest);
  }
  while (*told_ < newest) {
    auto page = co_await storage_.read([after = *told_, count = options_.events_a_request](oauth::Tables& t) {
      return t.audit.page_after(after, count);
    });
    warn_of_strangers(page);
    if (page.rows.empty()) co_return;  // the newest one is gone: its time was over
    const crypto::TokenId last = page.rows.back().event.id;
    const bool is_taken = co_await deliver(std::move(page.rows), context);
    if (!is_taken) co_return;
    told_ = last;  // whatever becomes of its record: as long as this process lives it is not sent again
    co_await keep_place(last);
  }
}

/// Whether the receiver has taken them, or wants none of them.
actor::Task<bool> AuditWebhook::deliver(std::vector<oauth::AuditRow> rows, actor::Context& context) {
  std::string body;
  wire::JsonWriter writer{body};
  writer.begin_object().key("events").begin_array();
  std::int64_t count = 0;
  for (const oauth::AuditRow& row : rows) {
    if (!is_wanted(row.event)) continue;
    oauth::write_event(writer, row.event);
    ++count;
  }
  writer.end_array().end_object();
  if (count == 0) co_return true;
  std::string signature = webhook_signature(options_.secret, context.wall(), body);
  const std::string error =
      co_await actor::blocking([post = options_.post, body = std::move(body), signature = std::move(signature)] {
        return post(body, signature);
      });
  if (!error.empty()) {
    failed(error, context);
    co_return false;
  }
  delivered_.add(count);
  pause_ = {};
  co_return true;
}

actor::Task<void> AuditWebhook::keep_place(crypto::TokenId last) {
  co_await storage_.write([last](oauth::Tables& t) { t.audit.put_reader(reader_name, last); });
}

bool AuditWebhook::is_wanted(const oauth::AuditEvent& event) const {
  return options_.kinds.empty() || std::ranges::find(options_.kinds, event.kind) != options_.kinds.end();
}

void AuditWebhook::failed(std::string_view why, actor::Context& context) {
  failures_.add();
  pause_ = std::clamp(2 * pause_, options_.pause_min, options_.pause_max);
  not_before_ = context.now() + pause_;
  base::log::warning(
      "audit", "events do not get on to the webhook; it is tried again",
      {{"why", why}, {"again_in_seconds", std::chrono::duration_cast<std::chrono::seconds>(pause_).count()}});
}

void AuditWebhook::inspect(actor::Inspection& out) const {
  out.add("delivered", delivered_.value());
  out.add("failures", failures_.value());
}

}  // namespace troupe::app
