// Fetch: one request to a server of somebody else, and its answer.
//
// Where the address comes from a stranger (a client's jwks_uri, say), it must not become a way into our own network:
// the address that the name turns out to have is looked at before the connection and again once it stands, whatever
// the name was; no redirect is followed; no proxy and no credentials of ours are used; and what comes back is bounded
// in bytes and time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/net/address.h"

namespace troupe::web {

enum class FetchFault : std::uint8_t {
  bad_url,            // not http or https, a user in it, or plain http where that is not allowed
  forbidden_address,  // of the inside of some network
  unreachable,        // no such name, nobody there, or the answer is no HTTP
  untrusted,          // its certificate is not good, or another's
  too_slow,
  too_large,
};

/// The name of the fault, for logs and the audit trail: "forbidden_address".
std::string_view text(FetchFault fault) noexcept;

struct FetchRules {
  enum class Reach : std::uint8_t {
    internet,  // https, and public addresses alone: the URL is a stranger's
    anywhere,  // http too, and the proxy of the environment: the URL is the operator's
  } reach = Reach::internet;
  std::vector<net::Network> unsafe_allowed{};  // addresses that are let through all the same, by http too; for tests
  base::Duration within = std::chrono::milliseconds{2500};  // for all of it, the name's resolution included
  std::size_t head_bytes_max = 16 * 1024;                   // several times what servers send
  std::size_t body_bytes_max = 64 * 1024;  // a key set of a hundred RSA keys; an answer to a POST is cut there
};

struct Fetched {
  int status = 0;
  std::string body;
};

/// What is asked: a GET, or where there is a body the POST of it.
struct Fetch {
  std::string url;
  std::string content_type{};  // of the body
  std::string body{};
  std::vector<std::string> headers{};  // further ones, "Name: value" without line breaks
  using reply = Fetched;
  using error = FetchFault;
};

/// Asks and waits, on the calling thread: for threads that may block.
std::expected<Fetched, FetchFault> fetch_and_wait(const Fetch& request, const FetchRules& rules);

}  // namespace troupe::web
