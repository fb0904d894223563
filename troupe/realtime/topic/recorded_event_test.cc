// A publication that was on the disk is the same as before.
#include "troupe/realtime/topic/recorded_event.h"

#include <doctest/doctest.h>

#include "troupe/actor/codec.h"

namespace troupe::realtime {

TEST_CASE("a message comes back from the disk as it was: frame, payload, scope, key") {
  struct Row {
    Payload payload;
    TargetScope target;
    std::optional<RecordedKey> key;
  };
  const Row rows[] = {
      {{PayloadKind::json, R"({"a":1})"}, nullptr, std::nullopt},
      {{PayloadKind::binary, std::string("\0\xff\n", 3)}, std::make_shared<const std::string>("staff"), std::nullopt},
      {{PayloadKind::binary, ""}, nullptr, RecordedKey{UserId{"alice"}, KeyedOperation::broadcast, "k"}},
      {{PayloadKind::json, std::string(70'000, '7')}, nullptr, std::nullopt},
  };
  for (const Row& row : rows) {
    const Position position{Epoch{"e"}, 7};
    const UserId sender{"alice"};
    StoredMessage message{7, base::UnixTime{1234}, {}, row.target, row.key};
    message.message = encode_message({"log.a", position, sender, message.sent_at, row.payload});
    const auto back = message_of({7, record_of(message)});
    CHECK_EQ(back.offset, 7);
    CHECK(back.sent_at == message.sent_at);
    CHECK_EQ(back.message.frame.view(), message.message.frame.view());
    CHECK_EQ(back.message.payload(), row.payload.bytes);
    CHECK(back.message.kind == row.payload.kind);
    CHECK_EQ(with_shard(back.message, {"0", 3}).view(), with_shard(message.message, {"0", 3}).view());
    CHECK_EQ(static_cast<bool>(back.target), static_cast<bool>(row.target));
    if (row.target) CHECK_EQ(*back.target, *row.target);
    REQUIRE_EQ(back.key.has_value(), row.key.has_value());
    if (row.key) CHECK_EQ(back.key->key, row.key->key);
  }
}

TEST_CASE("what is no publication of this version is refused, and nobody takes it for an old one") {
  const actor::StoredEvent rows[] = {
      {1, {"Published", 2, ""}}, {1, {"Other", 1, ""}}, {1, {"Published", 1, "garbage"}}, {1, {"Published", 1, ""}}};
  for (const auto& row : rows) {
    CHECK_THROWS_AS(message_of(row), actor::MalformedRecord);
    CHECK_FALSE(is_older(row, base::UnixTime{INT64_MAX}));
  }
}

TEST_CASE("a record whose frame was damaged is refused, and stops nobody who would send it on") {
  StoredMessage message{7, base::UnixTime{1234}, {}, nullptr, std::nullopt};
  message.message =
      encode_message({"log.a", {Epoch{"e"}, 7}, UserId{"alice"}, message.sent_at, {PayloadKind::json, "1"}});
  const std::string whole{message.message.frame.view()};
  const auto comes_back = [&](std::string frame) {
    message.message.frame = base::Bytes{std::move(frame)};
    return message_of({7, record_of(message)}).message.frame.view() == message.message.frame.view();
  };
  CHECK(comes_back(whole));
  std::string masked = whole, renamed = whole;
  masked[1] = static_cast<char>(masked[1] | 0x80);
  renamed[whole.find("type")] = 'T';
  for (const std::string& damaged : {std::string{}, whole.substr(0, 1), whole.substr(0, whole.size() - 1), whole + "}",
                                     std::string{"\x81\x7f", 2}, masked, renamed, std::string(40, '1')}) {
    CAPTURE(damaged);
    CHECK_THROWS_AS(comes_back(damaged), actor::MalformedRecord);
  }
}

TEST_CASE("a topic is an entity of its own name, and other entities are no topics") {
  const auto topic = TopicName::parse("log.a").value();
  CHECK(topic_of(entity_of(topic)) == topic);
  for (const char* other : {"epoch", "topic/", "topic/a..b", "Account/1"}) {
    CHECK_FALSE(topic_of(actor::PersistenceId{other}).has_value());
  }
}

}  // namespace troupe::realtime
