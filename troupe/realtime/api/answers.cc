// See answers.h.
#include "troupe/realtime/api/answers.h"

#include <algorithm>

#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::realtime::api {

namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_request:
      return 400;
    case ErrorCode::unauthorized:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::rate_limited:
      return 429;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::overloaded:
      return 503;
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

}  // namespace

web::Response problem_of(const ClientError& error) {
  auto response = web::problem(status_of(error.code), error.message, text(error.code));
  if (error.code == ErrorCode::rate_limited || error.code == ErrorCode::overloaded) {
    auto wait = std::chrono::ceil<std::chrono::seconds>(error.retry_after.value_or(std::chrono::seconds{1}));
    response.headers.set("Retry-After", std::to_string(std::max<std::int64_t>(wait.count(), 1)));
  }
  return response;
}

web::Response key_used_before() {
  return web::problem(409, "the idempotency key was used with another body", text(ErrorCode::bad_request));
}

web::Response no_answer() {
  return problem_of({ErrorCode::overloaded, "the service does not answer now; try again", {}});
}

web::Response page_of(std::string_view topic, const HistoryPage& page) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object()
      .member("topic", topic)
      .member("epoch", page.epoch.value())
      .member("complete", page.complete)
      .key("items")
      .begin_array();
  for (const auto& item : page.items) {
    writer.begin_object()
        .member("offset", item.offset)
        .member("sent_at", static_cast<std::uint64_t>(item.sent_at.milliseconds));
    auto payload = item.message.payload();
    if (item.message.kind == PayloadKind::binary) {
      writer.member("payload_base64", wire::to_base64(payload));
    } else {
      writer.key("payload").raw(payload);
    }
    writer.end_object();
  }
  writer.end_array().end_object();
  return web::json_response(200, std::move(json));
}

}  // namespace troupe::realtime::api
