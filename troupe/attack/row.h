// Row: one line of the list of threats, and what it says of a target.
//
// The numbers are those of docs/protocol/oauth_threats.md. A row runs only where the target has what it needs; what it
// finds wrong it tells its Trial, and a row that has checked nothing has not passed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/attack/target.h"

namespace troupe::attack {

class Trial;

/// What a row needs of the target, as a set of bits.
enum class Need : std::uint32_t {
  nothing = 0,
  client = 1U << 0U,         // a confidential client
  other_client = 1U << 1U,   // a second one
  public_client = 1U << 2U,  // one without secret
  machine = 1U << 3U,        // one with client_credentials
  user = 1U << 4U,           // somebody who signs in
  victim = 1U << 5U,         // an account to be attacked
  authorize = 1U << 6U,      // authorization_endpoint
  introspect = 1U << 7U,     // introspection_endpoint, and a client for it
  revoke = 1U << 8U,         // revocation_endpoint
  userinfo = 1U << 9U,       // userinfo_endpoint
  logout = 1U << 10U,        // end_session_endpoint
  registration = 1U << 11U,  // registration_endpoint
  assertion = 1U << 12U,     // private_key_jwt
  code_lifetime = 1U << 13U,
  refresh_grace = 1U << 14U,
  disabled_client = 1U << 15U,
  admin = 1U << 16U,
  loopback = 1U << 17U,   // a public client with a redirect URI at 127.0.0.1
  elsewhere = 1U << 18U,  // cannot be seen over HTTP
};
constexpr Need operator|(Need a, Need b) {
  return static_cast<Need>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(Need all, Need one) {
  return (static_cast<std::uint32_t>(all) & static_cast<std::uint32_t>(one)) != 0;
}

/// Signing in with the code flow as the confidential client.
constexpr Need flow = Need::client | Need::user | Need::authorize;

struct Row {
  std::string_view id;     // "T13"
  std::string_view title;  // what is tried
  Need needs = Need::nothing;
  void (*run)(Trial& trial) = nullptr;
  std::string_view why_elsewhere = "";  // of Need::elsewhere: who shows it
};

enum class Outcome : std::uint8_t { passed, failed, not_applicable };
std::string_view text(Outcome outcome) noexcept;

struct Verdict {
  std::string id, title;
  Outcome outcome = Outcome::failed;
  std::vector<std::string> reasons;  // of a failure what was seen, else why it does not apply; of a pass none
  std::uint64_t checks = 0;
};

/// Why the row does not apply to this target; "" where it does.
std::string missing(const Row& row, const Target& target);

/// All rows, in the order in which they run: those that make sign-in slow come last.
std::vector<Row> all_rows();

/// Runs one row, whatever comes of it.
Verdict judge(const Row& row, const Target& target, Transport& transport);

}  // namespace troupe::attack
