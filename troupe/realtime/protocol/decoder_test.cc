// Decoder: every command, every bad frame with its answer, and payloads untouched.
#include "troupe/realtime/protocol/decoder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>

namespace troupe::realtime {
namespace {

template <class C>
C decoded(std::string_view text) {
  auto frame = Decoder{}.decode_text(text);
  REQUIRE_MESSAGE(frame.has_value(), text);
  return std::get<C>(std::move(frame->command));
}

TEST_CASE("each command is read with all its fields") {
  auto subscribe = decoded<Subscribe>(R"({"type":"subscribe","id":"1","topics":["chat.*","news"],
      "recover":{"news":{"epoch":"e1","offset":7},
                 "chat.*":{"x":[1],"shards":{"0":{"epoch":"s","seq":5},"1":{"seq":0,"epoch":"t"}}}},
      "overflow":"drop_newest"})");
  REQUIRE_EQ(subscribe.topics.size(), 2);
  CHECK_EQ(subscribe.topics[0].text(), "chat.*");
  REQUIRE_EQ(subscribe.recover.size(), 2);
  CHECK_EQ(subscribe.recover[0].first.text(), "news");
  CHECK_EQ(subscribe.recover[0].second.position, Position{Epoch{"e1"}, 7});
  CHECK_EQ(subscribe.recover[1].first.text(), "chat.*");
  CHECK_EQ(subscribe.recover[1].second.shards, ShardPositions{{"0", {Epoch{"s"}, 5}}, {"1", {Epoch{"t"}, 0}}});
  CHECK_EQ(subscribe.overflow, Overflow::drop_newest);

  CHECK_FALSE(decoded<Subscribe>(R"({"type":"subscribe","topics":["a"]})").overflow.has_value());

  CHECK_FALSE(subscribe.presence);
  CHECK(decoded<Subscribe>(R"({"type":"subscribe","topics":["a"],"presence":true})").presence);

  auto presence = decoded<GetPresence>(R"({"type":"presence","topic":"a","limit":7,"after":"bob"})");
  CHECK_EQ(presence.topic.text(), "a");
  CHECK_EQ(presence.limit, 7);
  CHECK_EQ(presence.after.value(), "bob");
  CHECK_EQ(decoded<GetPresence>(R"({"type":"presence","topic":"a"})").limit, 100);

  auto resume = decoded<Resume>(
      R"({"type":"resume","positions":{"a.b":{"epoch":"e1","offset":7},"c.*":{"shards":{"0":{"epoch":"e","seq":1}}}}})");
  REQUIRE_EQ(resume.positions.size(), 2);
  CHECK_EQ(resume.positions[0].first.text(), "a.b");
  CHECK_EQ(resume.positions[0].second.position, Position{Epoch{"e1"}, 7});
  CHECK_EQ(resume.positions[1].second.shards, ShardPositions{{"0", {Epoch{"e"}, 1}}});

  CHECK_EQ(decoded<Unsubscribe>(R"({"topics":["a"],"type":"unsubscribe"})").topics[0].text(), "a");

  const auto made = decoded<PublishPtr>(
      R"({"type":"publish","topic":"a.b","payload":{"x": 1},"exclude_self":true,"idempotency_key":"k"})");
  const auto& publish = *made;
  CHECK_EQ(publish.topic.text(), "a.b");
  CHECK_EQ(publish.payload.bytes, R"({"x": 1})");
  CHECK(publish.exclude_self);
  CHECK_EQ(publish.idempotency_key, "k");

  CHECK_EQ(decoded<Direct>(R"({"type":"direct","user":"bob","payload":null})").user.value(), "bob");
  CHECK_EQ(decoded<Received>(R"({"type":"received","offset":9007199254740991})").offset, offset_max);
  CHECK_FALSE(decoded<Received>(R"({"type":"received","offset":1})").epoch.has_value());
  CHECK_EQ(decoded<Received>(R"({"type":"received","epoch":"e","offset":1})").epoch, Epoch{"e"});

