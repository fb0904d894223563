// See named_files.h.
#include "troupe/app/config/named_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "troupe/app/config/value.h"
#include "troupe/app/config/whole_file.h"

namespace troupe::app {
namespace {

/// The image of that file; null where none is named.
std::expected<std::shared_ptr<const oauth::Logo>, Complaint> read_logo(const std::string& path) {
  if (path.empty()) return nullptr;
  auto bytes = read_whole_file(path, oauth::logo_bytes_max);
  if (!bytes && bytes.error() == std::errc::file_too_large) {
    return std::unexpected(fmt::format("names {}, which is larger than {}", path, bytes_text(oauth::logo_bytes_max)));
  }
  if (!bytes) {
    return std::unexpected(fmt::format("names {}, which cannot be read: {}", path, bytes.error().message()));
  }
  auto logo = oauth::logo_of_bytes(*std::move(bytes));
  if (!logo) return std::unexpected(fmt::format("names {}, which is no PNG, JPEG or SVG image", path));
  return std::make_shared<const oauth::Logo>(*std::move(logo));
}

/// The list in that file; null where none is named.
std::expected<std::shared_ptr<const crypto::BreachedPasswords>, Complaint> open_breached(const std::string& path) {
  if (path.empty()) return nullptr;
  auto list = crypto::BreachedPasswords::open(path);
  if (!list) return std::unexpected(fmt::format("names {}, which {}", path, list.error()));
  return *std::move(list);
}

}  // namespace

void read_named_files(Config& config, const Places& places, Reading reading, std::vector<Problem>& problems) {
  const auto complain = [&](const std::string& key, const Complaint& complaint) {
    const auto where = places.find(key);
    problems.push_back({where == places.end() ? "" : where->second, fmt::format("{} {}", key, complaint)});
  };
  const auto take = [&](const std::string& key, const std::string& path, auto read, auto& place) {
    if (reading == Reading::again && is_read_once(path))
      return complain(key, fmt::format("names {}, which is no file, but a pipe that has been read", path));
    auto found = read(path);
    if (!found) return complain(key, found.error());
    place = *std::move(found);
  };
  // What stands in these is read where they are used, again and again. Who begins is told here, with all else that is
  // wrong, that one is not there.
  const auto look_at = [&](const std::string& key, const std::string& path) {
    if (path.empty() || reading == Reading::again || ::access(path.c_str(), R_OK) == 0) return;
    complain(key, fmt::format("names {}, which cannot be read: {}", path, std::generic_category().message(errno)));
  };
  look_at("server.tls_certificate", config.server.tls_certificate);
  look_at("server.tls_key", config.server.tls_key);
  take("oauth.logo_file", config.pages.logo_file, read_logo, config.oauth.look.logo);
  take("oauth.breached_passwords", config.passwords.breached_file, open_breached, config.passwords.breached);
}

void keep_named_files(const Config& running, Config& config) {
  config.oauth.look.logo = running.oauth.look.logo;
  config.passwords.breached = running.passwords.breached;
}

}  // namespace troupe::app
