// Log: one line for one event: when, how grave, which component, what happened, and its fields.
//
//   log::info("realtime", "connection closed", {{"connection", id}, {"code", 1001}});
//
// A line is always one line: control characters, line breaks and broken UTF-8 in what
// others sent are escaped. A Secret has no way in: it converts to no Value. Fields are
// read during the call, so they may be views. Any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/base/strong.h"

namespace troupe::base::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

/// What a field may hold. There is none for Secret, on purpose.
class Value {
 public:
  using Variant = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

  Value(bool value) noexcept : value_(value) {}
  Value(std::signed_integral auto value) noexcept : value_(std::int64_t{value}) {}
  Value(std::unsigned_integral auto value) noexcept : value_(std::uint64_t{value}) {}
  Value(std::floating_point auto value) noexcept : value_(static_cast<double>(value)) {}
  Value(std::string_view value) noexcept : value_(value) {}
  Value(const std::string& value) noexcept : value_(std::string_view{value}) {}
  Value(const char* value) noexcept : value_(std::string_view{value}) {}
  template <class Tag, class T>
  Value(const Strong<Tag, T>& id) noexcept : Value(id.value()) {}

  const Variant& variant() const noexcept { return value_; }

 private:
  Variant value_;
};

struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::info;
  Format format = Format::text;
  bool in_background = false;  // a slow terminal or pipe must not stop a core; the oldest lines go when 2048 wait
};

/// Sets level and form, and whether a thread of its own writes. Called once at the start. Throws std::system_error
/// where that thread is not to be had.
void configure(const Options& options);

/// True when a line of this level would be written; for fields that cost something to make.
bool enabled(Level level) noexcept;

/// Writes one line to stderr, or to the sink of a test.
void write(Level level, std::string_view component, std::string_view message, Fields fields = {});

inline void debug(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::debug, component, message, fields);
}
inline void info(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::info, component, message, fields);
}
inline void warning(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::warning, component, message, fields);
}
inline void error(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::error, component, message, fields);
}

/// Waits, two seconds at most, until what was written has left the process. Call before it ends.
void flush() noexcept;

/// The line of one event, without its line break.
std::string render(Format format, UnixTime at, Level level, std::string_view component, std::string_view message,
                   Fields fields);

/// Catches every line as text instead of stderr, whatever its level, while it lives; for tests.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// The lines so far, without their time.
  std::vector<std::string> lines() const;
  /// True when a line so far contains `text`.
  bool contains(std::string_view text) const;
};

}  // namespace troupe::base::log
