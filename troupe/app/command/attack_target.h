// The file of `troupe selftest --target`: what is known of the server under attack, as TOML.
//
//   refresh_grace = "0s"
//   [client]
//   id = "..."
//   secret = "..."
//   redirect_uri = "https://client.example/callback"
//   scope = "openid offline_access"
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "troupe/attack/target.h"

namespace troupe::app {

/// The options in this text; the URL stays empty. The error is a sentence with the line.
std::expected<attack::TargetOptions, std::string> read_attack_target(const std::string& toml);

/// Whether the URL names the machine that asks, and nothing else could be meant: `localhost`, or a loopback address.
bool is_own_machine(std::string_view url);

}  // namespace troupe::app
