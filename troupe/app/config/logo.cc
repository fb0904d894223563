// See logo.h.
#include "troupe/app/config/logo.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace troupe::app {

std::expected<std::shared_ptr<const oauth::Logo>, Complaint> read_logo(const std::string& path) {
  if (path.empty()) return nullptr;
  std::ifstream file{path, std::ios::binary};
  std::string bytes(oauth::logo_bytes_max + 1, '\0');
  if (file) file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad()) {
    return std::unexpected(fmt::format("names {}, which cannot be read: {}", path,
                                       std::error_code{errno, std::generic_category()}.message()));
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > oauth::logo_bytes_max) {
    return std::unexpected(fmt::format("names {}, which is larger than {}", path, bytes_text(oauth::logo_bytes_max)));
  }
  auto logo = oauth::logo_of_bytes(std::move(bytes));
  if (!logo) return std::unexpected(fmt::format("names {}, which is no PNG, JPEG or SVG image", path));
  return std::make_shared<const oauth::Logo>(*std::move(logo));
}

}  // namespace troupe::app
