// ServerAddress: the server that a command speaks to, read from what a person types.
//
// `ws://`, `wss://`, `http://` and `https://` are all taken, and so is HOST:PORT alone; the path is /ws unless the URL
// has one.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/net/address.h"

namespace troupe::app {

struct ServerAddress {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  bool secure = false;    // TLS
  std::string authority;  // what the Host field says
  std::string target;     // path and query
};

/// The error is a sentence about what is wanted.
std::expected<ServerAddress, std::string> parse_server_address(std::string_view text);

/// The addresses that the name has, in the system's order. Blocks. The error is a sentence.
std::expected<std::vector<net::Endpoint>, std::string> resolve(const ServerAddress& address);

}  // namespace troupe::app
