// Frames as events: types, lines, base64, and what is special about some of them.
#include "troupe/realtime/protocol/event.h"

#include <doctest/doctest.h>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/message.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {
namespace {

std::string text_frame(std::string_view json) { return wire::encode_frame(wire::Opcode::text, json); }

TEST_CASE("an event has the type of its frame and the frame's JSON as data, line by line") {
  struct Row {
    std::string_view json, lines;
  };
  constexpr Row rows[] = {
      {R"({"type":"message","payload":1})", "event: message\ndata: {\"type\":\"message\",\"payload\":1}\n"},
      {"{\"type\":\"message\",\"payload\":[1,\n 2]}",
       "event: message\ndata: {\"type\":\"message\",\"payload\":[1,\ndata:  2]}\n"},
      {"{\"type\":\"a\",\"payload\":[\r\n1\r,2\n\n]}",
       "event: a\ndata: {\"type\":\"a\",\"payload\":[\ndata: 1\ndata: ,2\ndata: \ndata: ]}\n"},
      {R"({"type":"draining","reconnect_after_ms":417})",
       "event: draining\ndata: {\"type\":\"draining\",\"reconnect_after_ms\":417}\nretry: 417\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.json);
    CHECK_EQ(event_lines(text_frame(row.json)), row.lines);
    CHECK_EQ(text_of(text_frame(row.json)), row.json);
  }
}

TEST_CASE("frames of every length are read behind their heads") {
  for (std::size_t bytes : {10, 97, 98, 99, 65'000, 70'000}) {
    auto json = R"({"type":"message","payload":")" + std::string(bytes, 'x') + "\"}";
    CHECK_EQ(event_lines(text_frame(json)), "event: message\ndata: " + json + "\n");
  }
}

TEST_CASE("a binary payload stands as base64 in the JSON of its header") {
  Position position{Epoch{"e"}, 3};
  Payload payload{PayloadKind::binary, "\n\x01\xff{}\n"};
  auto message = encode_message({"a.b", position, UserId{"u"}, {}, payload});
  auto lines = event_lines(message.frame.view());
  CHECK(lines.starts_with("event: message\ndata: {\"type\":\"message\",\"topic\":\"a.b\""));
  CHECK(lines.ends_with(",\"payload_base64\":\"CgH/e30K\"}\n"));
  CHECK_EQ(std::ranges::count(lines, '\n'), 2);
}

TEST_CASE("the place in a shard is read of what came by a pattern, whatever else looks like it") {
  Position position{Epoch{"e"}, 3};
  for (auto kind : {PayloadKind::json, PayloadKind::binary}) {
    Payload payload{kind, R"({"x":1,"shard":"9","seq":9})"};
    MessageParts parts{"a.b", position, UserId{R"(","shard":"8","seq":8)"}, {}, payload};
    CHECK_FALSE(shard_place_of(encode_message(parts).frame.view()).has_value());
    auto frame = encode_message_by_pattern(parts, {"2", 71});
    auto place = shard_place_of(frame.view());
    REQUIRE(place.has_value());
    CHECK_EQ(place->shard, "2");
    CHECK_EQ(place->seq, 71);
  }
  CHECK_FALSE(shard_place_of(finished(Gap{"t", "e", 1, 2, GapReason::overflow}).view()).has_value());
}

TEST_CASE("every frame that the server may say unasked becomes an event") {
  auto lines = [](const base::Bytes& frame) { return event_lines(frame.view()); };
  CHECK(lines(finished(Gap{"t", "e", 1, 2, GapReason::overflow})).starts_with("event: gap\n"));
  CHECK(lines(finished(Draining{std::chrono::milliseconds{7}})).ends_with("\nretry: 7\n"));
  CHECK(lines(finished(TokenExpiring{{5}})).starts_with("event: token_expiring\n"));
  CHECK(lines(finished(Unsubscribed{{}, "forbidden"})).starts_with("event: unsubscribed\n"));
  CHECK(lines(finished(SubscriptionConfirmed{{}, 0}, std::optional<RequestId>{}))
            .starts_with("event: subscription_confirmed\n"));
}

TEST_CASE("the last event says why in words that break no line") {
  CHECK_EQ(closing_event(4001, "a\n\"b\""),
           "event: closed\ndata: {\"type\":\"closed\",\"code\":4001,\"reason\":\"a\\n\\\"b\\\"\"}\n\n");
}

}  // namespace
}  // namespace troupe::realtime
