// Sec-WebSocket-Extensions (RFC 6455, 9.1): the offers of a client as values.
//
// The header may come in several fields, which are one list. Names of extensions and
// parameters are tokens; a value is a token or a quoted string that holds one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::wire {

struct ExtensionParameter {
  std::string name;
  std::optional<std::string> value;  // unquoted

  bool operator==(const ExtensionParameter&) const = default;
};

/// One way in which a client would use an extension; the first ones are dearer to it.
struct ExtensionOffer {
  std::string name;
  std::vector<ExtensionParameter> parameters;

  bool operator==(const ExtensionOffer&) const = default;
};

/// Appends the offers of one field. False when it breaks the grammar, and then the handshake must fail.
bool parse_extensions(std::string_view field, std::vector<ExtensionOffer>& offers);

}  // namespace troupe::wire
