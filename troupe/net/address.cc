// Addresses: text to bytes and back by the system's own parser, prefixes by bits.
#include "troupe/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace troupe::net {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::string terminated{text};
  if (terminated.size() != std::string_view{terminated.c_str()}.size()) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data() + 12) == 1) {
    std::ranges::copy(v4_prefix, bytes.begin());
    return IpAddress{bytes};
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return IpAddress{bytes};
  return std::nullopt;
}

bool IpAddress::is_v4() const noexcept { return std::ranges::equal(v4_prefix, std::span{bytes_}.first<12>()); }

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_[15] == 1 && std::ranges::all_of(std::span{bytes_}.first<15>(), [](auto byte) { return byte == 0; });
}

bool IpAddress::is_unspecified() const noexcept {
  auto part = is_v4() ? std::span{bytes_}.subspan(12) : std::span{bytes_}.subspan(0);
  return std::ranges::all_of(part, [](auto byte) { return byte == 0; });
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  int family = is_v4() ? AF_INET : AF_INET6;
  inet_ntop(family, bytes_.data() + (is_v4() ? 12 : 0), out.data(), out.size());
  return out.data();
}

IpAddress counted_address(const IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress{bytes};
}

std::optional<Network> Network::parse(std::string_view text) {
  std::size_t slash = std::min(text.find('/'), text.size());
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network;
  network.prefix_ = *address;
  if (slash < text.size()) {
    std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    unsigned bits_max = address->is_v4() ? 32 : 128;
    if (error != std::errc{} || end != digits.data() + digits.size() || bits > bits_max) return std::nullopt;
    network.bits_ = static_cast<std::uint8_t>(address->is_v4() ? 96 + bits : bits);
  }
  for (unsigned bit = network.bits_; bit < 128; ++bit) {
    if ((address->bytes()[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return network;
}

bool Network::contains(const IpAddress& address) const noexcept {
  std::size_t whole_bytes = bits_ / 8;
  const auto& ours = prefix_.bytes();
  const auto& theirs = address.bytes();
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole_bytes), theirs.begin())) return false;
  unsigned rest = bits_ % 8;
  return rest == 0 || (ours[whole_bytes] ^ theirs[whole_bytes]) >> (8 - rest) == 0;
}

bool contains_any(std::span<const Network> networks, const IpAddress& address) noexcept {
  return std::ranges::any_of(networks, [&](const Network& each) { return each.contains(address); });
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  std::string_view digits = text.substr(colon + 1);
  bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != host.contains(':')) return std::nullopt;
  auto ip = IpAddress::parse(host);
  Endpoint endpoint;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (!ip || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  endpoint.ip = *ip;
  return endpoint;
}

std::string Endpoint::text() const {
  std::string host = ip.is_v4() ? ip.text() : "[" + ip.text() + "]";
  return host + ":" + std::to_string(port);
}

}  // namespace troupe::net
