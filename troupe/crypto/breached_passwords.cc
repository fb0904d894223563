// See breached_passwords.h.
#include "troupe/crypto/breached_passwords.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "troupe/crypto/digest.h"

namespace troupe::crypto {
namespace {

constexpr std::size_t hash_digits = 40;
constexpr std::size_t count_digits_max = 20;
constexpr std::uint64_t line_bytes_max = hash_digits + 1 + count_digits_max + 2;  // with `:`, and a line break of two
constexpr std::uint64_t probes = 64;  // even a slow disk is done in a second

bool is_upper_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_line(std::string_view text) {
  if (text.size() < hash_digits || !std::ranges::all_of(text.substr(0, hash_digits), is_upper_hex)) return false;
  const std::string_view rest = text.substr(hash_digits);
  if (rest.empty()) return true;
  return rest.front() == ':' && rest.size() > 1 && rest.size() <= 1 + count_digits_max &&
         std::ranges::all_of(rest.substr(1), is_digit);
}

std::string unreadable() {
  return fmt::format("cannot be read: {}", std::error_code{errno, std::generic_category()}.message());
}
std::string no_line(std::uint64_t offset) {
  return fmt::format("has at byte {} no line of 40 upper-case hexadecimal digits, with or without `:` and a number",
                     offset);
}
std::string unsorted(std::uint64_t offset) { return fmt::format("is not sorted: see the line at byte {}", offset); }

}  // namespace

std::expected<std::shared_ptr<const BreachedPasswords>, std::string> BreachedPasswords::open(const std::string& path) {
  File file{std::fopen(path.c_str(), "rbe")};
  struct stat seen{};
  if (!file || ::fstat(::fileno(file.get()), &seen) != 0) return std::unexpected(unreadable());
  if (!S_ISREG(seen.st_mode)) return std::unexpected("is no file");
  if (seen.st_size == 0) return std::unexpected("is empty");
  auto list =
      std::make_shared<const BreachedPasswords>(Opened{std::move(file), static_cast<std::uint64_t>(seen.st_size)});
  if (auto probed = list->probe(); !probed) return std::unexpected(std::move(probed.error()));
  return list;
}

bool BreachedPasswords::has(const Password& password) const {
  std::string digits = hex(sha1(password.expose()));
  Hash wanted;
  std::ranges::transform(digits, wanted.begin(),
                         [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  auto found = find(wanted);
  if (!found) throw std::runtime_error{"the list of breached passwords " + found.error()};
  return *found;
}

/// The line that has the byte at `offset`.
BreachedPasswords::Found<BreachedPasswords::Line> BreachedPasswords::line_at(std::uint64_t offset) const {
  std::array<char, 2 * line_bytes_max> buffer;
  const std::uint64_t from = offset - std::min(offset, line_bytes_max);
  const ::ssize_t got = ::pread(::fileno(file_.get()), buffer.data(), buffer.size(), static_cast<::off_t>(from));
  if (got < 0) return std::unexpected(unreadable());
  const std::string_view seen{buffer.data(), static_cast<std::size_t>(got)};
  const std::size_t place = offset - from;
  if (place >= seen.size()) return std::unexpected(fmt::format("ends before byte {}", offset));

  const std::size_t before = place == 0 ? std::string_view::npos : seen.rfind('\n', place - 1);
  if (before == std::string_view::npos && from > 0) return std::unexpected(no_line(offset));
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t line_break = std::min(seen.find('\n', place), seen.size());
  std::string_view text = seen.substr(begin, line_break - begin);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (!is_line(text)) return std::unexpected(no_line(from + begin));

  Line line{.begin = from + begin, .end = std::min(from + line_break + 1, size_)};
  std::ranges::copy(text.substr(0, hash_digits), line.hash.begin());
  return line;
}

BreachedPasswords::Found<bool> BreachedPasswords::find(const Hash& wanted) const {
  std::uint64_t low = 0, high = size_;
  std::optional<Hash> below, above;
  while (low < high) {
    const auto line = line_at(low + (high - low) / 2);
    if (!line) return std::unexpected(line.error());
    if ((below && line->hash <= *below) || (above && line->hash >= *above))
      return std::unexpected(unsorted(line->begin));
    if (line->hash == wanted) return true;
    if (line->hash < wanted) {
      low = line->end;
      below = line->hash;
    } else {
      high = line->begin;
      above = line->hash;
    }
  }
  return false;
}

/// Whether the lines at some places, and those behind them, are as they must be.
BreachedPasswords::Found<void> BreachedPasswords::probe() const {
  std::optional<Line> last;
  for (std::uint64_t i = 0; i <= probes; ++i) {
    std::uint64_t place = std::min(size_ / probes * i + size_ % probes * i / probes, size_ - 1);
    for (int lines = 0; lines < 2 && place < size_; ++lines) {
      const auto line = line_at(place);
      if (!line) return std::unexpected(line.error());
      if (last && line->begin > last->begin && line->hash <= last->hash) return std::unexpected(unsorted(line->begin));
      if (!last || line->begin > last->begin) last = *line;
      place = line->end;
    }
  }
  return {};
}

}  // namespace troupe::crypto
