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

// What a message says, without the words of its frame.
std::string content_of(const Json& frame, const std::string* content) {
  if (content != nullptr) return *content;
  const auto* payload = frame.find("payload");
  return payload == nullptr ? std::string{} : wire::write_json(*payload);
}

}  // namespace

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
    const auto* positions = frame.find(type == "subscribe" ? "recover" : "positions");
    if (positions == nullptr || positions->object() == nullptr) return;
    for (const auto& [topic, position] : *positions->object()) client.recover[topic] = position_of(position);
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
    checker_.message(observer, topic, position_of(frame), content_of(frame, content));
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
    if (type == "ack") checker_.acknowledged(observer, name, position_of(frame), said, excluded);
    publications.erase(found);
  }
}

void HistoryRecording::confirmed(const std::string& observer, const Json& frame) {
  const auto* topics = frame.find("topics");
  if (topics == nullptr || topics->array() == nullptr) return;
  auto& wanted = clients_[observer].recover;
  for (const auto& entry : *topics->array()) {
    auto topic = text_at(entry, "topic");
    if (entry.find("shards") != nullptr) {
      is_true(entry, "recovered") ? checker_.recovered_pattern(observer, topic) : checker_.subscribed_pattern(observer);
      continue;
    }
    auto from = wanted.find(topic);
    bool recovered = is_true(entry, "recovered") && from != wanted.end();
    checker_.subscribed(observer, topic, position_of(entry),
                        recovered ? std::optional{from->second} : std::optional<Position>{});
    if (from != wanted.end()) wanted.erase(from);
  }
}

}  // namespace troupe::realtime