  auto newest = decoded<ReadHistory>(R"({"type":"history","topic":"a","limit":10})");
  CHECK_EQ(newest.direction, Direction::newest);
  CHECK_EQ(newest.limit, 10);
  auto since = decoded<ReadHistory>(R"({"type":"history","topic":"a","limit":1,"since":{"epoch":"e","offset":0}})");
  CHECK_EQ(since.direction, Direction::since);
  CHECK_EQ(since.position, Position{Epoch{"e"}, 0});
  auto before = decoded<ReadHistory>(R"({"type":"history","topic":"a","limit":1,"before":{"offset":3,"epoch":"e"}})");
  CHECK_EQ(before.direction, Direction::before);

  CHECK_EQ(decoded<Cancel>(R"({"type":"cancel","target":"7"})").target.value(), "7");
  CHECK_EQ(decoded<Authenticate>(R"({"type":"authenticate","token":"t"})").token.expose(), "t");
  decoded<GetInfo>(R"({"type":"info"})");
  CHECK_EQ(decoded<Ping>(R"({"type":"ping","timestamp": 1.50e3 })").timestamp, "1.50e3");
  CHECK_EQ(decoded<Ping>(R"({"type":"ping"})").timestamp, "");
}

TEST_CASE("a payload is passed on byte for byte") {
  const std::string_view payloads[] = {
      "null",
      "true",
      "-0.0E+10",
      "123456789012345678901234567890",
      R"("a\u0041\ud800 \/")",
      "[ ]",
      "{ }",
      R"({"b":1, "a":[1,2 , {"c":null}],  "a":2})",
      "[[[[]]]]",
      "\"\xf0\x9f\x98\x80\"",
      "1e999",
  };
  for (auto payload : payloads) {
    CAPTURE(payload);
    for (auto format :
         {R"({{"type":"publish","topic":"a","payload":{}}})", R"({{"payload" : {} ,"topic":"a","type":"publish"}})"}) {
      const auto publish = decoded<PublishPtr>(fmt::format(fmt::runtime(format), payload));
      CHECK_EQ(publish->payload.bytes, payload);
    }
  }
}

struct Refusal {
  std::string text;
  std::string_view message;  // a part of it
  std::string_view id = "";
};

void check_refused(const Refusal& row) {
  static Decoder decoder;
  CAPTURE(row.text.substr(0, 100));
  auto frame = decoder.decode_text(row.text);
  REQUIRE_FALSE(frame.has_value());
  CHECK_EQ(frame.error().error.code, ErrorCode::bad_request);
  CAPTURE(frame.error().error.message);
  CHECK(frame.error().error.message.find(row.message) != std::string::npos);
  CHECK_EQ(frame.error().id.value_or(RequestId{}).value(), row.id);
}

TEST_CASE("a frame that is no acceptable JSON is refused with a sentence") {
  auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const Refusal rows[] = {
      {"", "not valid JSON"},
      {"   ", "not valid JSON"},
      {"hello", "not valid JSON"},
      {"[]", "must be a JSON object"},
      {"\"x\"", "must be a JSON object"},
      {"{", "not valid JSON"},
      {R"({"type":"info")", "not valid JSON"},
      {R"({"type":"info"} x)", "not valid JSON"},
      {R"({"type":"info"}{})", "more than one"},
      {R"({"type":"info",})", "not valid JSON"},
      {R"({"type":"info" "id":"1"})", "not valid JSON"},
      {R"({type:"info"})", "not valid JSON"},
      {R"({'type':'info'})", "not valid JSON"},
      {"{\"type\":\"in\xff\"}", "not valid JSON"},
      {"{\"type\":\"in\nfo\"}", "not valid JSON"},
      {R"({"id":"7","type":"publish","topic":"a","payload":tru})", "not valid JSON", "7"},
      {R"({"id":"7","type":"publish","topic":"a","payload":01})", "not valid JSON", "7"},
      {R"({"id":"7","type":"publish","topic":"a","payload":1 2})", "not valid JSON", "7"},
      {R"({"id":"7","type":"publish","topic":"a","payload":[1,]})", "not valid JSON", "7"},
      {R"({"id":"7","type":"publish","topic":"a","payload":{"a" 1}})", "not valid JSON", "7"},
      {R"({"id":"7","type":"publish","topic":"a","payload":"\x"})", "not valid JSON", "7"},
      {R"({"id":"7","unknown":[["a":{}}]],"type":"info"})", "not valid JSON", "7"},
      {R"({"id":"7","unknown":[nul],"type":"info"})", "not valid JSON", "7"},
      {R"({"id":"7","type":"publish","topic":"a","payload":)" + nested(64) + "}", "deeper than 64", "7"},
      {R"({"x":)" + nested(5000) + "}", "deeper than 64"},
  };
  for (const auto& row : rows) check_refused(row);
}

TEST_CASE("a frame that is JSON but no command is refused with the name of the field") {
  const Refusal rows[] = {
      {R"({})", "`type` is missing"},
      {R"({"type":5,"id":"7"})", "`type` must be a string", "7"},
      {R"({"type":"dance","id":"7"})", "`type` is `dance`", "7"},
      {R"({"type":"info","type":"info"})", "`type` is given twice"},
      {R"({"id":"7","type":"publish","topic":"a","t\u006fpic":"b","payload":1})", "`topic` is given twice", "7"},
      {R"({"type":"info","id":7})", "`id` must be a string"},
      {R"({"type":"info","id":""})", "`id` is empty"},
      {R"({"type":"info","id":")" + std::string(65, 'x') + R"("})", "`id` is longer than 64 bytes"},
      {R"({"type":"publish","payload":1})", "`topic` is missing"},
      {R"({"type":"publish","topic":"a"})", "`payload` is missing"},
      {R"({"type":"publish","topic":["a"],"payload":1})", "`topic` must be a string"},
      {R"({"type":"publish","topic":"a.*","payload":1})", "`topic` has a wildcard"},
      {R"({"type":"publish","topic":"a..b","payload":1})", "`topic` has an empty segment"},
      {R"({"type":"publish","topic":"a","payload":1,"exclude_self":1})", "`exclude_self` must be true or false"},
      {R"({"type":"publish","topic":"a","payload":1,"idempotency_key":""})", "`idempotency_key` is empty"},
      {R"({"type":"subscribe"})", "`topics` is missing"},
      {R"({"type":"subscribe","topics":[]})", "`topics` is empty"},
      {R"({"type":"subscribe","topics":"a"})", "`topics` must be an array"},
      {R"({"type":"subscribe","topics":["a",5]})", "`topics` [1] must be a string"},
      {R"({"type":"subscribe","topics":["a","b."]})", "`topics` [1] has an empty segment"},
      {R"({"type":"subscribe","topics":["a","b","a"]})", "`topics` names `a` twice"},
      {R"({"type":"subscribe","topics":["a"],"overflow":"panic"})", "`overflow` must be"},
      {R"({"type":"subscribe","topics":["a"],"overflow":"block"})", "`overflow` cannot be block or backpressure"},
      {R"({"type":"subscribe","topics":["a"],"overflow":"backpressure"})", "`overflow` cannot be block"},
      {R"({"type":"subscribe","topics":["a"],"recover":[]})", "`recover` must be an object"},
      {R"({"type":"subscribe","topics":["a"],"recover":{"b":{"epoch":"e","offset":1}}})", "`recover` names a topic"},
      {R"({"type":"subscribe","topics":["a"],"recover":{"a":{"epoch":"e"}}})", "`recover` of `a` must be"},
      {R"({"type":"subscribe","topics":["a"],"recover":{"a":{"epoch":"e","offset":-1}}})", "`recover` of `a` must be"},
      {R"({"type":"subscribe","topics":["a"],"recover":{"a":{"epoch":"e","epoch":"e","offset":1}}})",
       "`recover` of `a`"},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"epoch":"e","offset":1}}})",
       "`recover` of `a.*` must be {\"shards\""},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":[]}})", "`recover` of `a.*` must be {\"shards\""},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"shards":[1]}}})", "must be an object of positions"},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"shards":{},"shards":{}}}})", "has `shards` twice"},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"shards":{"0":{"epoch":"e","offset":1}}}}})",
       "of shard `0` must be"},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"shards":{"0":7}}}})", "of shard `0` must be"},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"shards":{"0":{"epoch":"e","seq":1},)"
       R"("0":{"epoch":"e","seq":1}}}}})",
       "names shard `0` twice"},
      {R"({"type":"subscribe","topics":["a.*"],"recover":{"a.*":{"shards":{")" + std::string(33, 's') +
           R"(":{"epoch":"e","seq":1}}}}})",
       "a shard whose name is longer"},
      {R"({"type":"subscribe","topics":["a"],"recover":{"a":{"shards":{"0":{"epoch":"e","seq":1}}}}})",
       "`recover` of `a` must be {\"epoch\""},
      {R"({"type":"history","topic":"a"})", "`limit` is missing"},
      {R"({"type":"history","topic":"a","limit":0})", "`limit` must be from 1 to 1000"},
      {R"({"type":"history","topic":"a","limit":1001})", "`limit` must be from 1 to 1000"},
      {R"({"type":"history","topic":"a","limit":1.5})", "`limit` must be an integer"},
      {R"({"type":"history","topic":"a","limit":1,"since":5})", "`since` must be"},
      {R"({"type":"history","topic":"a","limit":1,"since":{"epoch":"e","offset":1},"before":{"epoch":"e","offset":1}})",
       "`before` excludes `since`"},
      {R"({"type":"received","offset":9007199254740992})", "`offset` must be an integer"},
      {R"({"type":"received","offset":"1"})", "`offset` must be an integer"},
      {R"({"type":"received","offset":1,"epoch":2})", "`epoch` must be a string"},
      {R"({"type":"direct","user":"","payload":1})", "`user` is empty"},
      {R"({"type":"direct","user":")" + std::string(201, 'u') + R"(","payload":1})", "`user` is longer than 200"},
      {R"({"type":"cancel"})", "`target` is missing"},
      {R"({"type":"authenticate","token":{}})", "`token` must be a string"},
      {R"({"type":"ping","timestamp":{}})", "`timestamp` must be"},
  };
  for (const auto& row : rows) check_refused(row);
}

