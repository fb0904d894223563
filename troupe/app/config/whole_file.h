// A file that is read whole, such as a configuration, a certificate or an image: bounded, and with the reason where it
// cannot be read.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <system_error>

namespace troupe::app {

/// All that stands in the file. Errors: the system's; std::errc::file_too_large where it has more than `bytes_max`.
std::expected<std::string, std::error_code> read_whole_file(const std::string& path, std::size_t bytes_max);

/// Whether it is a pipe, such as a shell's <(...): what was read is there no more, and reading again may wait for ever.
bool is_read_once(const std::string& path);

/// Whether everybody on this machine may read it, which is no way to keep a key.
bool others_can_read(const std::string& path);

}  // namespace troupe::app
