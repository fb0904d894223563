// Frames become events; what a frame of the server leaves out, the frame of the client said.
#include "troupe/realtime/client/history_witness.h"

#include "troupe/realtime/protocol/history_recording.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {

void HistoryWitness::sent(wire::Opcode, std::string_view message) {
  const auto frame = wire::parse_json(message, {.bytes_max = 64 * 1024 * 1024, .depth_max = 80});
  if (!frame) return;
  const auto* type = frame->string_at("type");
  if (type == nullptr) return;
  if (*type == "publish") {
    const auto *id = frame->string_at("id"), *topic = frame->string_at("topic");
    const auto* payload = frame->find("payload");
    if (id == nullptr || topic == nullptr || payload == nullptr) return;
    const auto* excludes = frame->find("exclude_self");
    const bool exclude_self = excludes != nullptr && excludes->boolean() != nullptr && *excludes->boolean();
    if (exclude_self) checker_.left_out(observer_, *topic);
    published_.insert_or_assign(*id, Publication{*topic, wire::write_json(*payload), exclude_self});
    return;
  }
  for (auto& [name, from] : recover_of(*frame)) recover_.insert_or_assign(name, std::move(from));
}

void HistoryWitness::received(wire::Opcode, std::string_view, const ServerFrame& frame) {
  switch (frame.type) {
    case ServerFrameType::message:
      return checker_.message(observer_, frame.topic, {Epoch{std::string{frame.epoch}}, frame.offset}, frame.payload,
                              {frame.shard, frame.seq});
    case ServerFrameType::gap:
      return checker_.gap(observer_, frame.topic, frame.epoch, frame.from, frame.to);
    case ServerFrameType::subscription_confirmed:
    case ServerFrameType::resumed:
    case ServerFrameType::restarted:
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
  const bool restarted = frame.type == ServerFrameType::restarted;
  for (const auto& topic : frame.topics) {
    if (topic.epoch.empty()) {
      confirmed_pattern(topic, restarted);
      continue;
    }
    const auto wanted = recover_.find(topic.name);
    std::optional<Position> from;
    if (topic.recovered && wanted != recover_.end()) from = wanted->second.position;
    if (wanted != recover_.end() && !restarted) recover_.erase(wanted);
    checker_.subscribed(observer_, topic.name, {Epoch{std::string{topic.epoch}}, topic.offset}, from);
  }
}

void HistoryWitness::confirmed_pattern(const ServerFrame::Topic& topic, bool restarted) {
  ShardPositions places;
  for (const auto& shard : topic.shards) {
    places.emplace(shard.name, Position{Epoch{std::string{shard.epoch}}, shard.seq});
  }
  if (restarted) return checker_.restarted_pattern(observer_, topic.name, std::move(places));
  const auto found = recover_.find(topic.name);
  std::optional<ShardPositions> from;
  if (found != recover_.end()) {
    if (topic.recovered) from = std::move(found->second.shards);
    recover_.erase(found);
  }
  if (from) {
    checker_.recovered_pattern(observer_, topic.name, *std::move(from));
  } else {
    checker_.subscribed_pattern(observer_, topic.name, std::move(places));
  }
}

void HistoryWitness::acknowledged(const ServerFrame& frame) {
  const auto found = published_.find(frame.id);
  if (found == published_.end()) return;
  const auto [topic, payload, excluded] = std::move(found->second);
  published_.erase(found);
  if (frame.type == ServerFrameType::error) return;
  const Position position{Epoch{std::string{frame.epoch}}, frame.offset};
  if (!frame.topic.empty() && frame.topic != topic) {  // a rule of the operator has sent it there
    checker_.acknowledged(observer_, frame.topic, position, payload, false);
  } else {
    checker_.acknowledged(observer_, topic, position, payload, excluded);
  }
}

void HistoryWitness::closed() {
  checker_.closed(observer_);
  recover_.clear();
  published_.clear();
}

}  // namespace troupe::realtime
