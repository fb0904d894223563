// WebSocket frames: what a client may send, what it may not (each with its close code),
// and that the way in which bytes are cut into reads changes nothing.
#include "troupe/wire/websocket.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <utility>

namespace troupe::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::array<char, 4> mask{0x37, '\xfa', 0x21, 0x3d};

struct Outcome {
  std::vector<std::pair<Opcode, std::string>> events;
  std::uint16_t refused_with = 0;
  std::string_view why;
  std::size_t bytes_held = 0;

  bool operator==(const Outcome&) const = default;
};

/// Feeds `bytes` in pieces of that size and collects what comes out until the end or the first error.
Outcome decode(std::string bytes, std::size_t piece_bytes = SIZE_MAX, WebSocketLimits limits = {},
               WebSocketRole role = WebSocketRole::server) {
  Outcome outcome;
  WebSocketDecoder decoder{role, limits};
  std::span<char> rest{bytes};
  while (!rest.empty()) {
    std::span<char> piece = rest.first(std::min(piece_bytes, rest.size()));
    rest = rest.subspan(piece.size());
    while (true) {
      auto event = decoder.next(piece);
      if (!event) {
        outcome.refused_with = event.error().code;
        outcome.why = event.error().why;
        return outcome;
      }
      if (!*event) break;
      outcome.events.emplace_back((*event)->opcode, (*event)->payload);
    }
    CHECK(piece.empty());
  }
  outcome.bytes_held = decoder.bytes_held();
  return outcome;
}

std::string client(Opcode opcode, std::string_view payload, Fragment fragment = Fragment::last) {
  return encode_masked_frame(opcode, payload, mask, fragment);
}

