// Internet addresses as values: IpAddress (v4 and v6 in one form), Network (a prefix, for
// lists of trusted proxies) and Endpoint (address and port).
//
// An IPv4 address is kept in its IPv6-mapped form, so one peer has one value whichever
// family the socket speaks; it is written and counted as IPv4.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::net {

class IpAddress {
 public:
  /// The unspecified address `::`.
  constexpr IpAddress() = default;
  /// Sixteen bytes in network order; IPv4 as ::ffff:a.b.c.d.
  explicit constexpr IpAddress(std::array<std::uint8_t, 16> bytes) : bytes_(bytes) {}

  /// Reads "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1"; no brackets, zones or white space.
  static std::optional<IpAddress> parse(std::string_view text);

  const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
  bool is_v4() const noexcept;
  /// 127.0.0.0/8 or ::1.
  bool is_loopback() const noexcept;
  bool is_unspecified() const noexcept;
  /// Without brackets; IPv4 dotted.
  std::string text() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// What counts as one address: of IPv6 the network of 64 bits, for a host may take any address in it.
IpAddress counted_address(const IpAddress& address);

/// All addresses that share a prefix.
class Network {
 public:
  /// Reads "10.0.0.0/8", "2001:db8::/32" or one address. Bits below the prefix must be zero.
  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const noexcept;

 private:
  IpAddress prefix_;
  std::uint8_t bits_ = 128;  // counted in the IPv6 form: a /8 of IPv4 is 104
};

/// Whether the address lies in one of them.
bool contains_any(std::span<const Network> networks, const IpAddress& address) noexcept;

/// One end of a connection, or a place to listen at.
struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;

  /// Reads "192.0.2.1:443" or "[2001:db8::1]:443".
  static std::optional<Endpoint> parse(std::string_view text);

  /// As parse reads it.
  std::string text() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// The other end of a connection.
using PeerAddress = Endpoint;

}  // namespace troupe::net
