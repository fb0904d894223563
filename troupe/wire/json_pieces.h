// JSON in pieces: what is written for every message, with one growth of the text for all pieces of it.
//
// A text becomes a string with its quotes, a number its decimal digits. What is JSON already stands as it is: names,
// colons, commas and brackets, as R"({"type":"ack","id":)"_json, and a JsonRaw. Nothing is looked after; who writes few
// documents of many shapes has the JsonWriter (json.h).
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "troupe/wire/json.h"
#include "troupe/wire/json_plain.h"

namespace troupe::wire {

/// JSON as it stands in the code.
template <std::size_t size>
struct JsonText {
  consteval JsonText(const char (&code)[size + 1]) { std::copy_n(code, size, text); }
  char text[size];
};
template <std::size_t size_and_zero>
JsonText(const char (&)[size_and_zero]) -> JsonText<size_and_zero - 1>;

/// JSON that came from elsewhere: a client's payload, which was checked when it was read.
struct JsonRaw {
  std::string_view text;
};

inline namespace literals {
template <JsonText json>
consteval auto operator""_json() {
  return json;
}
}  // namespace literals

namespace detail {

// How much room a piece needs at most, where its text is plain.
template <std::size_t size>
constexpr std::size_t room_for(const JsonText<size>&) noexcept {
  return size;
}
constexpr std::size_t room_for(const JsonRaw& raw) noexcept { return raw.text.size(); }
constexpr std::size_t room_for(std::string_view text) noexcept { return text.size() + 2; }
constexpr std::size_t room_for(std::uint64_t) noexcept { return 20; }

template <std::size_t size>
constexpr bool is_plain(const JsonText<size>&) noexcept {
  return true;
}
constexpr bool is_plain(const JsonRaw&) noexcept { return true; }
inline bool is_plain(std::string_view text) noexcept { return is_json_plain(text); }
inline bool is_plain(std::uint64_t) noexcept { return true; }

// Writes it and gives where it ends.
template <std::size_t size>
char* write(char* at, const JsonText<size>& json) noexcept {
  return std::copy_n(json.text, size, at);
}
inline char* write(char* at, const JsonRaw& raw) noexcept { return std::ranges::copy(raw.text, at).out; }
inline char* write(char* at, std::string_view text) noexcept {
  *at++ = '"';
  at = std::copy(text.begin(), text.end(), at);
  *at++ = '"';
  return at;
}
inline char* write(char* at, std::uint64_t number) noexcept { return std::to_chars(at, at + 20, number).ptr; }

template <std::size_t size>
void append(std::string& out, const JsonText<size>& json) {
  out.append(json.text, size);
}
inline void append(std::string& out, const JsonRaw& raw) { out += raw.text; }
inline void append(std::string& out, std::string_view text) { append_json_string(out, text); }
inline void append(std::string& out, std::uint64_t number) { append_json_number(out, number); }

}  // namespace detail

/// Appends the pieces, each a JsonText, a JsonRaw, a text in UTF-8, or a number.
template <class... Piece>
void append_json(std::string& out, const Piece&... piece) {
  if (!(detail::is_plain(piece) && ...)) [[unlikely]]
    return (detail::append(out, piece), ...);
  const std::size_t size = out.size();
  const auto write = [&](char* bytes, std::size_t) {  // libstdc++ 12 hands in what there is room for
    char* at = bytes + size;
    ((at = detail::write(at, piece)), ...);
    return static_cast<std::size_t>(at - bytes);
  };
  out.resize_and_overwrite(size + (detail::room_for(piece) + ...), write);
}

}  // namespace troupe::wire
