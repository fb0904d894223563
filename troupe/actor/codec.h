// Codec: plain structs as bytes, the same on every machine.
//
// Numbers are little-endian and as wide as their type (say std::int64_t, not long); a text or a
// list is preceded by its 32-bit length; fields stand one after the other, without names. So a
// field that is added, removed or retyped makes a new version of the struct (events.h). What an
// unordered container holds has no order that could be repeated, and is refused.
//
// A type is encoded by, in this order: its own `static std::string encode(const T&)` and
// `static T decode(std::string_view)`; its `auto fields() { return std::tie(a, b); }`; or, for an
// aggregate of up to ten fields (no C arrays, no base classes), by nothing at all. Lists stand
// within lists up to `nesting_max` deep: a type that contains a list of its own kind would
// otherwise let whoever sends the bytes say how deep the stack goes.
#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "troupe/base/bytes.h"
#include "troupe/base/strong.h"

namespace troupe::actor {

/// Bytes that are not what they should be.
class MalformedRecord : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr int nesting_max = 64;

namespace detail {

/// Converts to whatever a field is; for counting fields, never called.
struct AnyField {
  template <class T>
  operator T() const {
    std::unreachable();
  }
};

template <class T, std::size_t... I>
consteval bool builds_from(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), AnyField{})...}; };
}

template <class T, std::size_t n = 10>
consteval std::size_t field_count() {
  static_assert(!builds_from<T>(std::make_index_sequence<11>{}), "more than ten fields: say `auto fields()`");
  if constexpr (n == 0 || builds_from<T>(std::make_index_sequence<n>{})) {
    return n;
  } else {
    return field_count<T, n - 1>();
  }
}

/// References to the fields of an aggregate.
template <class T>
auto fields_of(T& value) {
  if constexpr (requires(std::remove_const_t<T>& v) { v.fields(); }) {
    return const_cast<std::remove_const_t<T>&>(value).fields();  // it only names the fields
  } else {
    constexpr std::size_t n = field_count<std::remove_const_t<T>>();
    if constexpr (n == 0) {
      return std::tuple<>{};
    } else if constexpr (n == 1) {
      auto& [a] = value;
      return std::tie(a);
    } else if constexpr (n == 2) {
      auto& [a, b] = value;
      return std::tie(a, b);
    } else if constexpr (n == 3) {
      auto& [a, b, c] = value;
      return std::tie(a, b, c);
    } else if constexpr (n == 4) {
      auto& [a, b, c, d] = value;
      return std::tie(a, b, c, d);
    } else if constexpr (n == 5) {
      auto& [a, b, c, d, e] = value;
      return std::tie(a, b, c, d, e);
    } else if constexpr (n == 6) {
      auto& [a, b, c, d, e, f] = value;
      return std::tie(a, b, c, d, e, f);
    } else if constexpr (n == 7) {
      auto& [a, b, c, d, e, f, g] = value;
      return std::tie(a, b, c, d, e, f, g);
    } else if constexpr (n == 8) {
      auto& [a, b, c, d, e, f, g, h] = value;
      return std::tie(a, b, c, d, e, f, g, h);
    } else if constexpr (n == 9) {
      auto& [a, b, c, d, e, f, g, h, i] = value;
      return std::tie(a, b, c, d, e, f, g, h, i);
    } else {
      auto& [a, b, c, d, e, f, g, h, i, j] = value;
      return std::tie(a, b, c, d, e, f, g, h, i, j);
    }
  }
}

template <class T>
concept OwnCodec = requires(const T& value, std::string_view bytes) {
  { T::encode(value) } -> std::convertible_to<std::string>;
  { T::decode(bytes) } -> std::same_as<T>;
};
template <class T>
concept Text = std::same_as<T, std::string> || std::same_as<T, base::Bytes>;
template <class T>
concept Optional = std::same_as<T, std::optional<typename T::value_type>>;
template <class T>
concept StrongType =
    requires { []<class Tag, class V>(std::type_identity<base::Strong<Tag, V>>) {}(std::type_identity<T>{}); };
template <class T>
concept Period =
    requires { []<class R, class P>(std::type_identity<std::chrono::duration<R, P>>) {}(std::type_identity<T>{}); };
/// As what the count of a period travels: whole numbers of any width as one, fractions as they are.
template <Period T>
using CountOf = std::conditional_t<std::is_floating_point_v<typename T::rep>, typename T::rep, std::int64_t>;
template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };  // pair, tuple and array
template <class T>
concept Container = requires(T& list, const T& given) {
  typename T::value_type;
  given.size();
  list.clear();
  list.insert(list.end(), *given.begin());
};

/// What a map's entries are read into.
template <class T>
struct Element {
  using type = T;
};
template <class K, class V>
struct Element<std::pair<const K, V>> {
  using type = std::pair<K, V>;
};

