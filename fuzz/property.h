// What fuzzers say when a property does not hold: they stop, so that libFuzzer keeps the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "troupe/base/check.h"

namespace troupe::fuzz {

/// The bytes that libFuzzer gives, as text.
inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace troupe::fuzz
