// See evidence.h.
#include "troupe/attack/evidence.h"

#include <fmt/format.h>

#include "troupe/wire/ascii.h"
#include "troupe/wire/form.h"

namespace troupe::attack {
namespace {

constexpr std::size_t token_bytes_min = 20;
constexpr std::size_t token_bytes_shown = 6;
constexpr std::size_t url_bytes_max = 400;
constexpr std::size_t body_bytes_max = 300;

bool is_token_character(char c) { return wire::is_alphanumeric(c) || c == '-' || c == '_'; }

void leave_out(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "***");
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string shown;
  for (char c : text.substr(0, bytes_max)) {
    if (c >= ' ' && c <= '~') {
      shown += c;
    } else if (c != '\n' && c != '\r') {
      wire::append_percent(shown, c);
    } else {
      shown += ' ';
    }
  }
  return text.size() > bytes_max ? fmt::format("{}... ({} bytes)", shown, text.size()) : shown;
}

}  // namespace

std::string shortened(std::string_view text, const std::vector<std::string>& secrets) {
  std::string open{text};
  for (const std::string& secret : secrets) {
    leave_out(open, secret);
    leave_out(open, wire::form_encode(secret));
  }
  std::string shown;
  for (std::size_t at = 0; at < open.size();) {
    std::size_t length = 0;
    while (at + length < open.size() && is_token_character(open[at + length])) ++length;
    if (length >= token_bytes_min) {
      shown += open.substr(at, token_bytes_shown) + "..";
    } else {
      shown += open.substr(at, length);
    }
    at += length;
    if (at < open.size()) shown += open[at++];
  }
  return shown;
}

std::string text_of(const Exchange& exchange, const std::vector<std::string>& secrets) {
  const auto& [request, answer] = exchange;
  std::string line = fmt::format("{} {}", request.method, printable(shortened(request.url, secrets), url_bytes_max));
  if (!request.body.empty()) line += " " + printable(shortened(request.body, secrets), body_bytes_max);
  if (answer.status == 0) return line + ": no answer, " + answer.failure;
  line += fmt::format(": {}", answer.status);
  if (const auto location = answer.field("location"); !location.empty())
    line += " to " + printable(shortened(location, secrets), url_bytes_max);
  if (!answer.body.empty()) line += ", " + printable(shortened(answer.body, secrets), body_bytes_max);
  return line;
}

}  // namespace troupe::attack
