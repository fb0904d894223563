// ReadBuffer: the one large buffer that all sockets of a core read into.
//
// Made by the core's server and shared with its sockets; bytes in it are valid only
// until the event that announced them returns. A large buffer means few system calls,
// and a connection that is silent holds none of it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace troupe::net {

class ReadBuffer {
 public:
  static constexpr std::size_t bytes = 1024 * 1024;

  std::span<char> span() noexcept { return {memory_.get(), bytes}; }

 private:
  // Not value-initialised: pages that no read has touched cost nothing.
  std::unique_ptr<char[]> memory_ = std::make_unique_for_overwrite<char[]>(bytes);
};

}  // namespace troupe::net
