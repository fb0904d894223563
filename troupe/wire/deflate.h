// permessage-deflate (RFC 7692): what is negotiated, and the two directions of one message.
//
// A Deflater or Inflater whose context is not kept begins anew with each message, so one of
// it serves any number of connections of its core. What is inflated never exceeds the limit
// that the caller names, whatever the peer sends. zlib stays in the .cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/wire/websocket_extension.h"

namespace troupe::wire {

/// Whether what one message said may be referred to by the next one (7.1.1).
enum class DeflateContext : std::uint8_t {
  fresh,  // no_context_takeover
  kept,
};

/// How far back a reference may reach: 2^8 to 2^15 bytes (7.1.2).
inline constexpr int window_bits_min = 8;
inline constexpr int window_bits_max = 15;

/// One direction of a connection, as agreed.
struct DeflateDirection {
  DeflateContext context = DeflateContext::fresh;
  int window_bits = window_bits_max;

  bool operator==(const DeflateDirection&) const = default;
};

/// What both sides have agreed on, and how the response says it.
struct DeflateAgreement {
  DeflateDirection server;  // what the server compresses
  DeflateDirection client;  // what the client compresses
  std::string response;     // the value of Sec-WebSocket-Extensions
};

/// What a server is ready to keep for one connection.
enum class DeflateSharing : std::uint8_t {
  shared,  // nothing: both contexts are fresh
  own,     // a window of each direction
};

struct DeflatePolicy {
  DeflateSharing sharing = DeflateSharing::shared;
  int window_bits = window_bits_max;  // of a kept context, at most
};

/// The first acceptable offer of permessage-deflate among `offers`, and what it becomes (section 5). Offers with a
/// parameter that is unknown, given twice or of a wrong value are declined (7.1); nothing when all are.
std::optional<DeflateAgreement> choose_deflate(const std::vector<ExtensionOffer>& offers, const DeflatePolicy& policy);

/// Compresses the payloads of messages.
class Deflater {
 public:
  explicit Deflater(DeflateDirection direction);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Appends the payload of the compressed message (7.2.1).
  void deflate(std::string_view payload, std::string& out);

  bool keeps_context() const noexcept { return context_ == DeflateContext::kept; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  DeflateContext context_;
};

enum class InflateError : std::uint8_t {
  damaged,    // no DEFLATE data, or cut short: 1007
  too_large,  // more than the limit: 1009
};

/// Takes compressed payloads apart.
class Inflater {
 public:
  explicit Inflater(DeflateDirection direction);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The message that `compressed` stands for (7.2.2), of at most `bytes_max`. After an error a kept context is lost.
  std::expected<std::string, InflateError> inflate(std::string_view compressed, std::size_t bytes_max);

 private:
  struct State;
  std::unique_ptr<State> state_;
  DeflateContext context_;
};

/// The most bytes into which a reasonable peer compresses a message of `bytes`; a longer one is over the limit.
constexpr std::size_t deflated_bytes_max(std::size_t bytes) noexcept { return bytes + bytes / 8 + bytes / 64 + 64; }

/// A finished frame of a server (encode_frame), compressed: RSV1 set, the head anew. Nothing when that is no shorter
/// and `deflater` keeps no context.
std::optional<std::string> deflate_frame(Deflater& deflater, std::string_view frame);

}  // namespace troupe::wire
