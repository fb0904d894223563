// A status line and a few fields; the lines were found by the empty one that ends them.
#include "troupe/realtime/client/handshake_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "troupe/wire/ascii.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {
namespace {

std::optional<int> status_of(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ") || line.size() < 12 || (line.size() > 12 && line[12] != ' ')) return std::nullopt;
  int status = 0;
  const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, status);
  if (error != std::errc{} || end != line.data() + 12 || status < 100) return std::nullopt;
  return status;
}

/// Takes the first line off the text, without its line break.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find("\r\n"));
  text.remove_prefix(std::min(line.size() + 2, text.size()));
  return line;
}

}  // namespace

std::expected<HandshakeAnswer, std::string> read_handshake_answer(std::string_view head, const HandshakeOffer& offer) {
  const auto status = status_of(take_line(head));
  if (!status) return std::unexpected("what answers there speaks no HTTP/1.1");
  if (*status != 101) return HandshakeAnswer{*status};
  std::string_view accept, upgrade, connection, extensions, subprotocol;
  for (auto line = take_line(head); !line.empty(); line = take_line(head)) {
    const auto colon = std::min(line.find(':'), line.size());
    const auto name = line.substr(0, colon);
    const auto value = wire::trim(line.substr(std::min(colon + 1, line.size())));
    if (wire::equal_ignoring_case(name, "sec-websocket-accept")) accept = value;
    if (wire::equal_ignoring_case(name, "upgrade")) upgrade = value;
    if (wire::equal_ignoring_case(name, "connection")) connection = value;
    if (wire::equal_ignoring_case(name, "sec-websocket-extensions")) extensions = value;
    if (wire::equal_ignoring_case(name, "sec-websocket-protocol")) subprotocol = value;
  }
  if (!wire::equal_ignoring_case(upgrade, "websocket") || !wire::lists_token(connection, "upgrade"))
    return std::unexpected("the server upgrades to something else");
  if (accept != wire::websocket_accept(offer.key)) return std::unexpected("the server answers another handshake");
  if (!extensions.empty()) return std::unexpected("the server agrees on an extension that was not offered");
  if (!subprotocol.empty() && subprotocol != offer.subprotocol)
    return std::unexpected(fmt::format("the server speaks another protocol: {}", subprotocol.substr(0, 64)));
  return HandshakeAnswer{101};
}

}  // namespace troupe::realtime
