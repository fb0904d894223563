// Random ids of the real-time service, of at most fifteen characters: a ShortId keeps so many within itself.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "troupe/base/check.h"
#include "troupe/base/random.h"
#include "troupe/realtime/protocol/short_id.h"

namespace troupe::realtime {

inline constexpr std::size_t random_id_characters_max = ShortId::characters_max;  // 90 bits

/// Each character is one of 64 and six random bits. None of them needs quoting in JSON, an URL or a topic.
inline std::string random_id(std::size_t characters, base::Random& random) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  INVARIANT(characters <= random_id_characters_max, "a random id is short");
  std::array<std::byte, random_id_characters_max> bytes{};
  random.fill(std::span{bytes}.first(characters));
  std::string id(characters, '\0');
  for (std::size_t i = 0; i < characters; ++i)
    id[i] = alphabet[std::to_integer<std::size_t>(bytes[i]) % alphabet.size()];
  return id;
}

}  // namespace troupe::realtime