TEST_CASE("a field of the wrong shape disturbs only the command that wants it") {
  decoded<Ping>(R"({"type":"ping","topics":5,"payload":{},"limit":"x","recover":[[]]})");
  decoded<GetInfo>(R"({"type":"info","colour":{"deep":[1,{"x":null}]}})");
}

TEST_CASE("a topic list longer than the limit is refused") {
  std::string topics;
  for (int i = 0; i < 1001; ++i) topics += fmt::format("{}\"t{}\"", i ? "," : "", i);
  auto frame = Decoder{}.decode_text(fmt::format(R"({{"type":"subscribe","topics":[{}]}})", topics));
  REQUIRE_FALSE(frame.has_value());
  CHECK_EQ(frame.error().error.message, "`topics` has more than 1000 topics");
}

TEST_CASE("each of as many topics as may be has its place, and one that is not among them is refused") {
  const auto frame = [](int known) {
    std::string topics, recover;
    for (int i = 0; i < known; ++i) topics += fmt::format("{}\"t{}\"", i > 0 ? "," : "", i * 7919 % 1000);
    for (int i = 0; i < 1000; ++i)
      recover += fmt::format(R"({}"t{}":{{"epoch":"e","offset":{}}})", i > 0 ? "," : "", i, i);
    return fmt::format(R"({{"type":"subscribe","topics":[{}],"recover":{{{}}}}})", topics, recover);
  };
  const auto subscribe = decoded<Subscribe>(frame(1000));
  CHECK_EQ(subscribe.topics.size(), 1000);
  REQUIRE_EQ(subscribe.recover.size(), 1000);
  CHECK_EQ(subscribe.recover[999].first.text(), "t999");
  check_refused({frame(999), "`recover` names a topic that `topics` does not"});
}

