// Codec: how one type of value is read from what was given and written as a file has it.
// Each maker below gives the codec of one kind, with its range. Used by key_rows.cc alone.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <expected>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "troupe/app/config/key.h"

namespace troupe::app::codec {

template <class T>
struct Codec {
  Form form;
  std::string kind;
  std::function<std::expected<T, Complaint>(const Given&)> read;
  std::function<std::string(const T&)> write;
};

inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

template <class T>
std::expected<T, Complaint> within(T value, const T& least, const T& most, const auto& text) {
  if (value < least) return std::unexpected(fmt::format("is less than {}", text(least)));
  if (value > most) return std::unexpected(fmt::format("is more than {}", text(most)));
  return value;
}

inline Codec<bool> truth() {
  return {Form::truth, "true or false",
          [](const Given& given) -> std::expected<bool, Complaint> {
            if (const auto* value = std::get_if<bool>(&given)) return *value;
            return std::unexpected("wants true or false");
          },
          [](bool value) { return std::string{value ? "true" : "false"}; }};
}

/// A whole number of things.
inline Codec<std::size_t> count(std::size_t least, std::size_t most) {
  const auto text = [](std::size_t value) { return fmt::format("{}", value); };
  return {Form::number, fmt::format("number, {} to {}", least, most),
          [=](const Given& given) -> std::expected<std::size_t, Complaint> {
            const auto* value = std::get_if<std::int64_t>(&given);
            if (value == nullptr) return std::unexpected("wants a whole number");
            if (*value < 0) return std::unexpected(fmt::format("is less than {}", least));
            return within(static_cast<std::size_t>(*value), least, most, text);
          },
          text};
}

/// So many a second, or any other number that need not be whole.
inline Codec<double> rate(double least, double most) {
  const auto text = [](double value) { return fmt::format("{}", value); };
  return {Form::number, fmt::format("number, {} to {}", least, most),
          [=](const Given& given) -> std::expected<double, Complaint> {
            if (const auto* whole = std::get_if<std::int64_t>(&given)) {
              return within(static_cast<double>(*whole), least, most, text);
            }
            const auto* value = std::get_if<double>(&given);
            if (value == nullptr || !std::isfinite(*value)) return std::unexpected("wants a number");
            return within(*value, least, most, text);
          },
          text};
}

/// A number of bytes, as a number or with a unit.
inline Codec<std::size_t> bytes(std::size_t least, std::size_t most) {
  return {Form::text, fmt::format("size, {} to {}", bytes_text(least), bytes_text(most)),
          [=](const Given& given) -> std::expected<std::size_t, Complaint> {
            std::expected<std::size_t, Complaint> value = std::unexpected("wants a size such as \"64KiB\"");
            if (const auto* whole = std::get_if<std::int64_t>(&given)) value = parse_bytes(fmt::format("{}", *whole));
            if (const auto* text = std::get_if<std::string>(&given)) value = parse_bytes(*text);
            if (!value) return value;
            return within(*value, least, most, bytes_text);
          },
          [](std::size_t value) { return codec::quoted(bytes_text(value)); }};
}

/// Bytes a second; the number may be given plainly.
inline Codec<double> byte_rate(std::size_t least, std::size_t most) {
  return {Form::text, fmt::format("size, {} to {}", bytes_text(least), bytes_text(most)),
          [plain = bytes(least, most)](const Given& given) -> std::expected<double, Complaint> {
            const auto value = plain.read(given);
            if (!value) return std::unexpected(value.error());
            return static_cast<double>(*value);
          },
          [](double value) { return codec::quoted(bytes_text(static_cast<std::size_t>(value))); }};
}

/// A duration in the unit of the value it sets; what is finer than that unit is refused.
template <class D>
Codec<D> duration(std::type_identity_t<D> least, std::type_identity_t<D> most) {
  return {Form::text, fmt::format("duration, {} to {}", duration_text(least), duration_text(most)),
          [=](const Given& given) -> std::expected<D, Complaint> {
            const auto* text = std::get_if<std::string>(&given);
            if (text == nullptr) return std::unexpected("wants a duration such as \"10m\", with its unit");
            const auto value = parse_duration(*text);
            if (!value) return std::unexpected(value.error());
            const D rounded = std::chrono::duration_cast<D>(*value);
            if (rounded != *value)
              return std::unexpected(fmt::format("wants whole multiples of {}", duration_text(D{1})));
            return within(rounded, least, most, [](D d) { return duration_text(d); });
          },
          [](D value) { return codec::quoted(duration_text(value)); }};
}

inline Codec<std::string> text(std::string kind) {
  return {Form::text, std::move(kind),
          [](const Given& given) -> std::expected<std::string, Complaint> {
            if (const auto* value = std::get_if<std::string>(&given)) return *value;
            return std::unexpected("wants a text in quotes");
          },
          quoted};
}

/// A text that may hold a password. It is written for comparison and for the reference, which has defaults alone.
inline Codec<base::Secret<std::string>> secret(std::string kind) {
  return {Form::text, kind,
          [plain = text(kind)](const Given& given) -> std::expected<base::Secret<std::string>, Complaint> {
            auto value = plain.read(given);
            if (!value) return std::unexpected(value.error());
            return base::Secret{*std::move(value)};
          },
          [](const base::Secret<std::string>& value) { return quoted(value.expose()); }};
}

inline Codec<std::vector<std::string>> texts(std::string kind) {
  return {Form::list, std::move(kind),
          [](const Given& given) -> std::expected<std::vector<std::string>, Complaint> {
            if (const auto* value = std::get_if<std::vector<std::string>>(&given)) return *value;
            return std::unexpected("wants a list of texts such as [\"a\", \"b\"]");
          },
          [](const std::vector<std::string>& value) {
            std::string out;
            for (const auto& each : value) out += (out.empty() ? "" : ", ") + codec::quoted(each);
            return "[" + out + "]";
          }};
}

/// One of a few words.
template <class E>
Codec<E> choice(std::initializer_list<std::pair<std::string, E>> list) {
  std::vector<std::pair<std::string, E>> words{list};
  std::string kind;
  for (const auto& [name, value] : words) kind += (kind.empty() ? "" : ", ") + codec::quoted(name);
  return {Form::text, kind,
          [words, kind](const Given& given) -> std::expected<E, Complaint> {
            const auto* text = std::get_if<std::string>(&given);
            for (const auto& [name, value] : words) {
              if (text != nullptr && *text == name) return value;
            }
            return std::unexpected("wants one of " + kind);
          },
          [words](const E& wanted) {
            return codec::quoted(std::ranges::find(words, wanted, &std::pair<std::string, E>::second)->first);
          }};
}

inline Codec<net::PeerAddress> listen_address() {
  return {Form::text, "address and port",
          [](const Given& given) -> std::expected<net::PeerAddress, Complaint> {
            const auto* text = std::get_if<std::string>(&given);
            if (text == nullptr) return std::unexpected("wants an address and a port such as \"127.0.0.1:8080\"");
            return parse_listen(*text);
          },
          [](const net::PeerAddress& address) { return codec::quoted(address.text()); }};
}

inline Codec<oauth::Colour> colour() {
  return {Form::text, "colour such as #1f4fbf",
          [](const Given& given) -> std::expected<oauth::Colour, Complaint> {
            const auto* text = std::get_if<std::string>(&given);
            const auto value = text == nullptr ? std::nullopt : oauth::Colour::parse(*text);
            if (!value) return std::unexpected("wants a colour such as \"#1f4fbf\"");
            return *value;
          },
          [](const oauth::Colour& value) { return codec::quoted(value.text()); }};
}

inline Codec<oauth::ScopeSet> scopes() {
  return {Form::text, "scopes, separated by spaces",
          [](const Given& given) -> std::expected<oauth::ScopeSet, Complaint> {
            const auto* text = std::get_if<std::string>(&given);
            if (text == nullptr) return std::unexpected("wants scopes in one text, separated by spaces");
            auto value = oauth::ScopeSet::parse(*text);
            if (!value) return std::unexpected("holds what no scope may (RFC 6749, 3.3)");
            return *std::move(value);
          },
          [](const oauth::ScopeSet& value) { return codec::quoted(value.text()); }};
}

}  // namespace troupe::app::codec