TEST_CASE("the handshake of RFC 6455 gets the answer that stands there") {
  CHECK_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(is_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
  for (auto key : {"", "dGhlIHNhbXBsZSBub25jZQ", "c2hvcnQ=", "not base64 at all!!!!!!!"})
    CHECK_FALSE(is_websocket_key(key));
}

TEST_CASE("the frames of RFC 6455, section 5.7, are read as described there") {
  CHECK_EQ(decode("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s).events.at(0), std::pair{Opcode::text, "Hello"s});
  auto from_server = decode("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"s, SIZE_MAX, {}, WebSocketRole::client);
  CHECK_EQ(from_server.events.at(0), std::pair{Opcode::text, "Hello"s});
}

TEST_CASE("control frames are answered between the fragments of a message") {
  auto bytes = client(Opcode::text, "Hel", Fragment::more) + client(Opcode::ping, "are you there") +
               client(Opcode::continuation, "", Fragment::more) + client(Opcode::continuation, "lo") +
               client(Opcode::close, close_payload(1000, "bye"));
  auto outcome = decode(bytes);
  REQUIRE_EQ(outcome.events.size(), 3);
  CHECK_EQ(outcome.events[0], std::pair{Opcode::ping, "are you there"s});
  CHECK_EQ(outcome.events[1], std::pair{Opcode::text, "Hello"s});
  auto status = read_close(outcome.events[2].second);
  CHECK_EQ(status.code, 1000);
  CHECK_EQ(status.reason, "bye");
}

TEST_CASE("what a client must not send is refused with the right close code") {
  struct Row {
    std::string_view what;
    std::string bytes;
    std::uint16_t code;
  };
  const Row rows[] = {
      {"an unmasked frame", encode_frame(Opcode::text, "x"), 1002},
      {"reserved bit 1", "\xc1\x80\0\0\0\0"s, 1002},
      {"reserved bit 2", "\xa1\x80\0\0\0\0"s, 1002},
      {"reserved bit 3", "\x91\x80\0\0\0\0"s, 1002},
      {"opcode 3", "\x83\x80\0\0\0\0"s, 1002},
      {"opcode 7", "\x87\x80\0\0\0\0"s, 1002},
      {"opcode 11", "\x8b\x80\0\0\0\0"s, 1002},
      {"opcode 15", "\x8f\x80\0\0\0\0"s, 1002},
      {"a fragmented ping", client(Opcode::ping, "", Fragment::more), 1002},
      {"a ping of 126 bytes", client(Opcode::ping, std::string(126, 'p')), 1002},
      {"a continuation of nothing", client(Opcode::continuation, "x"), 1002},
      {"a message inside a message", client(Opcode::text, "a", Fragment::more) + client(Opcode::text, "b"), 1002},
      {"a short length in two bytes", "\x82\xfe\x00\x7d\0\0\0\0"s, 1002},
      {"a short length in eight bytes", "\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"s, 1002},
      {"a length with its highest bit set", "\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"s, 1002},
      {"a length over the limit", "\x82\xff\0\0\0\0\0\x10\0\x01\0\0\0\0"s, 1009},
      {"fragments that add up over the limit",
       client(Opcode::binary, std::string(1 << 20, 'x'), Fragment::more) + client(Opcode::continuation, "y"), 1009},
      {"text that is not UTF-8", client(Opcode::text, "\xc0\xaf"), 1007},
      {"text that ends inside a character", client(Opcode::text, "\xe2\x82"), 1007},
      {"a bad character, before the message ends", client(Opcode::text, "\xf4\x90", Fragment::more), 1007},
      {"a close code of one byte", client(Opcode::close, "\x03"), 1002},
      {"close code 999", client(Opcode::close, "\x03\xe7"), 1002},
      {"close code 1005", client(Opcode::close, "\x03\xed"), 1002},
      {"close code 1006", client(Opcode::close, "\x03\xee"), 1002},
      {"close code 1016", client(Opcode::close, "\x03\xf8"), 1002},
      {"close code 2999", client(Opcode::close, "\x0b\xb7"), 1002},
      {"close code 5000", client(Opcode::close, "\x13\x88"), 1002},
      {"a close reason not in UTF-8", client(Opcode::close, "\x03\xe8\xff"), 1007},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    for (std::size_t piece : {SIZE_MAX, std::size_t{1}}) {
      if (piece == 1 && row.bytes.size() > 100'000) continue;
      auto outcome = decode(row.bytes, piece);
      CHECK_EQ(outcome.refused_with, row.code);
      CHECK(outcome.events.empty());
    }
  }
}

TEST_CASE("a client refuses masked frames") {
  CHECK_EQ(decode(client(Opcode::text, "x"), SIZE_MAX, {}, WebSocketRole::client).refused_with, 1002);
}

TEST_CASE("every close code that may be sent is let through") {
  for (std::uint16_t code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    auto outcome = decode(client(Opcode::close, close_payload(code, "")));
    REQUIRE_EQ(outcome.events.size(), 1);
    CHECK_EQ(read_close(outcome.events[0].second).code, code);
  }
  CHECK_EQ(read_close(decode(client(Opcode::close, "")).events.at(0).second).code, close_code::no_status);
}

TEST_CASE("a close reason is cut at a character to fit a control frame") {
  std::string reason;
  for (int i = 0; i < 50; ++i) reason += "€";
  auto payload = close_payload(1008, reason);
  CHECK_EQ(payload.size(), 2 + 41 * 3);
  CHECK(is_utf8(payload.substr(2)));
}

TEST_CASE("lengths around every limit of the encoding come back whole") {
  for (std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 65537}) {
    CAPTURE(size);
    std::string payload(size, 'x');
    for (std::size_t piece : {SIZE_MAX, std::size_t{1000}}) {
      auto up = decode(client(Opcode::binary, payload), piece);
      REQUIRE_EQ(up.events.size(), 1);
      CHECK(up.events[0].second == payload);
      auto down = decode(encode_frame(Opcode::binary, payload), piece, {}, WebSocketRole::client);
      REQUIRE_EQ(down.events.size(), 1);
      CHECK(down.events[0].second == payload);
    }
    CHECK_EQ(std::string{FrameHeader(Opcode::binary, size).view()} + payload, encode_frame(Opcode::binary, payload));
  }
}

TEST_CASE("how long a finished frame is stands in its head") {
  for (std::size_t payload : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 100'000U}) {
    CAPTURE(payload);
    const auto frame = encode_frame(Opcode::binary, std::string(payload, 'x'));
    CHECK_EQ(finished_frame_bytes(frame + "and what is behind it"), frame.size());
    CHECK_EQ(finished_frame_bytes(std::string_view{frame}.substr(0, frame_head_bytes_max)), frame.size());
  }
}

TEST_CASE("a message that lies whole in the read buffer is handed out where it lies") {
  auto bytes = client(Opcode::binary, "in place");
  std::span<char> input{bytes};
  WebSocketDecoder decoder{WebSocketRole::server};
  auto event = decoder.next(input);
  REQUIRE(event.has_value());
  REQUIRE(event->has_value());
  CHECK_EQ((*event)->payload.data(), bytes.data() + 6);
  CHECK_EQ(decoder.bytes_held(), 0);
}

TEST_CASE("a declared length alone takes no memory") {
  auto outcome = decode("\x82\xff\0\0\0\0\0\x0f\0\0\0\0\0\0only this"s);
  CHECK_EQ(outcome.bytes_held, "only this"sv.size());
}

TEST_CASE("any frames, cut anywhere, give the events of the whole") {
  CHECK(rc::check([] {
    std::string bytes;
    bool open = false;
    auto count = *rc::gen::inRange(1, 12);
    for (int i = 0; i < count; ++i) {
      auto payload = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
      bool control = *rc::gen::inRange(0, 4) == 0;
      bool last = *rc::gen::arbitrary<bool>();
      if (control) {
        bytes += client(Opcode::ping, payload.substr(0, 125));
      } else {
        bytes += client(open ? Opcode::continuation : Opcode::text, payload, last ? Fragment::last : Fragment::more);
        open = !last;
      }
    }
    auto piece = *rc::gen::inRange<std::size_t>(1, 40);
    RC_ASSERT(decode(bytes, piece) == decode(bytes));
  }));
}

}  // namespace
}  // namespace troupe::wire
