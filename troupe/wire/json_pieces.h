// JSON in pieces: what is written for every message, measured first, so that each byte is written once, where it stays.
//
// A text becomes a string with its quotes, a number its decimal digits. What is JSON already stands as it is: names,
// colons, commas and brackets, as R"({"type":"ack","id":)"_json, and a JsonRaw. Nothing is looked after; who writes few
// documents of many shapes has the JsonWriter (json.h).
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

template <std::size_t size>
constexpr std::size_t size_of(const JsonText<size>&) noexcept {
  return size;
}
constexpr std::size_t size_of(const JsonRaw& raw) noexcept { return raw.text.size(); }
inline std::size_t size_of(std::string_view text) noexcept { return json_string_size(text); }
constexpr std::size_t size_of(std::uint64_t number) noexcept {
  std::size_t digits = 1;
  for (; number >= 10000; number /= 10000) digits += 4;
  return digits + (number >= 10) + (number >= 100) + (number >= 1000);
}

// Each writes as many bytes as it was measured to take, and gives where they end.
template <std::size_t size>
char* write(char* at, std::size_t, const JsonText<size>& json) noexcept {
  return std::copy_n(json.text, size, at);
}
inline char* write(char* at, std::size_t, const JsonRaw& raw) noexcept {
  return at + raw.text.copy(at, raw.text.size());
}
inline char* write(char* at, std::size_t size, std::string_view text) noexcept {
  return write_json_string(at, size, text);
}
inline char* write(char* at, std::size_t size, std::uint64_t number) noexcept {
  return std::to_chars(at, at + size, number).ptr;
}

template <class... Piece>
using Sizes = std::array<std::size_t, sizeof...(Piece)>;

/// How many bytes each of them takes, and all of them.
template <class... Piece>
std::pair<Sizes<Piece...>, std::size_t> measure(const Piece&... piece) noexcept {
  const Sizes<Piece...> sizes{size_of(piece)...};
  std::size_t all = 0;
  for (const auto size : sizes) all += size;
  return {sizes, all};
}

/// Writes pieces that were measured, behind each other.
template <class... Piece>
void write_all(char* at, const Sizes<Piece...>& sizes, const Piece&... piece) noexcept {
  const auto* size = sizes.data();
  ((at = write(at, *size++, piece)), ...);
}

}  // namespace detail

/// Writes the pieces behind each other, each a JsonText, a JsonRaw, a text in UTF-8, or a number. They are measured
/// first: `make_room` is told how many bytes they take, and says where these go.
template <std::invocable<std::size_t> MakeRoom, class... Piece>
void write_json_pieces(MakeRoom&& make_room, const Piece&... piece) {
  const auto [sizes, all] = detail::measure(piece...);
  detail::write_all(std::forward<MakeRoom>(make_room)(all), sizes, piece...);
}

/// Appends the pieces to a text. No piece is a part of it.
template <class... Piece>
void append_json(std::string& out, const Piece&... piece) {
  const auto measured = detail::measure(piece...);
  const std::size_t begin = out.size();
  const std::size_t end = begin + measured.second;
  const auto write = [&](char* bytes, std::size_t) {  // libstdc++ 12 hands in what there is room for
    detail::write_all(bytes + begin, measured.first, piece...);
    return end;
  };
  out.resize_and_overwrite(end, write);
}

}  // namespace troupe::wire
