// FrameReader: simdjson's on-demand walk, with every token that nobody takes checked by its grammar.
#include "troupe/realtime/protocol/frame_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bitset>
#include <charconv>

#include "troupe/realtime/protocol/json_scalar.h"

namespace troupe::realtime {

namespace ondemand = simdjson::ondemand;
using ondemand::json_type;

namespace {

constexpr std::size_t type_bytes_max = 64;
constexpr std::size_t overflow_bytes_max = 64;
constexpr std::size_t idempotency_key_bytes_max = 255;
constexpr std::size_t timestamp_bytes_max = 64;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The text of a scalar; the tokenizer leaves the white space behind it.
std::string_view trimmed(std::string_view token) {
  while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
  return token;
}

// The name of a field; unescaped only where that is needed.
simdjson::error_code name_of(ondemand::field& field, std::string_view& name) {
  const char* begin = field.key().raw();
  const char* end = begin;
  while (*end != '"' && *end != '\\') ++end;  // a quote ends it, as the tokenizer has seen
  if (*end == '\\') return field.unescaped_key().get(name);
  name = {begin, end};
  return simdjson::SUCCESS;
}

// Whether the name of a field, which begins there, is this one, and written without escapes. The room behind the frame
// is longer than any name that we know.
bool is_named(const char* begin, std::string_view name) {
  return begin[0] == name[0] && begin[1] == name[1] && std::string_view{begin, name.size()} == name &&
         begin[name.size()] == '"';
}

// The first topic that a list names twice, as a sentence; empty when there is none.
std::string twice(const std::vector<TopicPattern>& topics) {
  std::vector<std::string_view> sorted;
  for (const auto& topic : topics) sorted.push_back(topic.text());
  std::ranges::sort(sorted);
  auto found = std::ranges::adjacent_find(sorted);
  return found == sorted.end() ? std::string{} : fmt::format("names `{}` twice", *found);
}

json_type type_of(ondemand::value value) {
  json_type type = json_type::null;
  // An unknown first character is told as an error here and again when the value is walked.
  if (value.type().get(type)) return json_type::null;
  return type;
}

// Walks over one document.
class Walk {
 public:
  Walk(const DecoderLimits& limits, Fields& fields) : limits_(limits), fields_(fields) {}

  std::optional<std::string> read(ondemand::document& document);

 private:
  using Value = ondemand::value;
  using Error = simdjson::error_code;
  using Read = Error (Walk::*)(Value);
  struct Known {
    std::string_view name;
    Read read;
  };
  static const Known known_fields[];
  static constexpr std::size_t known_count = 22;

  Error read_field(ondemand::field field);

  Error walk(Value value, std::size_t depth);
  Error walk_array(Value value, std::size_t depth);
  Error walk_object(Value value, std::size_t depth);

  Error read_string(Value value, Field<std::string_view>& field, std::size_t bytes_max);
  Error read_json(Value value, Field<std::string_view>& field);
  Error read_integer(Value value, Field<std::uint64_t>& field);
  Error read_boolean(Value value, Field<bool>& field);
  /// `number` is what the place within the epoch is called.
  Error read_position(Value value, Field<Position>& field, std::size_t depth, std::string_view number = "offset");
  Error read_shards(Value value, Field<ShardPositions>& field);
  Error read_shards_of(Value value, Field<ShardPositions>& field);
  Error read_recover_from(Value value, Field<RecoverFrom>& field, bool is_name);
  Error read_topics(Value value);
  Error read_positions(Value value, Field<std::vector<std::pair<TopicPattern, RecoverFrom>>>& field);
  Error recover_field(Value value) { return read_positions(value, fields_.recover); }
  Error positions_field(Value value) { return read_positions(value, fields_.positions); }
  Error read_timestamp(Value value);
  std::string add_topic(const Field<std::string_view>& text, std::size_t index,
                        std::vector<TopicPattern>& topics) const;

