// See whole_file.h.
#include "troupe/app/config/whole_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>

namespace troupe::app {

std::expected<std::string, std::error_code> read_whole_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file{path, std::ios::binary};
  std::string text(bytes_max + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return std::unexpected(std::error_code{errno, std::generic_category()});
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > bytes_max) return std::unexpected(std::make_error_code(std::errc::file_too_large));
  return text;
}

bool is_read_once(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode));
}

bool others_can_read(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0;
}

}  // namespace troupe::app
