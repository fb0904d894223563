// Evidence: an exchange as a line that may be shown, without what should stay secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "troupe/attack/http/message.h"

namespace troupe::attack {

/// The text with what looks like a token (twenty characters and more of base64url) cut to its beginning, and with these
/// secrets left out, also where they stand form-encoded.
std::string shortened(std::string_view text, const std::vector<std::string>& secrets);

/// "POST https://... a=b: 400, {"error":...}", in printable ASCII and at most about a thousand bytes.
std::string text_of(const Exchange& exchange, const std::vector<std::string>& secrets);

}  // namespace troupe::attack
