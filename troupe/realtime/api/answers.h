// What the HTTP API answers: the frames of the WebSocket as bodies, and a client's error as a
// problem (RFC 9457) with its status.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/error.h"
#include "troupe/realtime/topic/history.h"
#include "troupe/web/message.h"

namespace troupe::realtime::api {

/// Its status by its code; 429 and 503 with Retry-After.
web::Response problem_of(const ClientError& error);

/// 409: the idempotency key came before, with another body.
web::Response key_used_before();

/// 503 with Retry-After: somebody within did not answer.
web::Response no_answer();

/// A frame as the body of a 200.
template <class Frame>
web::Response body_of(const Frame& frame) {
  std::string json;
  append(json, frame, std::optional<RequestId>{});
  return web::json_response(200, std::move(json));
}

/// A page of history: {topic, epoch, complete, items}. A binary payload stands as base64 in `payload_base64`.
web::Response page_of(std::string_view topic, const HistoryPage& page);

}  // namespace troupe::realtime::api
