// HistoryRecording: from frames to events; what a frame of the server leaves out, the frame of the client said.
#include "troupe/realtime/protocol/history_recording.h"

#include "troupe/wire/json.h"

namespace troupe::realtime {

namespace {

using wire::Json;

std::string text_at(const Json& json, std::string_view name) {
  const auto* text = json.string_at(name);
  return text == nullptr ? std::string{} : *text;
}

Offset offset_at(const Json& json, std::string_view name) {
  const auto* value = json.find(name);
  const auto* number = value == nullptr ? nullptr : value->integer();
  return number == nullptr || *number < 0 ? 0 : static_cast<Offset>(*number);
}

bool is_true(const Json& json, std::string_view name) {
  const auto* value = json.find(name);
  return value != nullptr && value->boolean() != nullptr && *value->boolean();
}

Position position_of(const Json& json) { return {Epoch{text_at(json, "epoch")}, offset_at(json, "offset")}; }

ShardPositions shards_of(const Json& json) {
  ShardPositions places;
  const auto* shards = json.find("shards");
  if (shards == nullptr || shards->object() == nullptr) return places;
  for (const auto& [shard, place] : *shards->object()) {
    places.emplace(shard, Position{Epoch{text_at(place, "epoch")}, offset_at(place, "seq")});
  }
  return places;
}

// What a message says, without the words of its frame.
std::string content_of(const Json& frame, const std::string* content) {
  if (content != nullptr) return *content;
  const auto* payload = frame.find("payload");
  return payload == nullptr ? std::string{} : wire::write_json(*payload);
}

}  // namespace

std::map<std::string, RecoverFrom, std::less<>> recover_of(const Json& frame) {
  std::map<std::string, RecoverFrom, std::less<>> recover;
  const auto* positions = frame.find(text_at(frame, "type") == "resume" ? "positions" : "recover");
  if (positions == nullptr || positions->object() == nullptr) return recover;
  for (const auto& [topic, place] : *positions->object()) {
    recover.insert_or_assign(topic, RecoverFrom{position_of(place), shards_of(place)});
  }
  return recover;
}

std::expected<void, std::string> HistoryRecording::line(std::string_view text) {
  checker_.at(++lines_);
  auto json = wire::parse_json(text, {.bytes_max = 64 * 1024 * 1024, .depth_max = 80});
  if (!json) return std::unexpected("not JSON: " + std::string{wire::text(json.error())});
  const auto* observer = json->string_at("observer");
  if (observer == nullptr) return std::unexpected("there is no `observer`");
  const auto* content = json->string_at("content");
  if (const auto* frame = json->find("received")) {
    received(*observer, *frame, content);
  } else if (const auto* said = json->find("sent")) {
    sent(*observer, *said, content);
  } else if (is_true(*json, "closed")) {
    checker_.closed(*observer);
    clients_.erase(*observer);
  } else {
    return std::unexpected("there is neither `sent` nor `received` nor `closed`");
  }
  return {};
}

void HistoryRecording::sent(const std::string& observer, const Json& frame, const std::string* content) {
  auto type = text_at(frame, "type");
  auto& client = clients_[observer];
  if (type == "subscribe" || type == "resume") {
    for (auto& [topic, from] : recover_of(frame)) client.recover.insert_or_assign(topic, std::move(from));
  } else if (type == "publish" && frame.string_at("id") != nullptr) {
    Publication publication{text_at(frame, "topic"), content_of(frame, content), is_true(frame, "exclude_self")};
    if (publication.exclude_self) checker_.left_out(observer, publication.topic);
    client.publications[text_at(frame, "id")] = std::move(publication);
  }
}

void HistoryRecording::received(const std::string& observer, const Json& frame, const std::string* content) {
  auto type = text_at(frame, "type");
  auto topic = text_at(frame, "topic");
  if (type == "message") {
    checker_.message(observer, topic, position_of(frame), content_of(frame, content),
                     {text_at(frame, "shard"), offset_at(frame, "seq")});
  } else if (type == "gap") {
    checker_.gap(observer, topic, text_at(frame, "epoch"), offset_at(frame, "from"), offset_at(frame, "to"));
  } else if (type == "subscription_confirmed" || type == "resumed" || type == "restarted") {
    confirmed(observer, frame);
  } else if (type == "unsubscribed" || type == "unsubscription_confirmed") {
    const auto* topics = frame.find("topics");
    if (topics == nullptr || topics->array() == nullptr) return;
    for (const auto& name : *topics->array()) {
      if (name.string() != nullptr) checker_.unsubscribed(observer, *name.string());
    }
  } else if (type == "ack" || type == "error") {
    auto& publications = clients_[observer].publications;
    auto found = publications.find(text_at(frame, "id"));
    if (found == publications.end()) return;
    const auto& [name, said, excluded] = found->second;
    if (!topic.empty() && topic != name) {  // a rule of the operator has sent it there
      if (type == "ack") checker_.acknowledged(observer, topic, position_of(frame), said, false);
    } else if (type == "ack") {
      checker_.acknowledged(observer, name, position_of(frame), said, excluded);
    }
    publications.erase(found);
  }
}

void HistoryRecording::confirmed(const std::string& observer, const Json& frame) {
  const auto* topics = frame.find("topics");
  if (topics == nullptr || topics->array() == nullptr) return;
  const bool restarted = text_at(frame, "type") == "restarted";
  auto& wanted = clients_[observer].recover;
  for (const auto& entry : *topics->array()) {
    if (entry.find("shards") != nullptr) continue;
    auto topic = text_at(entry, "topic");
    auto from = wanted.find(topic);
    bool recovered = is_true(entry, "recovered") && from != wanted.end();
    checker_.subscribed(observer, topic, position_of(entry),
                        recovered ? std::optional{from->second.position} : std::optional<Position>{});
    if (from != wanted.end() && !restarted) wanted.erase(from);
  }
  // Behind the names: a pattern that goes on from further back may bring of them what they have had already.
  for (const auto& entry : *topics->array()) {
    if (entry.find("shards") != nullptr) confirmed_pattern(observer, entry, restarted);
  }
}

void HistoryRecording::confirmed_pattern(const std::string& observer, const Json& entry, bool restarted) {
  const auto pattern = text_at(entry, "topic");
  if (restarted) return checker_.restarted_pattern(observer, pattern, shards_of(entry));
  auto wanted = clients_[observer].recover.extract(pattern);
  if (is_true(entry, "recovered") && !wanted.empty()) {
    checker_.recovered_pattern(observer, pattern, std::move(wanted.mapped().shards));
  } else {
    checker_.subscribed_pattern(observer, pattern, shards_of(entry));
  }
}

}  // namespace troupe::realtime