TEST_CASE("a binary frame is a header, a line feed and opaque bytes") {
  Decoder decoder;
  std::string_view bytes{"{\"type\":\"publish\",\"id\":\"1\",\"topic\":\"a\"}\n\x00\xff\n{", 43};
  auto frame = decoder.decode_binary(bytes);
  REQUIRE(frame.has_value());
  auto& publish = *std::get<PublishPtr>(frame->command);
  CHECK_EQ(publish.payload.kind, PayloadKind::binary);
  CHECK_EQ(publish.payload.bytes, bytes.substr(bytes.find('\n') + 1));

  auto empty = decoder.decode_binary("{\"type\":\"direct\",\"user\":\"bob\"}\n");
  REQUIRE(empty.has_value());
  CHECK_EQ(std::get<Direct>(empty->command).payload.bytes, "");

  const std::string refused[] = {
      "",
      "{}",
      "\n",
      std::string(5000, ' ') + "\n",
      "{\"type\":\"info\"}\n",
      "{\"type\":\"publish\"}\nx",
      "{\"type\":\"publish\",\"topic\":\"a\",\"payload\":1}\nx",
      "{\"type\":\"publish\",\"topic\":\"\xff\"}\nx",
  };
  for (const auto& text : refused) {
    CAPTURE(text.substr(0, 60));
    CHECK_FALSE(decoder.decode_binary(text).has_value());
  }
}

