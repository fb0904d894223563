// Frames become events; what a frame of the server leaves out, the frame of the client said.
#include "troupe/realtime/client/history_witness.h"

#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

Position position_of(const wire::Json& json) {
  const auto* epoch = json.string_at("epoch");
  const auto* offset = json.find("offset");
  const auto* number = offset == nullptr ? nullptr : offset->integer();
  return {Epoch{epoch == nullptr ? std::string{} : *epoch}, number == nullptr ? 0 : static_cast<Offset>(*number)};
}

}  // namespace

void HistoryWitness::sent(wire::Opcode, std::string_view message) {
  const auto frame = wire::parse_json(message, {.bytes_max = 64 * 1024 * 1024, .depth_max = 80});
  if (!frame) return;
  const auto* type = frame->string_at("type");
  if (type == nullptr) return;
  if (*type == "publish") {
    const auto *id = frame->string_at("id"), *topic = frame->string_at("topic");
    const auto* payload = frame->find("payload");
    if (id != nullptr && topic != nullptr && payload != nullptr)
      published_.insert_or_assign(*id, std::pair{*topic, wire::write_json(*payload)});
    return;
  }
  const auto* positions = frame->find(*type == "resume" ? "positions" : "recover");
  if (positions == nullptr || positions->object() == nullptr) return;
  for (const auto& [topic, position] : *positions->object()) recover_.insert_or_assign(topic, position_of(position));
}

void HistoryWitness::received(wire::Opcode, std::string_view, const ServerFrame& frame) {
  switch (frame.type) {
    case ServerFrameType::message:
      return checker_.message(observer_, frame.topic, {Epoch{std::string{frame.epoch}}, frame.offset}, frame.payload);
    case ServerFrameType::gap:
      return checker_.gap(observer_, frame.topic, frame.epoch, frame.from, frame.to);
    case ServerFrameType::subscription_confirmed:
    case ServerFrameType::resumed:
      return confirmed(frame);
    case ServerFrameType::unsubscribed:
    case ServerFrameType::unsubscription_confirmed:
      for (const auto& topic : frame.topics) checker_.unsubscribed(observer_, topic.name);
      return;
    case ServerFrameType::ack:
    case ServerFrameType::error:
      return acknowledged(frame);
    default:
      return;
  }
}

void HistoryWitness::confirmed(const ServerFrame& frame) {
  for (const auto& topic : frame.topics) {
    if (topic.epoch.empty()) {
      checker_.subscribed_pattern(observer_);
      continue;
    }
    const auto wanted = recover_.find(topic.name);
    std::optional<Position> from;
    if (topic.recovered && wanted != recover_.end()) from = wanted->second;
    if (wanted != recover_.end()) recover_.erase(wanted);
    checker_.subscribed(observer_, topic.name, {Epoch{std::string{topic.epoch}}, topic.offset}, from);
  }
}

void HistoryWitness::acknowledged(const ServerFrame& frame) {
  const auto found = published_.find(frame.id);
  if (found == published_.end()) return;
  const auto [topic, payload] = std::move(found->second);
  published_.erase(found);
  if (frame.type == ServerFrameType::error) return;
  const auto& where = frame.topic.empty() ? topic : std::string{frame.topic};
  checker_.acknowledged(observer_, where, {Epoch{std::string{frame.epoch}}, frame.offset}, payload, false);
}

void HistoryWitness::closed() {
  checker_.closed(observer_);
  recover_.clear();
  published_.clear();
}

}  // namespace troupe::realtime
