// The opening handshake of a WebSocket (RFC 6455, 4.2): is this request one, and the
// response that turns the connection over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/web/message.h"
#include "troupe/wire/websocket_extension.h"

namespace troupe::web {

/// Why `request` opens no WebSocket: 426 when it does not ask for one or for another version, 400 when it asks
/// wrongly; nothing when it does everything right.
std::optional<Response> handshake_refusal(const Request& request);

/// The subprotocols that the client offers, in its order of preference. The views point into the request.
std::vector<std::string_view> offered_subprotocols(const Request& request);

/// The extensions that the client offers, in its order of preference; only of a request without refusal.
std::vector<wire::ExtensionOffer> offered_extensions(const Request& request);

/// The 101 for a request without refusal. `subprotocol` is "" or one that was offered, `extensions` what was agreed on.
Response handshake_response(const Request& request, std::string_view subprotocol, std::string_view extensions = {});

}  // namespace troupe::web
