// Fuzzes the frames of real-time clients: what is accepted is JSON for another reader too, its payload as well, and
// a message made of it is JSON again. The first byte chooses text or binary.
#include <boost/json/src.hpp>  // the whole reader, compiled here: nothing else of ours needs it

#include "fuzz/property.h"
#include "troupe/realtime/protocol/decoder.h"
#include "troupe/realtime/protocol/message.h"

namespace {

using namespace troupe::realtime;

// As another reader sees it. Surrogates that stand alone and huge exponents are JSON by its grammar, but not for
// that reader; texts that may have them are let through.
bool is_json(std::string_view text) {
  if (text.find("\\ud") != text.npos || text.find("\\uD") != text.npos) return true;
  boost::json::stream_parser parser{{}, {.max_depth = 100}};
  boost::system::error_code error;
  parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  return !error || error == boost::json::error::exponent_overflow;
}

void check_message(const Payload& payload) {
  if (payload.kind == PayloadKind::binary) return;
  INVARIANT(is_json(payload.bytes), "a payload that is no JSON came through");
  auto message = encode_message({"a", Position{}, UserId{"u"}, {}, payload});
  INVARIANT(message.payload() == payload.bytes, "a payload was changed");
  auto head = message.frame.view().find(R"({"type")");
  INVARIANT(is_json(message.frame.view().substr(head)), "a message became no JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Decoder decoder;
  if (size == 0) return 0;
  auto text = troupe::fuzz::as_text(data + 1, size - 1);
  bool binary = (data[0] & 1) != 0;
  auto frame = binary ? decoder.decode_binary(text) : decoder.decode_text(text);
  if (!frame) {
    INVARIANT(!frame.error().error.message.empty(), "a frame was refused without a word");
    return 0;
  }
  if (!binary) INVARIANT(is_json(text), "a frame that is no JSON came through");
  INVARIANT(!frame->id || frame->id->value().size() <= request_id_bytes_max, "an id over its limit came through");
  if (auto* publish = std::get_if<PublishPtr>(&frame->command)) check_message((*publish)->payload);
  if (auto* direct = std::get_if<Direct>(&frame->command)) check_message(direct->payload);
  return 0;
}
