// See event_coding.h.
#include "troupe/realtime/connection/event_coding.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/realtime/protocol/event.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {

namespace {

Position position_of(const wire::Json& entry, std::string_view number) {
  return {Epoch{*entry.string_at("epoch")}, static_cast<Offset>(*entry.find(number)->integer())};
}

/// Patterns share the places in the shards: of each shard the earliest at which one of them goes on.
void begin_by(ShardPositions& shards, const wire::Json& by_shard) {
  for (const auto& [name, entry] : *by_shard.object()) {
    auto place = position_of(entry, "seq");
    auto& earliest = shards.try_emplace(name, place).first->second;
    earliest.offset = std::min(earliest.offset, place.offset);
  }
}

}  // namespace

FrameRef EventCoding::outgoing(FrameRef frame) {
  auto bytes = frame->bytes.view();
  if (!frame->event) frame->event = FrameRef::control(base::Bytes{event_lines(bytes)});
  if (frame->topic.starts_with('$')) {
    reach_inbox(*frame);
  } else if (!frame->topic.empty()) {
    cursor_.reach(frame->topic, frame->position);
    if (auto place = shard_place_of(bytes)) cursor_.reach_shard(place->shard, place->seq);
  } else {
    follow_server(frame->event->bytes.view(), text_of(bytes));
  }
  std::string event{frame->event->bytes.view()};
  if (begun_) event.append("id: ").append(cursor_.id()).append("\n");
  event += '\n';
  return FrameRef::control(base::Bytes{event});
}

// What the server says of the stream itself.
void EventCoding::follow_server(std::string_view event, std::string_view frame) {
  if (event.starts_with("event: subscription_confirmed\n")) {
    begun_ = true;
    go_on(frame);
  } else if (event.starts_with("event: restarted\n")) {
    go_on(frame);
  } else if (event.starts_with("event: unsubscribed\n")) {
    const auto json = wire::parse_json(frame);
    INVARIANT(json.has_value(), "a frame of ours is JSON");
    for (const auto& topic : *json->find("topics")->array()) cursor_.lose(*topic.string());
  }
}

// By its position the client says that it has received all up to there. What found no room on its way waits in the
// inbox still, so the position stays before it, and the next stream brings it. What has expired waits nowhere.
void EventCoding::reach_inbox(const LocalFrame& frame) {
  if (frame.event->bytes.view().starts_with("event: gap\n")) {
    const auto gap = wire::parse_json(text_of(frame.bytes.view()));
    INVARIANT(gap.has_value(), "a frame of ours is JSON");
    inbox_cut_ |= *gap->string_at("reason") != "expired";
  }
  if (!inbox_cut_) cursor_.reach(frame.topic, frame.position);
}

// A topic, or pattern, that is recovered goes on from where the client was, for what it missed follows; all others
// begin where the frame says. Behind `restarted` one pattern may go on from what was brought last while another has
// lost what came since: its place must not pass what still follows of the first. It is told of its loss once more, at
// worst.
void EventCoding::go_on(std::string_view positions) {
  auto json = wire::parse_json(positions);
  INVARIANT(json.has_value(), "a frame of ours is JSON");
  ShardPositions shards;
  bool any_recovered = false;
  for (const auto& entry : *json->find("topics")->array()) {
    const bool recovered = *entry.find("recovered")->boolean();
    const auto topic = *entry.string_at("topic");
    if (const auto* by_shard = entry.find("shards")) {
      cursor_.follow(topic);
      any_recovered |= recovered;
      begin_by(shards, *by_shard);
    } else if (!recovered) {
      if (topic.starts_with('$')) inbox_cut_ = false;  // it begins anew
      cursor_.reach(topic, position_of(entry, "offset"));
    }
  }
  if (shards.empty() || any_recovered || shards.size() > stream_shards_max) return;
  cursor_.begin_shards(std::move(shards));
}

}  // namespace troupe::realtime
