// read(2), write(2) and poll(2), with what can go wrong in them.
#include "troupe/app/client/terminal_output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace troupe::app {

std::error_code write_to(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody else has made it non-blocking
      pollfd full{descriptor, POLLOUT, 0};
      (void)::poll(&full, 1, -1);
    } else if (errno != EINTR) {
      return {errno, std::generic_category()};
    }
  }
  return {};
}

std::optional<std::size_t> terminal_width(int descriptor) {
  winsize size{};
  if (::isatty(descriptor) == 0 || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

/// Reads once; false at the end of the input.
std::expected<bool, LineReader::End> LineReader::read_more() {
  std::array<pollfd, 2> watched{{{descriptor_, POLLIN, 0}, {interrupt_, POLLIN, 0}}};
  while (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) continue;
  if (watched[1].revents != 0) return std::unexpected(End::interrupted);
  std::array<char, 64 * 1024> some;
  const auto count = ::read(descriptor_, some.data(), some.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (count < 0) return std::unexpected(End::unreadable);
  if (count == 0) return false;
  buffer_.append(some.data(), static_cast<std::size_t>(count));
  return true;
}

std::expected<std::string, LineReader::End> LineReader::next() {
  while (true) {
    if (const auto end = buffer_.find('\n', searched_); end != std::string::npos) {
      auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return line;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > line_bytes_max) return std::unexpected(End::too_long);
    if (ended_ && buffer_.empty()) return std::unexpected(End::of_input);
    if (ended_) {
      searched_ = 0;
      return std::exchange(buffer_, {});
    }
    const auto more = read_more();
    if (!more) return std::unexpected(more.error());
    ended_ = !*more;
  }
}

std::expected<std::string, LineReader::End> LineReader::rest() {
  while (!ended_) {
    const auto more = read_more();
    if (!more) return std::unexpected(more.error());
    ended_ = !*more;
    if (buffer_.size() > line_bytes_max) return std::unexpected(End::too_long);
  }
  return std::exchange(buffer_, {});
}

}  // namespace troupe::app
