// Fuzzes permessage-deflate: any bytes inflate within the limit or are refused, alone and in
// a decoder however they are cut; what we deflate inflates to itself; and any header of
// extensions is either refused or agreed on with values that the response repeats.
#include "troupe/wire/deflate.h"

#include "fuzz/property.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/websocket.h"

namespace {

using namespace troupe::wire;

constexpr std::size_t bytes_max = 5000;

void check_inflating(std::string_view bytes, DeflateContext context) {
  Inflater inflater{{.context = context}};
  for (int message = 0; message < 2; ++message) {
    auto inflated = inflater.inflate(bytes, bytes_max);
    INVARIANT(!inflated || inflated->size() <= bytes_max, "more came out than the limit allows");
  }
}

std::string transcript(std::string_view compressed, std::size_t fragment_bytes, std::size_t piece_bytes) {
  std::string bytes;
  bool first = true;
  do {
    auto part = compressed.substr(0, fragment_bytes);
    compressed.remove_prefix(part.size());
    bytes += encode_masked_frame(first ? Opcode::text : Opcode::continuation, part, {1, 2, 3, 4},
                                 compressed.empty() ? Fragment::last : Fragment::more,
                                 first ? Compressed::yes : Compressed::no);
    first = false;
  } while (!compressed.empty());

  std::string said;
  Inflater inflater{{}};
  WebSocketDecoder decoder{WebSocketRole::server, {.message_bytes_max = bytes_max}, &inflater};
  std::span<char> rest{bytes};
  while (!rest.empty()) {
    auto piece = rest.first(std::min(piece_bytes, rest.size()));
    rest = rest.subspan(piece.size());
    auto event = decoder.next(piece);
    if (!event) return said + "error " + std::to_string(event.error().code);
    INVARIANT(decoder.bytes_held() <= deflated_bytes_max(bytes_max) + 14, "more is held than the limits allow");
    if (*event) said.append((*event)->payload);
  }
  INVARIANT(is_utf8(said), "text that is not UTF-8 came through");
  return said;
}

void check_deflating(std::string_view message, DeflateDirection direction) {
  Deflater deflater{direction};
  Inflater inflater{direction};
  for (int again = 0; again < 2; ++again) {
    std::string compressed;
    deflater.deflate(message, compressed);
    auto back = inflater.inflate(compressed, message.size());
    INVARIANT(back && *back == message, "a message does not inflate to itself");
  }
}

void check_header(std::string_view field, std::uint8_t choice) {
  std::vector<ExtensionOffer> offers;
  if (!parse_extensions(field, offers)) return;
  DeflatePolicy policy{choice % 2 == 0 ? DeflateSharing::shared : DeflateSharing::own, 9 + choice / 2 % 7};
  auto agreement = choose_deflate(offers, policy);
  if (!agreement) return;
  for (const auto& [context, bits] : {agreement->server, agreement->client}) {
    INVARIANT(bits >= window_bits_min && bits <= window_bits_max, "a window that there is not");
    INVARIANT(context == DeflateContext::fresh || bits <= policy.window_bits, "a window beyond ours is kept");
  }
  std::vector<ExtensionOffer> response;
  INVARIANT(parse_extensions(agreement->response, response) && response.size() == 1, "a response without form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto bytes = troupe::fuzz::as_text(data + 1, size - 1);
  check_inflating(bytes, DeflateContext::fresh);
  check_inflating(bytes, DeflateContext::kept);
  auto whole = transcript(bytes, SIZE_MAX, SIZE_MAX);
  INVARIANT(transcript(bytes, 1u + data[0], SIZE_MAX) == whole, "fragments differ from the whole");
  INVARIANT(transcript(bytes, SIZE_MAX, 1u + data[0]) == whole, "pieces differ from the whole");
  check_deflating(bytes, {data[0] % 2 == 0 ? DeflateContext::fresh : DeflateContext::kept, 8 + data[0] / 2 % 8});
  check_header(bytes, data[0]);
  return 0;
}
