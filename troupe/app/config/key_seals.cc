// See key_seals.h.
#include "troupe/app/config/key_seals.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace troupe::app {
namespace {

using Found = std::expected<std::optional<crypto::SealKey>, SealComplaint>;

constexpr std::string_view wanted = "wants 32 bytes in base64url; `troupe keys new-encryption-key` makes some";

Found parsed(const std::string& key, std::string_view text) {
  auto seal = crypto::SealKey::parse(text);
  if (!seal) return std::unexpected(SealComplaint{key, std::string{wanted}});
  return seal;
}

Found in_file(const std::string& key, const std::string& path) {
  std::ifstream file{path};
  std::string text(256, '\0');  // more than a key takes, so that a wrong file is not read as a whole
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return std::unexpected(SealComplaint{key, fmt::format("names {}, which cannot be read: {}", path,
                                                          std::error_code{errno, std::generic_category()}.message())});
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parsed(key, text);
}

}  // namespace

std::expected<oauth::KeySealsPtr, SealComplaint> key_seals_of(const Config& config) {
  const SealConfig& seals = config.seals;
  auto found = std::make_shared<oauth::KeySeals>();
  const std::string& text = seals.encryption_key.expose();
  if (!text.empty() && !seals.encryption_key_file.empty()) {
    return std::unexpected(SealComplaint{"oauth.encryption_key_file", "stands beside oauth.encryption_key: set one"});
  }
  Found current = std::optional<crypto::SealKey>{};
  if (!text.empty()) current = parsed("oauth.encryption_key", text);
  if (!seals.encryption_key_file.empty()) current = in_file("oauth.encryption_key_file", seals.encryption_key_file);
  if (!current) return std::unexpected(current.error());
  found->current = *std::move(current);
  if (const std::string& before = seals.encryption_key_previous.expose(); !before.empty()) {
    auto previous = parsed("oauth.encryption_key_previous", before);
    if (!previous) return std::unexpected(previous.error());
    found->previous = *std::move(previous);
  }
  return found;
}

}  // namespace troupe::app
