// Key: what a message, or an entity, is sorted by. The same in every process and every run.
//
// A message says its key by a member `key()` or a static `key(const M&)`. A key is a whole
// number, an enumeration, text, or a type with `value()` of these (base::Strong); for any other
// type give a `key_hash(const T&)` beside it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace troupe::actor {

/// Spreads a number over all 64 bits.
constexpr std::uint64_t mix(std::uint64_t n) noexcept {
  n ^= n >> 30;
  n *= 0xbf58476d1ce4e5b9u;
  n ^= n >> 27;
  n *= 0x94d049bb133111ebu;
  return n ^ n >> 31;
}

constexpr std::uint64_t key_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return mix(hash);
}
template <class T>
  requires(std::integral<T> || std::is_enum_v<T>)
constexpr std::uint64_t key_hash(T number) noexcept {
  return mix(static_cast<std::uint64_t>(number) + 0x9e3779b97f4a7c15u);
}
template <class T>
  requires(requires(const T& key) { key_hash(key.value()); } && !std::convertible_to<const T&, std::string_view>)
constexpr std::uint64_t key_hash(const T& key) noexcept {
  return key_hash(key.value());
}

template <class M>
concept KeyedByMember = requires(const M& m) { key_hash(m.key()); };
template <class M>
concept KeyedByFunction = requires(const M& m) { key_hash(M::key(m)); };

/// The hash of a message's key.
template <class M>
  requires(KeyedByMember<M> || KeyedByFunction<M>)
std::uint64_t key_of(const M& message) {
  if constexpr (KeyedByMember<M>) {
    return key_hash(message.key());
  } else {
    return key_hash(M::key(message));
  }
}

}  // namespace troupe::actor