template <class T>
inline constexpr bool becomes_bytes = std::is_aggregate_v<T> || requires(T& value) { value.fields(); };

}  // namespace detail

/// Writes values one behind the other. Throws std::length_error where lists are nested too deep to be read again.
class Encoder {
 public:
  std::string take() noexcept { return std::move(bytes_); }

  template <class T>
  void put(const T& value) {
    if constexpr (detail::OwnCodec<T>) {
      text(T::encode(value));
    } else if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      static_assert(sizeof(T) <= 8, "long double differs between machines");
      put(std::bit_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(value));
    } else if constexpr (std::is_integral_v<T>) {
      number(static_cast<std::uint64_t>(value), sizeof(T));
    } else if constexpr (std::same_as<T, base::Bytes>) {
      text(value.view());
    } else if constexpr (detail::Text<T>) {
      text(value);
    } else if constexpr (detail::Optional<T>) {
      put(value.has_value());
      if (value) put(*value);
    } else if constexpr (detail::StrongType<T>) {
      put(value.value());
    } else if constexpr (detail::Period<T>) {
      put(static_cast<detail::CountOf<T>>(value.count()));
    } else if constexpr (detail::TupleLike<T>) {
      std::apply([&](const auto&... each) { (this->put(each), ...); }, value);
    } else if constexpr (detail::Container<T>) {
      static_assert(!requires { typename T::hasher; }, "an unordered container has no order that could be repeated");
      length(value.size());
      begin_list();
      for (const auto& each : value) put(each);
      --nesting_;
    } else {
      static_assert(detail::becomes_bytes<T>, "a field of this type cannot be recorded: see actor/codec.h");
      if constexpr (detail::becomes_bytes<T>)
        std::apply([&](const auto&... each) { (this->put(each), ...); }, detail::fields_of(value));
    }
  }

 private:
  void number(std::uint64_t value, std::size_t width);
  void length(std::size_t size);
  void text(std::string_view text);
  void begin_list();

  std::string bytes_;
  int nesting_ = 0;
};

/// Reads them back; throws MalformedRecord where they are not there.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) noexcept : rest_(bytes) {}

  /// Throws unless everything was read.
  void finish() const;

  template <class T>
  T get() {
    if constexpr (detail::OwnCodec<T>) {
      return T::decode(text());
    } else if constexpr (std::is_enum_v<T>) {
      return static_cast<T>(get<std::underlying_type_t<T>>());
    } else if constexpr (std::same_as<T, bool>) {
      return flag();
    } else if constexpr (std::is_floating_point_v<T>) {
      return std::bit_cast<T>(get<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>());
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(number(sizeof(T)));
    } else if constexpr (detail::Text<T>) {
      return T{std::string{text()}};
    } else if constexpr (detail::Optional<T>) {
      return flag() ? T{get<typename T::value_type>()} : T{};
    } else if constexpr (detail::StrongType<T>) {
      return T{get<typename T::value_type>()};
    } else if constexpr (detail::Period<T>) {
      return T{static_cast<typename T::rep>(get<detail::CountOf<T>>())};
    } else if constexpr (detail::TupleLike<T>) {
      T value{};
      std::apply([&](auto&... each) { (this->read(each), ...); }, value);
      return value;
    } else if constexpr (detail::Container<T>) {
      return list<T>();
    } else {
      static_assert(detail::becomes_bytes<T>, "a field of this type cannot be recorded: see actor/codec.h");
      T value{};
      if constexpr (detail::becomes_bytes<T>)
        std::apply([&](auto&... each) { (this->read(each), ...); }, detail::fields_of(value));
      return value;
    }
  }

 private:
  template <class T>
  void read(T& into) {
    into = get<T>();
  }
  template <class T>
  T list() {
    using Each = typename detail::Element<typename T::value_type>::type;
    static_assert(!std::is_empty_v<Each>, "a list of what has no bytes says nothing but its length");
    T all{};
    std::size_t left = length();
    begin_list();
    for (; left > 0; --left) all.insert(all.end(), get<Each>());
    --nesting_;
    return all;
  }
  std::uint64_t number(std::size_t width);
  bool flag();
  /// Of a list: no more than there are bytes, so that a wrong one takes no memory.
  std::size_t length();
  std::string_view text();
  void begin_list();

  std::string_view rest_;
  int nesting_ = 0;
};

template <class T>
std::string encode(const T& value) {
  if constexpr (detail::OwnCodec<T>) {
    return T::encode(value);
  } else {
    Encoder encoder;
    encoder.put(value);
    return encoder.take();
  }
}

/// Throws MalformedRecord, or what the type's own `decode` throws.
template <class T>
T decode(std::string_view bytes) {
  if constexpr (detail::OwnCodec<T>) {
    return T::decode(bytes);
  } else {
    Decoder decoder{bytes};
    T value = decoder.get<T>();
    decoder.finish();
    return value;
  }
}

}  // namespace troupe::actor
