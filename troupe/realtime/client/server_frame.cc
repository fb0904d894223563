// One walk over the object: each field that we know goes to its place, whatever their order.
#include "troupe/realtime/client/server_frame.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <vector>

namespace troupe::realtime {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;
using Type = ServerFrameType;

constexpr std::pair<std::string_view, Type> types[] = {
    {"message", Type::message},
    {"ack", Type::ack},
    {"gap", Type::gap},
    {"welcome", Type::welcome},
    {"subscription_confirmed", Type::subscription_confirmed},
    {"resumed", Type::resumed},
    {"error", Type::error},
    {"unsubscribed", Type::unsubscribed},
    {"unsubscription_confirmed", Type::unsubscription_confirmed},
    {"authenticated", Type::authenticated},
    {"token_expiring", Type::token_expiring},
    {"draining", Type::draining},
    {"restarted", Type::restarted},
};

struct Text {
  std::string_view name;
  std::string_view ServerFrame::* place;
};
constexpr Text texts[] = {
    {"type", &ServerFrame::type_name}, {"topic", &ServerFrame::topic},   {"epoch", &ServerFrame::epoch},
    {"sender", &ServerFrame::sender},  {"id", &ServerFrame::id},         {"reason", &ServerFrame::reason},
    {"code", &ServerFrame::code},      {"message", &ServerFrame::words}, {"session", &ServerFrame::session},
    {"user", &ServerFrame::user},      {"shard", &ServerFrame::shard},
};

struct Number {
  std::string_view name;
  std::uint64_t ServerFrame::* place;
};
constexpr Number numbers[] = {
    {"offset", &ServerFrame::offset},
    {"sent_at", &ServerFrame::sent_at},
    {"seq", &ServerFrame::seq},
    {"from", &ServerFrame::from},
    {"to", &ServerFrame::to},
    {"delivered_to", &ServerFrame::delivered_to},
    {"queued", &ServerFrame::queued},
    {"heartbeat_interval_ms", &ServerFrame::heartbeat_interval_ms},
    {"reconnect_after_ms", &ServerFrame::reconnect_after_ms},
    {"retry_after_ms", &ServerFrame::retry_after_ms},
};

std::string_view trimmed(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

/// Takes a text if it is one; a field of another kind is not ours (a direct message's `from`).
error_code take(ondemand::value value, std::string_view& place) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  return type == ondemand::json_type::string ? value.get_string().get(place) : simdjson::SUCCESS;
}
error_code take(ondemand::value value, std::uint64_t& place) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  return type == ondemand::json_type::number ? value.get_uint64().get(place) : simdjson::SUCCESS;
}
error_code take(ondemand::value value, bool& place) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  return type == ondemand::json_type::boolean ? value.get_bool().get(place) : simdjson::SUCCESS;
}

/// The JSON text of a value, as it came.
error_code take_json(ondemand::value value, std::string_view& place) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    return object.raw_json().get(place);
  }
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (auto error = value.get_array().get(array)) return error;
    return array.raw_json().get(place);
  }
  place = trimmed(value.raw_json_token());
  return simdjson::SUCCESS;
}

/// Gives each field of an object, by name, to `take_one`.
template <class Take>
error_code each_field(ondemand::object object, Take&& take_one) {
  for (auto next : object) {
    ondemand::field field;
    if (auto error = std::move(next).get(field)) return error;
    std::string_view name;
    if (auto error = field.unescaped_key().get(name)) return error;
    if (auto error = take_one(name, field.value())) return error;
  }
  return simdjson::SUCCESS;
}

/// What the entries of a frame are read into.
struct Entries {
  struct Entry {
    ServerFrame::Topic topic;
    std::size_t first_shard = 0, shards = 0;
  };
  std::vector<Entry> entries;
  std::vector<ServerFrame::Shard> shards;
};

error_code take_shards(ondemand::value value, Entries& into) {
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  return each_field(object, [&](std::string_view name, ondemand::value of_shard) -> error_code {
    ServerFrame::Shard shard{.name = name};
    ondemand::object place;
    if (auto error = of_shard.get_object().get(place)) return error;
    auto error = each_field(place, [&](std::string_view part, ondemand::value of_place) -> error_code {
      if (part == "epoch") return take(of_place, shard.epoch);
      if (part == "seq") return take(of_place, shard.seq);
      return simdjson::SUCCESS;
    });
    if (error) return error;
    into.shards.push_back(shard);
    return simdjson::SUCCESS;
  });
}

