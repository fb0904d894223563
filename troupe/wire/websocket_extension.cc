// The list of extensions: a descent along the grammar, which has no ambiguity to return from.
#include "troupe/wire/websocket_extension.h"

#include <algorithm>

#include "troupe/wire/ascii.h"

namespace troupe::wire {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  /// Skips white space, then takes `c` if it stands there.
  bool take(char c) noexcept {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A token, empty when none stands there.
  std::string token() {
    skip_space();
    auto end = std::ranges::find_if_not(rest_, is_token_character);
    std::string found{rest_.begin(), end};
    rest_.remove_prefix(found.size());
    return found;
  }

  /// What stands between quotes, of which the first is taken; empty when it is no token. A backslash quotes the next.
  std::string quoted() {
    std::string found;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return is_token(found) ? found : std::string{};
      if (c == '\\') {
        if (rest_.empty()) break;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      found += c;
    }
    return {};
  }

  bool at_end() noexcept {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() noexcept {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

bool parse_parameters(Reader& reader, std::vector<ExtensionParameter>& parameters) {
  while (reader.take(';')) {
    ExtensionParameter parameter{reader.token(), {}};
    if (parameter.name.empty()) return false;
    if (reader.take('=')) {
      parameter.value = reader.take('"') ? reader.quoted() : reader.token();
      if (parameter.value->empty()) return false;
    }
    parameters.push_back(std::move(parameter));
  }
  return true;
}

}  // namespace

bool parse_extensions(std::string_view field, std::vector<ExtensionOffer>& offers) {
  Reader reader{field};
  while (!reader.at_end()) {
    if (reader.take(',')) continue;  // empty elements of a list mean nothing (RFC 9110, 5.6.1)
    ExtensionOffer offer{reader.token(), {}};
    if (offer.name.empty() || !parse_parameters(reader, offer.parameters)) return false;
    if (!reader.at_end() && !reader.take(',')) return false;
    offers.push_back(std::move(offer));
  }
  return true;
}

}  // namespace troupe::wire
