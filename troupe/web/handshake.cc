// The opening handshake: the checks in the order of RFC 6455, 4.2.1.
#include "troupe/web/handshake.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/websocket.h"

namespace troupe::web {
namespace {

Response upgrade_required(std::string_view detail) {
  Response response = problem(426, detail);
  response.headers.add("Upgrade", "websocket");
  response.headers.add("Connection", "Upgrade");
  response.headers.add("Sec-WebSocket-Version", "13");
  return response;
}

/// All fields of the header as one list; false when one breaks the grammar.
bool read_extensions(const Request& request, std::vector<wire::ExtensionOffer>& offers) {
  return std::ranges::all_of(request.headers, [&](const auto& field) {
    return !wire::equal_ignoring_case(field.name, "sec-websocket-extensions") ||
           wire::parse_extensions(field.value, offers);
  });
}

}  // namespace

std::optional<Response> handshake_refusal(const Request& request) {
  const Headers& headers = request.headers;
  bool asks = headers.has_token("connection", "upgrade") && headers.has_token("upgrade", "websocket");
  if (!asks) return upgrade_required("this path speaks WebSocket only");
  if (headers.count("sec-websocket-version") != 1 || request.header("sec-websocket-version") != "13") {
    return upgrade_required("only version 13 of the WebSocket protocol is spoken here");
  }
  if (headers.count("sec-websocket-key") != 1 || !wire::is_websocket_key(request.header("sec-websocket-key"))) {
    return problem(400, "Sec-WebSocket-Key must be base64 of sixteen bytes, once");
  }
  if (!request.body.empty()) return problem(400, "a handshake has no body");
  for (std::string_view name : offered_subprotocols(request)) {
    if (!wire::is_token(name)) return problem(400, "a subprotocol must be a token");
  }
  std::vector<wire::ExtensionOffer> offers;
  if (!read_extensions(request, offers)) return problem(400, "Sec-WebSocket-Extensions breaks its grammar");
  return std::nullopt;
}

std::vector<std::string_view> offered_subprotocols(const Request& request) {
  std::vector<std::string_view> offered;
  for (const auto& field : request.headers) {
    if (!wire::equal_ignoring_case(field.name, "sec-websocket-protocol")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(item.size() + 1, rest.size()));
      if (auto name = wire::trim(item); !name.empty()) offered.push_back(name);
    }
  }
  return offered;
}

std::vector<wire::ExtensionOffer> offered_extensions(const Request& request) {
  std::vector<wire::ExtensionOffer> offers;
  bool sound = read_extensions(request, offers);
  INVARIANT(sound, "a handshake that should have been refused");
  return offers;
}

Response handshake_response(const Request& request, std::string_view subprotocol, std::string_view extensions) {
  Response response{.status = 101};
  response.headers.add("Upgrade", "websocket");
  response.headers.add("Connection", "Upgrade");
  response.headers.add("Sec-WebSocket-Accept", wire::websocket_accept(request.header("sec-websocket-key")));
  if (!subprotocol.empty()) {
    bool was_offered = std::ranges::count(offered_subprotocols(request), subprotocol) > 0;
    INVARIANT(was_offered, "a subprotocol was chosen that the client did not offer");
    response.headers.add("Sec-WebSocket-Protocol", std::string{subprotocol});
  }
  if (!extensions.empty()) response.headers.add("Sec-WebSocket-Extensions", std::string{extensions});
  return response;
}

}  // namespace troupe::web