TEST_CASE("a frame cut anywhere is refused, and the decoder goes on") {
  Decoder decoder;
  std::string whole = R"({"type":"subscribe","id":"1","topics":["a","b.*"],"recover":{"a":{"epoch":"e","offset":1}}})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decoder.decode_text(whole.substr(0, size)).has_value());
  }
  CHECK(decoder.decode_text(whole).has_value());
  CHECK(decoder.decode_text(R"({"type":"publish","topic":"a","payload":")" + std::string(1 << 20, 'x') + "\"}")
            .has_value());
  CHECK(decoder.decode_text(whole).has_value());
}

TEST_CASE("a frame for which no memory is kept is read like any other") {
  Decoder decoder;
  const auto payload = '"' + std::string(1 << 20, 'x') + '"';
  const auto frame =
      decoder.decode_text(R"({"id":"\u0031","payload":)" + payload + R"(,"topic":"a.b","type":"publish"})");
  REQUIRE(frame.has_value());
  CHECK_EQ(frame->id, RequestId{"1"});
  const auto& publish = *std::get<PublishPtr>(frame->command);
  CHECK_EQ(publish.topic.text(), "a.b");
  CHECK(publish.payload.bytes == payload);
  const auto refused =
      decoder.decode_text(R"({"id":"2","payload":)" + payload + R"(,"topic":"a..b","type":"publish"})");
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().id, RequestId{"2"});
}

TEST_CASE("whatever bytes replace a part of a frame, it is read or refused") {
  CHECK(rc::check("no mutation breaks the decoder", [] {
    static Decoder decoder;
    std::string text =
        R"({"type":"history","id":"1","topic":"a.b","limit":10,"since":{"epoch":"e","offset":1},"x":[1,"\u0041"]})";
    auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    auto piece =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"{}[]:,\"\\u09eE+-. \nantrfl\xc3\xa9"}));
    text.replace(at, std::min<std::size_t>(piece.size(), text.size() - at), piece);
    auto frame = decoder.decode_text(text);
    RC_ASSERT(frame.has_value() || !frame.error().error.message.empty());
  }));
}

}  // namespace
}  // namespace troupe::realtime
