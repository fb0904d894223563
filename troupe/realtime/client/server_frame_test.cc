// ServerFrameReader: it reads what protocol/answer.h writes, and refuses what is no frame.
#include "troupe/realtime/client/server_frame.h"

#include <doctest/doctest.h>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/message.h"

namespace troupe::realtime {
namespace {

using Type = ServerFrameType;
using wire::Opcode;

template <class Frame, class... Id>
ServerFrame reread(ServerFrameReader& reader, const Frame& frame, const Id&... id) {
  std::string text;
  append(text, frame, id...);
  auto read = reader.read(Opcode::text, text);
  REQUIRE(read.has_value());
  return *read;
}

TEST_CASE("what the server writes is read with all its fields") {
  ServerFrameReader reader;
  auto welcome = reread(reader, Welcome{.session = SessionId{"s"},
                                        .heartbeat_interval = std::chrono::milliseconds{25'000},
                                        .limits = {.messages_per_second = 1000},
                                        .resumed = true});
  CHECK_EQ(welcome.type, Type::welcome);
  CHECK_EQ(welcome.session, "s");
  CHECK_EQ(welcome.heartbeat_interval_ms, 25'000);
  CHECK(welcome.resumed);
  CHECK_EQ(welcome.messages_per_second, 1000);

  auto gap = reread(reader, Gap{"t", "e", 3, 5, GapReason::latest});
  CHECK_EQ(gap.type, Type::gap);
  CHECK_EQ(gap.from, 3);
  CHECK_EQ(gap.to, 5);
  CHECK_EQ(gap.reason, "latest");

  SubscriptionConfirmed confirmed;
  confirmed.topics.push_back({"a", {Epoch{"e"}, 7}, true, {}});
  confirmed.topics.push_back({"b.*", {}, false, {{"0", {Epoch{"x"}, 1}}, {"1", {Epoch{"y"}, 2}}}});
  auto both = reread(reader, confirmed, std::optional{RequestId{"1"}});
  CHECK_EQ(both.id, "1");
  REQUIRE_EQ(both.topics.size(), 2);
  CHECK_EQ(both.topics[0].name, "a");
  CHECK_EQ(both.topics[0].epoch, "e");
  CHECK_EQ(both.topics[0].offset, 7);
  CHECK(both.topics[0].recovered);
  CHECK_EQ(both.topics[1].name, "b.*");
  CHECK(both.topics[1].epoch.empty());
  CHECK(both.topics[0].shards.empty());
  REQUIRE_EQ(both.topics[1].shards.size(), 2);
  CHECK_EQ(both.topics[1].shards[1].name, "1");
  CHECK_EQ(both.topics[1].shards[1].epoch, "y");
  CHECK_EQ(both.topics[1].shards[1].seq, 2);

  auto error = reread(reader, ClientError{ErrorCode::forbidden, "no", std::chrono::milliseconds{20}},
                      std::optional{RequestId{"2"}});
  CHECK_EQ(error.code, "forbidden");
  CHECK_EQ(error.words, "no");
  CHECK_EQ(error.retry_after_ms, 20);
  auto ack = reread(reader, PublishAck{4, 1, {Epoch{"e"}, 9}, {}}, std::optional{RequestId{"3"}});
  CHECK_EQ(ack.delivered_to, 4);
  CHECK_EQ(ack.queued, 1);
  CHECK_EQ(ack.offset, 9);
}

TEST_CASE("a payload is the text that was published, or the bytes") {
  ServerFrameReader reader;
  for (std::string payload : {R"({"a" : [1, "\u00e9"]})", R"([])", R"("x\"y")", "17.5", "null"}) {
    auto encoded = encode_message({"t", {Epoch{"e"}, 1}, UserId{"u"}, {}, {PayloadKind::json, payload}});
    auto frame = reader.read(Opcode::text, wire::view_frame(encoded.frame.view()).payload);
    REQUIRE(frame.has_value());
    CHECK_EQ(frame->payload, payload);
    CHECK_EQ(frame->sender, "u");
  }
  auto encoded = encode_message({"t", {Epoch{"e"}, 1}, UserId{"u"}, {}, {PayloadKind::binary, "a\nb"}});
  auto frame = reader.read(Opcode::binary, wire::view_frame(encoded.frame.view()).payload);
  REQUIRE(frame.has_value());
  CHECK(frame->is_binary);
  CHECK_EQ(frame->payload, "a\nb");
  CHECK_EQ(frame->offset, 1);
}

TEST_CASE("what is no frame is refused, and what is unknown is passed over") {
  ServerFrameReader reader;
  for (std::string_view text : {"", "nonsense", "[]", "17", R"({"type":)", R"({"type":"gap","from":-1})"}) {
    CAPTURE(text);
    CHECK_FALSE(reader.read(Opcode::text, text).has_value());
  }
  CHECK_FALSE(reader.read(Opcode::binary, R"({"type":"message"})").has_value());
  auto other = reader.read(Opcode::text, R"({"type":"new","topic":17,"more":[{"x":[]}],"offset":2})");
  REQUIRE(other.has_value());
  CHECK_EQ(other->type, Type::other);
  CHECK_EQ(other->type_name, "new");
  CHECK_EQ(other->offset, 2);
}

}  // namespace
}  // namespace troupe::realtime
