// What the server says: each frame's text, and messages as finished frames.
#include "troupe/realtime/protocol/answer.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <simdjson.h>

#include "troupe/realtime/protocol/message.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

template <class Frame, class... Id>
std::string said(const Frame& frame, const Id&... id) {
  std::string text;
  append(text, frame, id...);
  return text;
}

// The payload of a server's unfragmented frame, and its opcode.
std::pair<int, std::string> unframed(std::string_view frame) {
  auto size = static_cast<unsigned char>(frame[1]);
  REQUIRE_LT(size, 128);  // servers do not mask
  std::size_t head = size == 126 ? 4 : size == 127 ? 10 : 2;
  return {static_cast<unsigned char>(frame[0]), std::string{frame.substr(head)}};
}

const std::optional<RequestId> id7 = RequestId{"7"};
const std::optional<RequestId> no_id;

TEST_CASE("each frame has the fields that the protocol names") {
  CHECK_EQ(said(Welcome{ConnectionId{"c1"}, UserId{"bob"}, SessionId{"s1"}, {17}, 25s, {1, 2, 3}}),
           R"({"type":"welcome","connection_id":"c1","user":"bob","session":"s1","resumed":false,"protocol_version":1,)"
           R"("server_time":17,"heartbeat_interval_ms":25000,)"
           R"("limits":{"frame_bytes":1,"messages_per_second":2,"subscriptions":3}})");
  CHECK_EQ(
      said(SubscriptionConfirmed{{{"a", {Epoch{"e"}, 5}, true, {}}, {"b.*", {}, false, {{"0", {Epoch{"f"}, 6}}}}}, 2},
           id7),
      R"({"type":"subscription_confirmed","id":"7","topics":[{"topic":"a","epoch":"e","offset":5,"recovered":true},)"
      R"({"topic":"b.*","shards":{"0":{"epoch":"f","seq":6}},"recovered":false}],"active_subscriptions":2})");
  const std::vector<UserId> users{UserId{"a"}, UserId{"b"}};
  CHECK_EQ(said(PresenceChanged{"t", users, {}}),
           R"({"type":"presence_changed","topic":"t","joined":["a","b"],"left":[]})");
  CHECK_EQ(said(PresenceState{"t", 3, users, UserId{"b"}}, id7),
           R"({"type":"presence_state","id":"7","topic":"t","count":3,"users":["a","b"],"next":"b"})");
  CHECK_EQ(said(Resumed{{{"a", {Epoch{"e"}, 5}, true, {}}}}, id7),
           R"({"type":"resumed","id":"7","topics":[{"topic":"a","epoch":"e","offset":5,"recovered":true}]})");
  CHECK_EQ(said(UnsubscriptionConfirmed{{TopicPattern::parse("a").value()}, 0}, no_id),
           R"({"type":"unsubscription_confirmed","topics":["a"],"active_subscriptions":0})");
  CHECK_EQ(said(PublishAck{3, 1, {Epoch{"e"}, 9}}, id7),
           R"({"type":"ack","id":"7","delivered_to":3,"queued":1,"epoch":"e","offset":9})");
  CHECK_EQ(said(DirectAck{MessageId{"m"}, {ConnectionId{"c1"}, ConnectionId{"c2"}}, 0}, id7),
           R"({"type":"ack","id":"7","message_id":"m","connections":["c1","c2"],"queued":0})");
  CHECK_EQ(said(Ack{}, id7), R"({"type":"ack","id":"7"})");
  CHECK_EQ(said(HistoryEnd{HistoryEnding::incomplete}, id7), R"({"type":"history_end","id":"7","complete":false})");
  CHECK_EQ(said(HistoryEnd{HistoryEnding::cancelled}, id7),
           R"({"type":"history_end","id":"7","complete":false,"cancelled":true})");
  CHECK_EQ(said(Pong{"\"x\""}, id7), R"({"type":"pong","id":"7","timestamp":"x"})");
  CHECK_EQ(said(Pong{}, no_id), R"({"type":"pong"})");
  CHECK_EQ(said(Info{ConnectionId{"c"}, UserId{"u"}, 1, 2, 3ms}, no_id),
           R"({"type":"info","connection_id":"c","user":"u","subscriptions":1,"queue":2,"rtt_ms":3})");
  CHECK_EQ(said(Authenticated{UserId{"u"}, base::UnixTime{8}}, no_id),
           R"({"type":"authenticated","user":"u","expires_at":8})");
  CHECK_EQ(said(Gap{"a", "e", 3, 4, GapReason::latest}),
           R"({"type":"gap","topic":"a","epoch":"e","from":3,"to":4,"reason":"latest"})");
  CHECK_EQ(said(TokenExpiring{{9}}), R"({"type":"token_expiring","expires_at":9})");
  CHECK_EQ(said(Unsubscribed{{TopicPattern::parse("a").value()}, "forbidden"}),
           R"({"type":"unsubscribed","topics":["a"],"reason":"forbidden"})");
  CHECK_EQ(said(Draining{5ms}), R"({"type":"draining","reconnect_after_ms":5})");
  CHECK_EQ(said(ClientError{ErrorCode::rate_limited, "say \"less\"\n", 7ms}, id7),
           R"({"type":"error","id":"7","code":"rate_limited","message":"say \"less\"\n","retry_after_ms":7})");
}