  template <Field<std::string_view> Fields::* field, std::size_t bytes_max>
  Error string_field(Value value) {
    return read_string(value, fields_.*field, bytes_max);
  }
  template <Field<std::uint64_t> Fields::* field>
  Error integer_field(Value value) {
    return read_integer(value, fields_.*field);
  }
  template <Field<Position> Fields::* field>
  Error position_field(Value value) {
    return read_position(value, fields_.*field, 2);
  }
  Error payload_field(Value value) { return read_json(value, fields_.payload); }
  Error token_field(Value value) { return read_string(value, fields_.token, limits_.token_bytes_max); }
  Error presence_field(Value value) { return read_boolean(value, fields_.presence); }
  Error exclude_self_field(Value value) { return read_boolean(value, fields_.exclude_self); }

  const DecoderLimits& limits_;
  Fields& fields_;
  std::bitset<known_count> seen_;
  std::string refusal_;  // what we refuse though it is JSON: too deep, or a field given twice
};

constexpr std::size_t kept_bytes_max = 256 * 1024;  // a parser that met a larger frame is not kept

const Walk::Known Walk::known_fields[] = {
    {"type", &Walk::string_field<&Fields::type, type_bytes_max>},
    {"id", &Walk::string_field<&Fields::id, request_id_bytes_max>},
    {"topic", &Walk::string_field<&Fields::topic, std::string::npos>},
    {"payload", &Walk::payload_field},
    {"exclude_self", &Walk::exclude_self_field},
    {"idempotency_key", &Walk::string_field<&Fields::idempotency_key, idempotency_key_bytes_max>},
    {"topics", &Walk::read_topics},
    {"recover", &Walk::recover_field},
    {"positions", &Walk::positions_field},
    {"overflow", &Walk::string_field<&Fields::overflow, overflow_bytes_max>},
    {"priority", &Walk::string_field<&Fields::priority, overflow_bytes_max>},
    {"user", &Walk::string_field<&Fields::user, user_bytes_max>},
    {"offset", &Walk::integer_field<&Fields::offset>},
    {"epoch", &Walk::string_field<&Fields::epoch, epoch_bytes_max>},
    {"limit", &Walk::integer_field<&Fields::limit>},
    {"since", &Walk::position_field<&Fields::since>},
    {"before", &Walk::position_field<&Fields::before>},
    {"target", &Walk::string_field<&Fields::target, request_id_bytes_max>},
    {"token", &Walk::token_field},
    {"presence", &Walk::presence_field},
    {"after", &Walk::string_field<&Fields::after, user_bytes_max>},
    {"timestamp", &Walk::read_timestamp},
};

std::optional<std::string> Walk::read(ondemand::document& document) {
  static_assert(std::size(known_fields) == known_count);
  auto told = [&](Error error) {
    return refusal_.empty() ? fmt::format("the frame is not valid JSON: {}", simdjson::error_message(error)) : refusal_;
  };
  json_type type;
  if (auto error = document.type().get(type)) return told(error);
  if (type != json_type::object) return "the frame must be a JSON object";
  ondemand::object object;
  if (auto error = document.get_object().get(object)) return told(error);
  for (auto next : object) {
    ondemand::field field;
    if (auto error = std::move(next).get(field)) return told(error);
    if (auto error = read_field(field)) return told(error);
  }
  const char* rest;
  if (!document.current_location().get(rest)) return "the frame has more than one JSON object";
  return std::nullopt;
}

Walk::Error Walk::read_field(ondemand::field field) {
  const char* begin = field.key().raw();
  auto known = std::ranges::find_if(known_fields, [=](const Known& one) { return is_named(begin, one.name); });
  if (known == std::end(known_fields)) {
    std::string_view name;
    if (auto error = name_of(field, name)) return error;
    known = std::ranges::find(known_fields, name, &Known::name);
  }
  if (known == std::end(known_fields)) return walk(field.value(), 2);
  auto index = static_cast<std::size_t>(known - known_fields);
  if (seen_.test(index)) {
    refusal_ = fmt::format("`{}` is given twice", known->name);
    return simdjson::TAPE_ERROR;
  }
  seen_.set(index);
  return (this->*known->read)(field.value());
}

// Walking reads a value to its end and checks every token by the grammar; nothing is kept.
Walk::Error Walk::walk(Value value, std::size_t depth) {
  json_type type;
  if (auto error = value.type().get(type)) return error;
  if (type == json_type::array || type == json_type::object) {
    if (depth > limits_.depth_max) {
      refusal_ = fmt::format("the frame is nested deeper than {} levels", limits_.depth_max);
      return simdjson::DEPTH_ERROR;
    }
    return type == json_type::array ? walk_array(value, depth) : walk_object(value, depth);
  }
  // A scalar that nobody takes is skipped by the iterator, whatever it is; so its grammar is checked here. A string
  // must be taken all the same: the iterator would skip `"a":1` as one, where only "a" may stand.
  const auto token = trimmed(value.raw_json_token());
  if (!plain_json_string(token) && !is_json_scalar(token)) return simdjson::TAPE_ERROR;
  return type == json_type::string ? value.get_raw_json_string().error() : simdjson::SUCCESS;
}

Walk::Error Walk::walk_array(Value value, std::size_t depth) {
  ondemand::array array;
  if (auto error = value.get_array().get(array)) return error;
  for (auto next : array) {
    Value element;
    if (auto error = std::move(next).get(element)) return error;
    if (auto error = walk(element, depth + 1)) return error;
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::walk_object(Value value, std::size_t depth) {
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  for (auto next : object) {
    ondemand::field field;
    if (auto error = std::move(next).get(field)) return error;
    std::string_view name;
    if (auto error = name_of(field, name)) return error;
    if (auto error = walk(field.value(), depth + 1)) return error;
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_string(Value value, Field<std::string_view>& field, std::size_t bytes_max) {
  const auto token = trimmed(value.raw_json_token());
  if (!token.starts_with('"')) {
    field.wrong = "must be a string";
    return walk(value, 2);
  }
  std::string_view text;
  const auto plain = plain_json_string(token);
  if (auto error = plain ? value.get_raw_json_string().error() : value.get_string().get(text)) return error;
  if (plain) text = *plain;
  if (text.size() > bytes_max) {
    field.wrong = fmt::format("is longer than {} bytes", bytes_max);
  } else {
    field.value = text;
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_json(Value value, Field<std::string_view>& field) {
  auto token = value.raw_json_token();
  json_type type = type_of(value);
  if (auto error = walk(value, 2)) return error;
  if (type != json_type::array && type != json_type::object) {
    field.value = trimmed(token);
    return simdjson::SUCCESS;
  }
  const char* end;
  if (auto error = value.current_location().get(end)) return error;
  field.value = trimmed({token.data(), end});
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_integer(Value value, Field<std::uint64_t>& field) {
  auto token = trimmed(value.raw_json_token());
  if (auto error = walk(value, 2)) return error;
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error != std::errc{} || end != token.data() + token.size() || number > offset_max) {
    field.wrong = "must be an integer from 0 to 2^53-1";
  } else {
    field.value = number;
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_boolean(Value value, Field<bool>& field) {
  auto token = trimmed(value.raw_json_token());
  if (auto error = walk(value, 2)) return error;
  if (token != "true" && token != "false") {
    field.wrong = "must be true or false";
  } else {
    field.value = token == "true";
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_timestamp(Value value) {
  auto type = type_of(value);
  auto token = trimmed(value.raw_json_token());
  if (auto error = walk(value, 2)) return error;
  if ((type != json_type::number && type != json_type::string) || token.size() > timestamp_bytes_max) {
    fields_.timestamp.wrong = "must be a number or a short string";
  } else {
    fields_.timestamp.value = token;
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_position(Value value, Field<Position>& field, std::size_t depth, std::string_view number) {
  auto wrong = fmt::format("must be {{\"epoch\": string, \"{}\": integer}}", number);
  if (type_of(value) != json_type::object) {
    field.wrong = wrong;
    return walk(value, depth);
  }
  Field<std::string_view> epoch;
  Field<std::uint64_t> offset;
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  for (auto next : object) {
    ondemand::field part;
    if (auto error = std::move(next).get(part)) return error;
    std::string_view name;
    if (auto error = name_of(part, name)) return error;
    bool again = (name == "epoch" && epoch.came()) || (name == number && offset.came());
    auto error = name == "epoch" && !again  ? read_string(part.value(), epoch, epoch_bytes_max)
                 : name == number && !again ? read_integer(part.value(), offset)
                                            : walk(part.value(), depth + 1);
    if (error) return error;
    if (again) epoch.wrong = "is given twice";
  }
  if (!epoch.wrong.empty() || !epoch.value || !offset.value) {
    field.wrong = wrong;
  } else {
    field.value = Position{Epoch{*std::move(epoch.value)}, *offset.value};
  }
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_topics(Value value) {
  auto& field = fields_.topics;
  if (type_of(value) != json_type::array) {
    field.wrong = "must be an array of topics";
    return walk(value, 2);
  }
  std::vector<TopicPattern> topics;
  ondemand::array array;
  if (auto error = value.get_array().get(array)) return error;
  std::size_t index = 0;
  for (auto next : array) {
    Value element;
    if (auto error = std::move(next).get(element)) return error;
    Field<std::string_view> text;
    if (auto error = read_string(element, text, std::string::npos)) return error;
    if (field.wrong.empty()) field.wrong = add_topic(text, index, topics);
    ++index;
  }
  if (field.wrong.empty()) field.wrong = twice(topics);
  if (field.wrong.empty()) field.value = std::move(topics);
  return simdjson::SUCCESS;
}

// The positions of the shards that stand in a pattern's `shards`.
Walk::Error Walk::read_shards(Value value, Field<ShardPositions>& field) {
  constexpr std::size_t depth = 5;  // of one shard's position
  if (type_of(value) != json_type::object) {
    field.wrong = "must be an object of positions by shard";
    return walk(value, depth - 1);
  }
  ShardPositions shards;
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  for (auto next : object) {
    ondemand::field part;
    if (auto error = std::move(next).get(part)) return error;
    std::string_view name;
    if (auto error = name_of(part, name)) return error;
    std::string shard{name.substr(0, shard_bytes_max + 1)};
    Field<Position> position;
    if (auto error = read_position(part.value(), position, depth, "seq")) return error;
    if (!field.wrong.empty()) continue;
    if (shard.size() > shard_bytes_max) {
      field.wrong = fmt::format("has a shard whose name is longer than {} bytes", shard_bytes_max);
    } else if (!position.value) {
      field.wrong = fmt::format("of shard `{}` {}", shard, position.wrong);
    } else if (shards.size() == limits_.shards_max) {
      field.wrong = fmt::format("has more than {} shards", limits_.shards_max);
    } else if (!shards.emplace(shard, *std::move(position.value)).second) {
      field.wrong = fmt::format("names shard `{}` twice", shard);
    }
  }
  if (field.wrong.empty()) field.value = std::move(shards);
  return simdjson::SUCCESS;
}

// What is said of a pattern: an object with `shards`.
Walk::Error Walk::read_shards_of(Value value, Field<ShardPositions>& field) {
  constexpr std::size_t depth = 3;
  if (type_of(value) != json_type::object) {
    if (auto error = walk(value, depth)) return error;
  } else {
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    for (auto next : object) {
      ondemand::field part;
      if (auto error = std::move(next).get(part)) return error;
      std::string_view name;
      if (auto error = name_of(part, name)) return error;
      bool again = name == "shards" && field.came();
      auto error = name == "shards" && !again ? read_shards(part.value(), field) : walk(part.value(), depth + 1);
      if (error) return error;
      if (again) field.wrong = "has `shards` twice";
    }
  }
  if (!field.came()) field.wrong = R"(must be {"shards": {shard: {"epoch": string, "seq": integer}}})";
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_recover_from(Value value, Field<RecoverFrom>& field, bool is_name) {
  Field<Position> position;
  Field<ShardPositions> shards;
  if (auto error = is_name ? read_position(value, position, 3) : read_shards_of(value, shards)) return error;
  field.wrong = is_name ? position.wrong : shards.wrong;
  if (!field.wrong.empty()) return simdjson::SUCCESS;
  field.value = is_name ? RecoverFrom{*std::move(position.value), {}} : RecoverFrom{{}, *std::move(shards.value)};
  return simdjson::SUCCESS;
}

Walk::Error Walk::read_positions(Value value, Field<std::vector<std::pair<TopicPattern, RecoverFrom>>>& field) {
  if (type_of(value) != json_type::object) {
    field.wrong = "must be an object of positions by topic";
    return walk(value, 2);
  }
  std::vector<std::pair<TopicPattern, RecoverFrom>> positions;
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  for (auto next : object) {
    ondemand::field part;
    if (auto error = std::move(next).get(part)) return error;
    std::string_view name;
    if (auto error = name_of(part, name)) return error;
    auto topic = TopicPattern::parse(name);
    std::string shown{name.substr(0, topic_bytes_max)};
    Field<RecoverFrom> position;
    if (auto error = read_recover_from(part.value(), position, !topic || topic->is_name())) return error;
    if (!field.wrong.empty()) continue;
    if (!topic) {
      field.wrong = fmt::format("has a topic that {}", describe(topic.error()));
    } else if (!position.value) {
      field.wrong = fmt::format("of `{}` {}", shown, position.wrong);
    } else if (positions.size() == limits_.topics_max) {
      field.wrong = fmt::format("has more than {} topics", limits_.topics_max);
    } else {
      positions.emplace_back(*std::move(topic), *std::move(position.value));
    }
  }
  if (field.wrong.empty()) field.value = std::move(positions);
  return simdjson::SUCCESS;
}

std::string Walk::add_topic(const Field<std::string_view>& text, std::size_t index,
                            std::vector<TopicPattern>& topics) const {
  if (index == limits_.topics_max) return fmt::format("has more than {} topics", limits_.topics_max);
  if (!text.value) return fmt::format("[{}] {}", index, text.wrong);
  auto topic = TopicPattern::parse(*text.value);
  if (!topic) return fmt::format("[{}] {}", index, describe(topic.error()));
  topics.push_back(*std::move(topic));
  return {};
}

}  // namespace

struct FrameReader::Parser {
  ondemand::parser json;
  std::string buffer;  // the frame, with the room behind it that the parser wants to read over
};

FrameReader::FrameReader(const DecoderLimits& limits) : limits_(limits) {}
FrameReader::~FrameReader() = default;
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;

std::optional<std::string> FrameReader::read(std::string_view text, Fields& fields) {
  if (!parser_) parser_ = std::make_shared<Parser>();
  auto& buffer = parser_->buffer;
  buffer.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  buffer.assign(text);
  ondemand::document document;
  auto error = parser_->json.iterate(buffer.data(), buffer.size(), buffer.capacity()).get(document);
  auto broken = error ? fmt::format("the frame is not valid JSON: {}", simdjson::error_message(error))
                      : Walk{limits_, fields}.read(document);
  if (text.size() > kept_bytes_max) fields.memory = std::exchange(parser_, nullptr);
  return broken;
}

}  // namespace troupe::realtime
