// MessageView: a received message as a line: JSON for scripts, or columns for people.
//
// A line is always one line. In columns, what others wrote cannot steer the terminal: control characters, written out
// or as bytes, become dots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/realtime/client/server_frame.h"

namespace troupe::app {

enum class ViewForm : std::uint8_t {
  json,     // the frame as it came; a binary payload as `payload_base64`
  columns,  // time, topic, sender, payload, as wide as the terminal
};

struct MessageView {
  ViewForm form = ViewForm::json;
  std::size_t width = 100;        // of a line of columns, in characters
  std::int64_t utc_offset_s = 0;  // of the times that are shown

  /// Appends the line of a message, with its line break.
  void append(std::string& out, const realtime::ServerFrame& message) const;
  /// Appends a sentence about the connection as a line: "troupe: ..." or, among columns, with the time.
  void append_note(std::string& out, std::string_view words, base::UnixTime now) const;
};

/// `text` with a dot in place of each control character (C0, DEL, C1) and of each byte that is no UTF-8; at most
/// `characters_max` characters, the last of which is an ellipsis where it was longer.
std::string printable(std::string_view text, std::size_t characters_max);

}  // namespace troupe::app
