// See event.h.
#include "troupe/realtime/protocol/event.h"

#include <charconv>

#include "troupe/base/check.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

namespace {

constexpr std::string_view type_member = R"({"type":")";  // with which each frame of ours begins

// What follows the head of a frame, whose length its second byte tells (RFC 6455, 5.2).
std::string_view behind_head(std::string_view frame) {
  INVARIANT(frame.size() >= 2, "a frame has a head");
  auto length = static_cast<unsigned char>(frame[1]) & 0x7f;
  return frame.substr(length < 126 ? 2 : length == 126 ? 4 : 10);
}

bool is_binary(std::string_view frame) {
  return (static_cast<unsigned char>(frame[0]) & 0x0f) == static_cast<unsigned char>(wire::Opcode::binary);
}

std::string_view type_of(std::string_view json) {
  INVARIANT(json.starts_with(type_member), "a frame begins with its type");
  auto rest = json.substr(type_member.size());
  return rest.substr(0, rest.find('"'));
}

// `{...}`, a line feed and bytes become `{...,"payload_base64":"..."}`.
std::string with_base64(std::string_view content) {
  auto end = content.find('\n');
  std::string json{content.substr(0, end)};
  json.pop_back();
  json += R"(,"payload_base64":")";
  json += wire::to_base64(content.substr(end + 1));
  json += "\"}";
  return json;
}

void append_data(std::string& out, std::string_view json) {
  while (true) {
    auto end = json.find_first_of("\r\n");
    out.append("data: ").append(json.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    json.remove_prefix(end + (json.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

// The time after which a draining server wants its clients back, in milliseconds.
std::string_view reconnect_after(std::string_view json) {
  constexpr std::string_view member = R"("reconnect_after_ms":)";
  auto at = json.find(member) + member.size();
  return json.substr(at, json.find_first_not_of("0123456789", at) - at);
}

}  // namespace

// Within the fields that stand before the payload each quote of a text is escaped, so a name in quotes is a member.
std::optional<NamedPlace> shard_place_of(std::string_view frame) {
  constexpr std::string_view shard = R"(,"shard":")", seq = R"(","seq":)";
  auto fields = behind_head(frame);
  fields = fields.substr(0, is_binary(frame) ? fields.find('\n') : fields.find(R"(,"payload":)"));
  auto at = fields.find(shard);
  if (at == std::string_view::npos) return std::nullopt;
  fields.remove_prefix(at + shard.size());
  auto name = fields.substr(0, fields.find('"'));
  if (!fields.substr(name.size()).starts_with(seq)) return std::nullopt;
  NamedPlace place{name, 0};
  const char* digits = fields.data() + name.size() + seq.size();
  std::from_chars(digits, fields.data() + fields.size(), place.seq);
  return place;
}

std::string_view text_of(std::string_view frame) { return behind_head(frame); }

std::string event_lines(std::string_view frame) {
  auto content = behind_head(frame);
  std::string encoded;
  if (is_binary(frame)) content = encoded = with_base64(content);
  auto type = type_of(content);
  std::string lines;
  lines.reserve(content.size() + 64);
  lines.append("event: ").append(type).append("\n");
  append_data(lines, content);
  if (type == "draining") lines.append("retry: ").append(reconnect_after(content)).append("\n");
  return lines;
}

std::string closing_event(std::uint16_t code, std::string_view reason) {
  std::string event = "event: closed\ndata: ";
  wire::JsonWriter{event}
      .begin_object()
      .member("type", "closed")
      .member("code", code)
      .member("reason", reason)
      .end_object();
  event += "\n\n";
  return event;
}

}  // namespace troupe::realtime