error_code take_entry(ondemand::value value, Entries& into) {
  auto& entry = into.entries.emplace_back();
  auto& topic = entry.topic;
  entry.first_shard = into.shards.size();
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::string) return value.get_string().get(topic.name);
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  auto error = each_field(object, [&](std::string_view name, ondemand::value field) -> error_code {
    if (name == "topic") return take(field, topic.name);
    if (name == "epoch") return take(field, topic.epoch);
    if (name == "offset") return take(field, topic.offset);
    if (name == "recovered") return take(field, topic.recovered);
    if (name == "shards") return take_shards(field, into);
    return simdjson::SUCCESS;
  });
  if (error) return error;
  entry.shards = into.shards.size() - entry.first_shard;
  return simdjson::SUCCESS;
}

error_code take_topics(ondemand::value value, Entries& into) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  if (type != ondemand::json_type::array) return simdjson::SUCCESS;
  ondemand::array array;
  if (auto error = value.get_array().get(array)) return error;
  for (auto next : array) {
    ondemand::value entry;
    if (auto error = std::move(next).get(entry)) return error;
    if (auto error = take_entry(entry, into)) return error;
  }
  return simdjson::SUCCESS;
}

/// Of a welcome.
error_code take_limits(ondemand::value value, ServerFrame& frame) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  if (type != ondemand::json_type::object) return simdjson::SUCCESS;
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  return each_field(object, [&](std::string_view name, ondemand::value field) -> error_code {
    if (name == "messages_per_second") return take(field, frame.messages_per_second);
    if (name == "frame_bytes") return take(field, frame.frame_bytes);
    return simdjson::SUCCESS;
  });
}

error_code take_field(std::string_view name, ondemand::value value, ServerFrame& frame, Entries& entries) {
  if (auto text = std::ranges::find(texts, name, &Text::name); text != std::end(texts))
    return take(value, frame.*text->place);
  if (name == "payload") return take_json(value, frame.payload);
  if (auto number = std::ranges::find(numbers, name, &Number::name); number != std::end(numbers))
    return take(value, frame.*number->place);
  if (name == "topics") return take_topics(value, entries);
  if (name == "limits") return take_limits(value, frame);
  if (name == "resumed") return take(value, frame.resumed);
  return simdjson::SUCCESS;  // the walk goes past it
}

error_code walk(ondemand::document& document, ServerFrame& frame, Entries& entries) {
  ondemand::object object;
  if (auto error = document.get_object().get(object)) return error;
  return each_field(
      object, [&](std::string_view name, ondemand::value value) { return take_field(name, value, frame, entries); });
}

}  // namespace

struct ServerFrameReader::State {
  ondemand::parser parser;
  std::string buffer;  // the object, with the room behind it that the parser wants to read over
  Entries entries;
  std::vector<ServerFrame::Topic> topics;
};

ServerFrameReader::ServerFrameReader() : state_(std::make_unique<State>()) {}
ServerFrameReader::~ServerFrameReader() = default;
ServerFrameReader::ServerFrameReader(ServerFrameReader&&) noexcept = default;
ServerFrameReader& ServerFrameReader::operator=(ServerFrameReader&&) noexcept = default;

std::expected<ServerFrame, std::string> ServerFrameReader::read(wire::Opcode opcode, std::string_view message) {
  auto& [parser, buffer, entries, topics] = *state_;
  ServerFrame frame{.is_binary = opcode == wire::Opcode::binary};
  frame.header = message;
  if (frame.is_binary) {
    const auto line = message.find('\n');
    if (line == std::string_view::npos) return std::unexpected("a binary frame without a line feed");
    frame.header = message.substr(0, line);
  }
  buffer.reserve(frame.header.size() + simdjson::SIMDJSON_PADDING);
  buffer.assign(frame.header);
  entries.entries.clear();
  entries.shards.clear();
  ondemand::document document;
  auto error = parser.iterate(buffer.data(), buffer.size(), buffer.capacity()).get(document);
  if (!error) error = walk(document, frame, entries);
  if (error) return std::unexpected(fmt::format("a frame that is no JSON object: {}", simdjson::error_message(error)));
  if (frame.is_binary) frame.payload = message.substr(frame.header.size() + 1);
  topics.clear();
  for (auto& [topic, first_shard, shards] : entries.entries) {
    topic.shards = std::span{entries.shards}.subspan(first_shard, shards);
    topics.push_back(topic);
  }
  frame.topics = topics;
  const auto known = std::ranges::find(types, frame.type_name, &std::pair<std::string_view, Type>::first);
  if (known != std::end(types)) frame.type = known->second;
  return frame;
}

}  // namespace troupe::realtime
