// JSON (RFC 8259): `Json`, a small value for documents of the size of a configuration, a
// token or a key set; and `JsonWriter`, which appends JSON to a string without a document.
//
// Reading is strict: valid UTF-8, no duplicate keys, bounded size and depth, integers
// exact or refused. Objects keep the order of their members, so writing is deterministic.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::wire {

/// A member of an object. A template only because a Json holds members of its own type.
template <class Value>
struct JsonMember {
  std::string name;
  Value value;

  friend bool operator==(const JsonMember&, const JsonMember&) = default;
};

class Json {
 public:
  using Member = JsonMember<Json>;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  template <std::same_as<bool> T>
  Json(T value) : value_(value) {}
  template <std::signed_integral T>
  Json(T value) : value_(std::int64_t{value}) {}
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string{value}) {}
  Json(const char* value) : value_(std::string{value}) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  /// The value if it is of that kind, else null. Valid as long as this Json is unchanged.
  const bool* boolean() const noexcept { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const noexcept { return std::get_if<std::int64_t>(&value_); }
  const std::string* string() const noexcept { return std::get_if<std::string>(&value_); }
  const Array* array() const noexcept { return std::get_if<Array>(&value_); }
  const Object* object() const noexcept { return std::get_if<Object>(&value_); }
  Array* array() noexcept { return std::get_if<Array>(&value_); }
  Object* object() noexcept { return std::get_if<Object>(&value_); }
  bool is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(value_); }

  /// An integer or a number with a fraction, as a double; nothing for other kinds.
  std::optional<double> number() const noexcept;

  /// The member of that name; null when there is none or this is no object.
  const Json* find(std::string_view name) const noexcept;

  /// The member of that name if it is a string.
  const std::string* string_at(std::string_view name) const noexcept;

  friend bool operator==(const Json&, const Json&);

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_ = nullptr;
};

struct JsonLimits {
  std::size_t bytes_max = 1024 * 1024;
  std::size_t depth_max = 32;  // arrays and objects inside each other
};

enum class JsonError : std::uint8_t {
  too_large,
  too_deep,
  malformed,  // not JSON, not UTF-8, or more than one document
  duplicate_key,
  bad_number,  // outside the grammar, an integer outside 64 bits with sign, or no finite double
};

/// The name of the error, for messages and logs: "duplicate_key".
std::string_view text(JsonError error) noexcept;

/// What is wrong, as a sentence for whoever wrote the document: in ASCII, without quotes and backslashes.
std::string_view sentence(JsonError error) noexcept;

/// Reads one document and nothing after it but white space.
std::expected<Json, JsonError> parse_json(std::string_view text, JsonLimits limits = {});

/// Without white space; strings must be UTF-8 and numbers finite. Reads back as the same value.
std::string write_json(const Json& json);

/// Appends `text`, which must be UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
/// Appends a number in decimal digits.
void append_json_number(std::string& out, std::uint64_t number);

/// Appends JSON piece by piece; commas come by themselves. The caller balances begin and end.
class JsonWriter {
 public:
  /// Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view{text}); }
  JsonWriter& value(const std::string& text) { return value(std::string_view{text}); }
  JsonWriter& value(double number);  // finite
  JsonWriter& value(std::nullptr_t);
  JsonWriter& value(const Json& json);
  template <std::same_as<bool> T>
  JsonWriter& value(T truth) {
    return raw(truth ? "true" : "false");
  }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return whole(static_cast<std::conditional_t<std::signed_integral<T>, std::int64_t, std::uint64_t>>(number));
  }

  /// A value that is JSON already; it is passed through byte for byte.
  JsonWriter& raw(std::string_view json);

  /// A member of an object: key and value.
  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

 private:
  JsonWriter& whole(std::int64_t number);
  JsonWriter& whole(std::uint64_t number);
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace troupe::wire
