// Key: one value of the configuration as one row: its name, its form, how it is set and
// shown, and a sentence for the reader. Whoever needs the names of the configuration goes
// through keys(); nowhere else is one written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "troupe/app/config/config.h"
#include "troupe/app/config/value.h"

namespace troupe::app {

/// How a value stands in a file; where only text can be given, it is read as this.
enum class Form : std::uint8_t { truth, number, text, list };

struct Key {
  std::string name;  // "realtime.echo"; "development" alone has no section
  Form form = Form::text;
  std::string kind;  // for readers: "duration", "size, 1KiB to 16MiB"
  std::string help;
  std::function<std::optional<Complaint>(Config&, const Given&)>
      set;                                         // what it complains of leaves the value as it was
  std::function<std::string(const Config&)> show;  // as a file has it
};

/// All keys, by section in the order of the reference.
std::span<const Key> keys();

/// The key of that name, or null.
const Key* find_key(std::string_view name);
/// The name that looks most like `name`, when one does.
std::optional<std::string> similar_key(std::string_view name);

/// "TROUPE_REALTIME_ECHO" for "realtime.echo".
std::string variable_of(const Key& key);
/// What a text from the environment or a flag stands for; lists are separated by commas.
std::expected<Given, Complaint> read_text(Form form, std::string_view text);

}  // namespace troupe::app