TEST_CASE("a message is one finished frame in which the payload lies as it came") {
  Position position{Epoch{"e"}, 3};
  UserId sender{"bob"};
  Payload payload{PayloadKind::json, R"({"x": 1})"};
  auto message = encode_message({"a.b", position, sender, {17}, payload});
  auto [head, text] = unframed(message.frame.view());
  CHECK_EQ(head, 0x81);
  CHECK_EQ(text,
           R"({"type":"message","topic":"a.b","epoch":"e","offset":3,"sender":"bob","sent_at":17,"payload":{"x": 1}})");
  CHECK_EQ(message.payload(), payload.bytes);
  CHECK_GE(message.payload().data(), message.frame.data());

  auto by_pattern = encode_message_by_pattern({"a.b", position, sender, {17}, payload}, {"2", 8});
  CHECK_EQ(with_shard(message, {"2", 8}).view(), by_pattern.view());
  CHECK_EQ(
      unframed(by_pattern.view()).second,
      R"({"type":"message","topic":"a.b","epoch":"e","offset":3,"sender":"bob","sent_at":17,"shard":"2","seq":8,"payload":{"x": 1}})");

  CHECK_EQ(unframed(encode_history_item("a.b", position, {17}, message, id7).view()).second,
           R"({"type":"history_item","id":"7","topic":"a.b","epoch":"e","offset":3,"sent_at":17,"payload":{"x": 1}})");

  MessageId id{"m1"};
  CHECK_EQ(
      unframed(encode_direct({sender, id, {Epoch{"e"}, 4}, {17}, payload}).frame.view()).second,
      R"({"type":"direct","from":"bob","message_id":"m1","epoch":"e","offset":4,"sent_at":17,"payload":{"x": 1}})");
}

TEST_CASE("a binary message keeps its bytes behind a header") {
  Position position{Epoch{"e"}, 3};
  UserId sender{"bob"};
  Payload payload{PayloadKind::binary, std::string{"\x00\n\xff", 3}};
  auto message = encode_message({"a", position, sender, {17}, payload});
  auto [head, bytes] = unframed(message.frame.view());
  CHECK_EQ(head, 0x82);
  CHECK_EQ(bytes, R"({"type":"message","topic":"a","epoch":"e","offset":3,"sender":"bob","sent_at":17})"
                  "\n" +
                      payload.bytes);
  CHECK_EQ(message.payload(), payload.bytes);
  CHECK_EQ(unframed(encode_history_item("a", position, {17}, message, no_id).view()).second,
           R"({"type":"history_item","topic":"a","epoch":"e","offset":3,"sent_at":17})"
           "\n" +
               payload.bytes);
}

TEST_CASE("the head of a frame fits its length") {
  for (std::size_t size : {0, 1, 200, 70000}) {
    Payload payload{PayloadKind::json, '"' + std::string(size, 'x') + '"'};
    auto message = encode_message({"a", Position{}, UserId{}, {}, payload});
    auto text = unframed(message.frame.view()).second;
    CHECK(text.starts_with("{\"type\":\"message\""));
    CHECK(text.ends_with(payload.bytes + "}"));
  }
}

TEST_CASE("whatever a string holds, it is written as valid JSON that reads back the same") {
  CHECK(rc::check("strings survive", [] {
    // ASCII with its control characters; other characters pass through unchanged.
    auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)) + "\xc3\xa9";
    simdjson::dom::parser parser;
    auto json = said(ClientError{ErrorCode::internal, text, {}}, no_id);
    std::string_view back;
    RC_ASSERT(!parser.parse(json)["message"].get(back));
    RC_ASSERT(back == text);
  }));
}

}  // namespace
}  // namespace troupe::realtime
