// JSON: simdjson checks and reads, we copy into values of our own; writing is ours.
#include "troupe/wire/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "troupe/base/check.h"
#include "troupe/wire/json_plain.h"

namespace troupe::wire {
namespace {

namespace dom = simdjson::dom;
using Failure = std::unexpected<JsonError>;
using Result = std::expected<Json, JsonError>;

JsonError error_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::CAPACITY:
      return JsonError::too_large;
    case simdjson::DEPTH_ERROR:
      return JsonError::too_deep;
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return JsonError::bad_number;
    default:
      return JsonError::malformed;
  }
}

Result convert(dom::element element, std::size_t depth_left);

Result convert(dom::array elements, std::size_t depth_left) {
  Json::Array array;
  for (dom::element element : elements) {
    auto item = convert(element, depth_left - 1);
    if (!item) return item;
    array.push_back(std::move(*item));
  }
  return Json{std::move(array)};
}

bool has_duplicate(const Json::Object& object) {
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (const auto& member : object) names.push_back(member.name);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

Result convert(dom::object members, std::size_t depth_left) {
  Json::Object object;
  for (dom::key_value_pair member : members) {
    auto value = convert(member.value, depth_left - 1);
    if (!value) return value;
    object.push_back({std::string{member.key}, std::move(*value)});
  }
  if (has_duplicate(object)) return Failure{JsonError::duplicate_key};
  return Json{std::move(object)};
}

/// The document has been checked by the parser, so reading an element by its own type cannot fail.
Result convert(dom::element element, std::size_t depth_left) {
  auto type = element.type();
  bool nests = type == dom::element_type::ARRAY || type == dom::element_type::OBJECT;
  if (nests && depth_left == 0) return Failure{JsonError::too_deep};
  switch (type) {
    case dom::element_type::ARRAY:
      return convert(element.get_array().value_unsafe(), depth_left);
    case dom::element_type::OBJECT:
      return convert(element.get_object().value_unsafe(), depth_left);
    case dom::element_type::INT64:
      return Json{element.get_int64().value_unsafe()};
    case dom::element_type::UINT64:
      return Failure{JsonError::bad_number};
    case dom::element_type::DOUBLE:
      return Json{element.get_double().value_unsafe()};
    case dom::element_type::STRING:
      return Json{element.get_string().value_unsafe()};
    case dom::element_type::BOOL:
      return Json{element.get_bool().value_unsafe()};
    case dom::element_type::NULL_VALUE:
      return Json{};
  }
  return Failure{JsonError::malformed};
}

std::string number_text(double number) {
  INVARIANT(std::isfinite(number), "JSON has no infinities");
  std::string text = fmt::format("{}", number);
  // A fraction marks the double, so that it is read back as one.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::optional<double> Json::number() const noexcept {
  if (const auto* whole = integer()) return static_cast<double>(*whole);
  if (const auto* fraction = std::get_if<double>(&value_)) return *fraction;
  return std::nullopt;
}

const Json* Json::find(std::string_view name) const noexcept {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  auto found = std::ranges::find(*members, name, &Member::name);
  return found == members->end() ? nullptr : &found->value;
}

const std::string* Json::string_at(std::string_view name) const noexcept {
  const Json* member = find(name);
  return member == nullptr ? nullptr : member->string();
}

bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

std::string_view text(JsonError error) noexcept {
  switch (error) {
    case JsonError::too_large:
      return "too_large";
    case JsonError::too_deep:
      return "too_deep";
    case JsonError::malformed:
      return "malformed";
    case JsonError::duplicate_key:
      return "duplicate_key";
    case JsonError::bad_number:
      return "bad_number";
  }
  return "";
}

std::string_view sentence(JsonError error) noexcept {
  switch (error) {
    case JsonError::too_large:
      return "The JSON is too large.";
    case JsonError::too_deep:
      return "Lists and objects of the JSON stand too deep inside each other.";
    case JsonError::malformed:
      return "What should be JSON is malformed, is not UTF-8, or has something behind it.";
    case JsonError::duplicate_key:
      return "A name comes twice in one object of the JSON.";
    case JsonError::bad_number:
      return "A number in the JSON is malformed, or beyond 64 bits.";
  }
  return "";
}

Result parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes_max) return Failure{JsonError::too_large};
  dom::parser parser;
  // The parser's own bound keeps its stack small; it counts the document too, but not what is empty.
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), limits.depth_max + 1) != simdjson::SUCCESS) {
    throw std::bad_alloc{};
  }
  dom::element root;
  if (auto code = parser.parse(text.data(), text.size()).get(root)) return Failure{error_of(code)};
  return convert(root, limits.depth_max);
}

namespace {

/// Appends `before`, the text as a string, and `behind`, where these are not zero: one growth for all of it.
void append_string(std::string& out, char before, std::string_view text, char behind) {
  const std::size_t size = out.size();
  const std::size_t string_size = json_string_size(text);
  const std::size_t all = size + string_size + (before != 0 ? 1 : 0) + (behind != 0 ? 1 : 0);
  const auto write = [&](char* bytes, std::size_t) {  // libstdc++ 12 hands in what there is room for
    char* at = bytes + size;
    if (before != 0) *at++ = before;
    at = write_json_string(at, string_size, text);
    if (behind != 0) *at = behind;
    return all;
  };
  out.resize_and_overwrite(all, write);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) { append_string(out, '\0', text, '\0'); }

void append_json_number(std::string& out, std::uint64_t number) {
  constexpr std::size_t digits_max = 20;
  const std::size_t size = out.size();
  const auto write = [&](char* bytes, std::size_t) {
    char* const at = bytes + size;
    return static_cast<std::size_t>(std::to_chars(at, at + digits_max, number).ptr - bytes);
  };
  out.resize_and_overwrite(size + digits_max, write);
}

std::string write_json(const Json& json) {
  std::string out;
  JsonWriter{out}.value(json);
  return out;
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  append_string(out_, needs_comma_ ? ',' : '\0', name, ':');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::whole(std::int64_t number) {
  char digits[20];
  return raw({digits, std::to_chars(std::begin(digits), std::end(digits), number).ptr});
}
JsonWriter& JsonWriter::whole(std::uint64_t number) {
  separate();
  append_json_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) { return raw(number_text(number)); }
JsonWriter& JsonWriter::value(std::nullptr_t) { return raw("null"); }

JsonWriter& JsonWriter::value(const Json& json) {
  if (const auto* members = json.object()) {
    begin_object();
    for (const auto& member : *members) key(member.name).value(member.value);
    return end_object();
  }
  if (const auto* items = json.array()) {
    begin_array();
    for (const auto& item : *items) value(item);
    return end_array();
  }
  if (const auto* text = json.string()) return value(std::string_view{*text});
  if (const auto* truth = json.boolean()) return value(*truth);
  if (const auto* whole = json.integer()) return value(*whole);
  if (json.is_null()) return value(nullptr);
  return value(*json.number());
}

}  // namespace troupe::wire
