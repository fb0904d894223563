// See known_device.h. The cookie: name "." seconds of its making "." MAC, each as text without dots.
#include "troupe/oauth/actor/known_device.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "troupe/crypto/digest.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t token_bytes_max = 128;  // ours are shorter

std::string mac_of(std::string_view name, std::int64_t made_at, const UserRecord& user) {
  const std::string message = fmt::format("known device\n{}\n{}\n{}", name, made_at, user.user.id.value());
  return wire::to_base64url(crypto::hmac_sha256(user.password_hash, message).view());
}

}  // namespace

DeviceToken new_known_device(const UserRecord& user, base::UnixTime now, base::Random& random) {
  std::array<std::byte, 16> name;
  random.fill(name);
  const std::string text = wire::to_base64url(name);
  return DeviceToken{fmt::format("{}.{}.{}", text, now.seconds(), mac_of(text, now.seconds(), user))};
}

std::optional<std::string> known_device(const DeviceToken& shown, const UserRecord& user, base::UnixTime now,
                                        std::chrono::seconds lifetime) {
  const std::string_view text = shown.expose();
  const std::size_t first = text.find('.');
  const std::size_t last = text.rfind('.');
  if (text.size() > token_bytes_max || first == std::string_view::npos || first == last) return std::nullopt;
  const std::string_view name = text.substr(0, first);
  const std::string_view time = text.substr(first + 1, last - first - 1);
  std::int64_t made_at = 0;
  const auto read = std::from_chars(time.data(), time.data() + time.size(), made_at);
  if (read.ec != std::errc{} || read.ptr != time.data() + time.size()) return std::nullopt;
  if (!crypto::equal_in_constant_time(text.substr(last + 1), mac_of(name, made_at, user))) return std::nullopt;
  // One from the future is ours all the same: the clock has been set back.
  if (now.seconds() - made_at >= lifetime.count()) return std::nullopt;
  return std::string{name};
}

}  // namespace troupe::oauth
