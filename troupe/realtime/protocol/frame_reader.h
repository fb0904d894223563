// FrameReader: the one walk over the JSON text of a client's frame. It checks every byte
// and keeps the fields that we know, each with its value or with what is wrong about it.
//
// A field of the wrong shape is no error yet: whether anybody wants it depends on `type`,
// which may come last. Private to the decoder; simdjson is named here and in decoder.cc.
#pragma once

#include <simdjson.h>

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/realtime/protocol/decoder.h"

namespace troupe::realtime {

/// What stood in a field: nothing, a value, or a sentence that says what is wrong with it.
template <class T>
struct Field {
  std::optional<T> value;
  std::string wrong;  // "must be a string"

  bool came() const noexcept { return value.has_value() || !wrong.empty(); }
};

struct Fields {
  Field<std::string> type, id, topic, user, target, token, overflow, idempotency_key;
  Field<std::string> payload, timestamp;  // JSON text
  Field<std::vector<TopicPattern>> topics;
  Field<std::vector<std::pair<TopicPattern, Position>>> recover;
  Field<Position> since, before;
  Field<std::uint64_t> offset, limit;
  Field<bool> exclude_self;
};

class FrameReader {
 public:
  FrameReader(const DecoderLimits& limits, Fields& fields) : limits_(limits), fields_(fields) {}

  /// Reads the object that `document` is. Gives what makes it no acceptable JSON; nothing when all is well. The
  /// fields read before a mistake was met are kept, so that the answer can bear the id.
  std::optional<std::string> read(simdjson::ondemand::document& document);

 private:
  using Value = simdjson::ondemand::value;
  using Error = simdjson::error_code;
  using Read = Error (FrameReader::*)(Value);
  struct Known {
    std::string_view name;
    Read read;
  };
  static const Known known_fields[];
  static constexpr std::size_t known_count = 17;

  Error read_field(simdjson::ondemand::field field);

  Error walk(Value value, std::size_t depth);
  Error walk_array(Value value, std::size_t depth);
  Error walk_object(Value value, std::size_t depth);

  Error read_string(Value value, Field<std::string>& field, std::size_t bytes_max);
  Error read_json(Value value, Field<std::string>& field);
  Error read_integer(Value value, Field<std::uint64_t>& field);
  Error read_boolean(Value value, Field<bool>& field);
  Error read_position(Value value, Field<Position>& field, std::size_t depth);
  Error read_topics(Value value);
  Error read_recover(Value value);
  Error read_timestamp(Value value);
  std::string add_topic(const Field<std::string>& text, std::size_t index, std::vector<TopicPattern>& topics) const;

  template <Field<std::string> Fields::* field, std::size_t bytes_max>
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
  Error exclude_self_field(Value value) { return read_boolean(value, fields_.exclude_self); }

  const DecoderLimits& limits_;  // the decoder's
  Fields& fields_;
  std::bitset<known_count> seen_;
  std::string refusal_;  // what we refuse though it is JSON: too deep, or a field given twice
};

}  // namespace troupe::realtime
