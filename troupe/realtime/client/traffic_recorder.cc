// Lines around frames. The bytes of a binary payload are written as base64.
#include "troupe/realtime/client/traffic_recorder.h"

#include <algorithm>

#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {

void TrafficRecorder::frame(std::string_view direction, wire::Opcode opcode, std::string_view message) {
  const auto split = opcode == wire::Opcode::binary ? message.find('\n') : std::string_view::npos;
  line_.clear();
  wire::JsonWriter writer{line_};
  writer.begin_object().member("observer", observer_);
  writer.key(direction).raw(message.substr(0, split));
  if (split != std::string_view::npos) writer.member("content", wire::to_base64(message.substr(split + 1)));
  writer.end_object();
  std::ranges::replace_if(line_, [](char c) { return c == '\n' || c == '\r'; }, ' ');  // white space of a payload
  line_ += '\n';
  sink_(line_);
}

void TrafficRecorder::closed() {
  line_.clear();
  wire::JsonWriter writer{line_};
  writer.begin_object().member("observer", observer_).member("closed", true).end_object();
  line_ += '\n';
  sink_(line_);
}

}  // namespace troupe::realtime
