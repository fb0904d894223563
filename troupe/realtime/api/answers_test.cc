// What errors become by HTTP, and how a page of history is written.
#include "troupe/realtime/api/answers.h"

#include <doctest/doctest.h>

#include "troupe/realtime/protocol/message.h"

namespace troupe::realtime::api {
namespace {

using namespace std::chrono_literals;

TEST_CASE("each error has its status and its code, and says when to come again where that helps") {
  struct Row {
    ErrorCode code;
    std::optional<std::chrono::milliseconds> retry_after;
    int status;
    std::string_view header;  // Retry-After
  };
  const Row rows[] = {
      {ErrorCode::bad_request, {}, 400, ""},       {ErrorCode::unauthorized, {}, 401, ""},
      {ErrorCode::forbidden, {}, 403, ""},         {ErrorCode::not_found, {}, 404, ""},
      {ErrorCode::too_large, {}, 413, ""},         {ErrorCode::rate_limited, 1ms, 429, "1"},
      {ErrorCode::rate_limited, 2001ms, 429, "3"}, {ErrorCode::rate_limited, 0ms, 429, "1"},
      {ErrorCode::overloaded, {}, 503, "1"},       {ErrorCode::internal, {}, 500, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(text(row.code));
    auto response = problem_of({row.code, "what was wrong", row.retry_after});
    CHECK_EQ(response.status, row.status);
    CHECK_EQ(response.headers.get("Retry-After").value_or(""), row.header);
    auto code = '"' + std::string{text(row.code)} + '"';
    CHECK_NE(response.body.view().find("\"code\":" + code), std::string_view::npos);
    CHECK_NE(response.body.view().find("what was wrong"), std::string_view::npos);
  }
  CHECK_EQ(key_used_before().status, 409);
  CHECK_EQ(no_answer().status, 503);
}

TEST_CASE("a page has its payloads as they came, and binary ones as base64") {
  UserId sender{"u"};
  auto kept = [&](Offset offset, const Payload& payload) {
    Position position{Epoch{"e"}, offset};
    KeptMessage message;
    message.offset = offset;
    message.sent_at = {7};
    message.message = encode_message({"a", position, sender, {7}, payload});
    return message;
  };
  HistoryPage page{{kept(3, {PayloadKind::json, "[1 ,2]"}), kept(4, {PayloadKind::binary, "\x01"})}, true, Epoch{"e"}};
  CHECK_EQ(page_of("a", page).body.view(),
           R"({"topic":"a","epoch":"e","complete":true,"items":[{"offset":3,"sent_at":7,"payload":[1 ,2]},)"
           R"({"offset":4,"sent_at":7,"payload_base64":"AQ=="}]})");
}

}  // namespace
}  // namespace troupe::realtime::api
