// permessage-deflate: the examples of RFC 7692, what is agreed on for which offer, messages
// of every size and cut, and what a peer may not do. The kinds of cases 12 and 13 of the
// public Autobahn suite stand here as tables.
#include "troupe/wire/deflate.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <zlib.h>

#include "troupe/base/random.h"
#include "troupe/wire/websocket.h"

namespace troupe::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr DeflateDirection fresh{};
constexpr DeflateDirection kept{.context = DeflateContext::kept};
constexpr std::size_t plenty = 64 << 20;

std::string deflated(Deflater& deflater, std::string_view message) {
  std::string out;
  deflater.deflate(message, out);
  return out;
}
std::string deflated(std::string_view message, DeflateDirection direction = fresh) {
  Deflater deflater{direction};
  return deflated(deflater, message);
}
std::expected<std::string, InflateError> inflated(std::string_view bytes, std::size_t bytes_max = plenty) {
  Inflater inflater{fresh};
  return inflater.inflate(bytes, bytes_max);
}

/// Text that compresses about as chat does.
std::string prose(std::size_t size, std::uint64_t seed = 1) {
  constexpr std::array words{"hello ",       "{\"type\":\"message\",", "\"topic\":\"chat.",
                             "w\xc3\xb6rld", "\",\"offset\":",         "1234567"};
  base::SeededRandom random{seed};
  std::string text;
  while (text.size() + 20 < size) text += words[random.below(words.size())];
  text.resize(size, '.');
  return text;
}
std::string noise(std::size_t size, std::uint64_t seed = 1) {
  base::SeededRandom random{seed};
  std::string bytes(size, '\0');
  random.fill(std::as_writable_bytes(std::span{bytes}));
  return bytes;
}

// ---- negotiation ----

std::string agreed(std::string_view offer, DeflatePolicy policy = {}) {
  std::vector<ExtensionOffer> offers;
  REQUIRE(parse_extensions(offer, offers));
  auto agreement = choose_deflate(offers, policy);
  return agreement ? agreement->response : "declined";
}

TEST_CASE("what is agreed on keeps no context where nothing else is configured") {
  struct Row {
    std::string_view offer, response;
  };
  constexpr std::string_view none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  const std::string nine = std::string{none} + "; server_max_window_bits=9";
  const Row rows[] = {
      {"permessage-deflate", none},
      {"permessage-deflate; client_max_window_bits", none},  // what browsers send
      {"permessage-deflate; client_max_window_bits=8", none},
      {"permessage-deflate; client_no_context_takeover", none},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", none},
      {"permessage-deflate; server_max_window_bits=9", nine},
      {"permessage-deflate; server_max_window_bits=\"9\"", nine},
      {"permessage-deflate; client_max_window_bits; server_max_window_bits=9; server_no_context_takeover", nine},
      {"x-webkit-deflate-frame, permessage-deflate", none},
      {"permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=9", nine},
      {"permessage-deflate; mux=1, permessage-deflate", none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.offer);
    CHECK_EQ(agreed(row.offer), row.response);
  }
}

TEST_CASE("own contexts are kept as far as the client's wish and our window allow") {
  struct Row {
    std::string_view offer;
    int window_bits;
    std::string_view response;
  };
  constexpr Row rows[] = {
      {"permessage-deflate", 15, "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits", 15, "permessage-deflate; client_max_window_bits=15"},
      {"permessage-deflate; client_max_window_bits", 11,
       "permessage-deflate; server_max_window_bits=11; client_max_window_bits=11"},
      {"permessage-deflate; client_max_window_bits=10; server_max_window_bits=9", 11,
       "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10"},
      {"permessage-deflate; server_max_window_bits=15", 15, "permessage-deflate; server_max_window_bits=15"},
      {"permessage-deflate; server_no_context_takeover; client_max_window_bits", 12,
       "permessage-deflate; server_no_context_takeover; client_max_window_bits=12"},
      {"permessage-deflate; client_no_context_takeover", 15, "permessage-deflate; client_no_context_takeover"},
      // It says not that its window may be bounded, so none of it is kept.
      {"permessage-deflate", 11, "permessage-deflate; client_no_context_takeover; server_max_window_bits=11"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.offer);
    CHECK_EQ(agreed(row.offer, {DeflateSharing::own, row.window_bits}), row.response);
  }
}

TEST_CASE("an offer with an undefined, doubled or wrong parameter is declined") {
  for (std::string_view parameters :
       {"mux", "server_no_context_takeover=1", "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover", "server_max_window_bits", "server_max_window_bits=7",
        "server_max_window_bits=16", "server_max_window_bits=08", "server_max_window_bits=1",
        "server_max_window_bits=010", "server_max_window_bits=-9", "server_max_window_bits=x",
        "server_max_window_bits=9; server_max_window_bits=9", "client_max_window_bits=7", "client_max_window_bits=16",
        "client_max_window_bits=15x", "client_max_window_bits; client_max_window_bits", "Client_Max_Window_Bits"}) {
    CAPTURE(parameters);
    CHECK_EQ(agreed("permessage-deflate; " + std::string{parameters}), "declined");
  }
  CHECK_EQ(agreed(""), "declined");
  CHECK_EQ(agreed("permessage-bzip2"), "declined");
}

// ---- one message ----

TEST_CASE("the examples of RFC 7692, section 7.2.3, are read as described there") {
  struct Row {
    std::string_view what, bytes, message;
  };
  constexpr Row rows[] = {
      {"one block", "\xf2\x48\xcd\xc9\xc9\x07\x00"sv, "Hello"},
      {"no compression", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv, "Hello"},
      {"a final block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv, "Hello"},
      {"two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv, "Hello"},
      {"an empty message", "\x00"sv, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK_EQ(inflated(row.bytes).value(), row.message);
  }
  Inflater inflater{kept};
  CHECK_EQ(inflater.inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"sv, plenty).value(), "Hello");
  CHECK_EQ(inflater.inflate("\xf2\x00\x11\x00\x00"sv, plenty).value(), "Hello");
  CHECK_EQ(deflated("Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"sv);
  CHECK_EQ(deflated(""), "\x00"sv);
}

TEST_CASE("messages of every size, content and window come back as they were") {
  for (std::size_t size : {0, 1, 15, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072, 1048577}) {
    for (int bits = window_bits_min; bits <= window_bits_max; bits += 1 + (size > 65536)) {
      CAPTURE(size);
      CAPTURE(bits);
      for (auto context : {DeflateContext::fresh, DeflateContext::kept}) {
        DeflateDirection direction{context, bits};
        Deflater deflater{direction};
        Inflater inflater{direction};
        for (const auto& message : {prose(size), noise(size), prose(size), prose(size, 2), std::string(size, '*')}) {
          CHECK(inflater.inflate(deflated(deflater, message), size) == message);
        }
      }
    }
  }
}

TEST_CASE("a fresh context is forgotten with its message, a kept one shortens the next") {
  const auto message = prose(1000);
  Deflater forgetful{fresh}, mindful{kept};
  auto first = deflated(forgetful, message);
  CHECK_EQ(deflated(forgetful, message), first);
  CHECK_EQ(deflated(mindful, message).size(), first.size());
  auto second = deflated(mindful, message);
  CHECK_LT(second.size(), 20);
  CHECK_FALSE(inflated(second).has_value());  // it refers to what this inflater has not seen
}

TEST_CASE("nothing refers farther back than the window that was agreed on") {
  const auto message = prose(3000) + prose(3000);
  for (int bits = window_bits_min; bits < window_bits_max; ++bits) {
    CAPTURE(bits);
    auto compressed = deflated(message, {.window_bits = bits}) + "\0\0\xff\xff"s;
    // An inflater with exactly that window, a byte of output at a time, has nothing older to refer to.
    z_stream stream{};
    REQUIRE_EQ(inflateInit2(&stream, -bits), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_in = static_cast<uInt>(compressed.size());
    std::string out;
    int answer = Z_OK;
    while (answer == Z_OK) {
      char byte;
      stream.next_out = reinterpret_cast<Bytef*>(&byte);
      stream.avail_out = 1;
      answer = inflate(&stream, Z_SYNC_FLUSH);
      if (stream.avail_out == 0) out += byte;
    }
    inflateEnd(&stream);
    CHECK_EQ(answer, Z_BUF_ERROR);
    CHECK(out == message);
  }
}

TEST_CASE("what is no DEFLATE data, or is cut short, is damaged") {
  const auto whole = deflated(prose(500));
  struct Row {
    std::string_view what;
    std::string bytes;
  };
  const Row rows[] = {
      {"nothing at all, which is not even an empty block", ""},
      {"an unknown kind of block", "\xff\xff\xff"},
      {"a stored block whose length contradicts itself", "\x00\x05\x00\x00\x00Hello"s},
      {"a reference before the beginning", "\xf2\x00\x11\x00\x00"s},
      {"cut in the middle", whole.substr(0, whole.size() / 2)},
      {"without its last byte", whole.substr(0, whole.size() - 1)},
      {"the middle of a stored block", "\x00\x05\x00\xfa\xffHel"s},
      {"text", "no compression was here"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK_EQ(inflated(row.bytes), std::unexpected(InflateError::damaged));
  }
}

TEST_CASE("a bomb is refused at the limit, and the inflater serves the next message") {
  const auto bomb = deflated(std::string(plenty, '\0'));
  CHECK_LT(bomb.size(), plenty / 1000);
  Inflater inflater{fresh};
  CHECK_EQ(inflater.inflate(bomb, 1000), std::unexpected(InflateError::too_large));
  CHECK_EQ(inflater.inflate(deflated(std::string(1001, '*')), 1000), std::unexpected(InflateError::too_large));
  CHECK_EQ(inflater.inflate(deflated(std::string(1000, '*')), 1000)->size(), 1000);
}

TEST_CASE("no zlib of a peer makes more of a message than we take") {
  for (std::size_t size : {0, 1, 100, 10'000, 300'000}) {
    for (int level = 0; level <= 9; ++level) {
      z_stream stream{};
      REQUIRE_EQ(deflateInit2(&stream, level, Z_DEFLATED, -9, 1, Z_DEFAULT_STRATEGY), Z_OK);
      CHECK_LE(deflateBound(&stream, size), deflated_bytes_max(size));
      deflateEnd(&stream);
    }
  }
}

// ---- frames ----

struct Outcome {
  std::vector<std::string> messages;
  std::uint16_t refused_with = 0;

  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string bytes, Inflater* inflater, std::size_t piece_bytes = SIZE_MAX,
               std::size_t bytes_max = 1000) {
  Outcome outcome;
  WebSocketDecoder decoder{WebSocketRole::server, {.message_bytes_max = bytes_max}, inflater};
  std::span<char> rest{bytes};
  while (!rest.empty()) {
    std::span<char> piece = rest.first(std::min(piece_bytes, rest.size()));
    rest = rest.subspan(piece.size());
    while (true) {
      auto event = decoder.next(piece);
      if (!event) {
        outcome.refused_with = event.error().code;
        return outcome;
      }
      if (!*event) break;
      outcome.messages.emplace_back((*event)->payload);
    }
  }
  return outcome;
}

constexpr std::array<char, 4> mask{0x37, '\xfa', 0x21, 0x3d};

/// The frames of a client: `compressed` in fragments of that many bytes.
std::string frames(Opcode opcode, std::string_view compressed, std::size_t fragment_bytes = SIZE_MAX) {
  std::string all;
  for (bool first = true; first || !compressed.empty(); first = false) {
    auto part = compressed.substr(0, fragment_bytes);
    compressed.remove_prefix(part.size());
    all += encode_masked_frame(first ? opcode : Opcode::continuation, part, mask,
                               compressed.empty() ? Fragment::last : Fragment::more,
                               first ? Compressed::yes : Compressed::no);
  }
  return all;
}

TEST_CASE("compressed messages are read however they are cut into fragments and reads") {
  for (std::size_t size : {0, 1, 100, 1000, 20'000}) {
    const auto message = prose(size);
    for (std::size_t fragment_bytes : {1UL, 7UL, 256UL, SIZE_MAX}) {
      for (std::size_t piece_bytes : {1UL, 100UL, SIZE_MAX}) {
        CAPTURE(size);
        CAPTURE(fragment_bytes);
        CAPTURE(piece_bytes);
        Inflater inflater{fresh};
        auto bytes = frames(Opcode::binary, deflated(message), fragment_bytes);
        bytes += encode_masked_frame(Opcode::text, "plain", mask) + frames(Opcode::text, deflated("again"));
        CHECK(decode(bytes, &inflater, piece_bytes, 20'000) == Outcome{{message, "plain", "again"}});
      }
    }
  }
}

TEST_CASE("one inflater serves connections whose fragments come in turn") {
  Inflater shared{fresh};
  WebSocketDecoder one{WebSocketRole::server, {}, &shared}, other{WebSocketRole::server, {}, &shared};
  const auto a = prose(5000, 1), b = prose(5000, 2);
  auto of_one = frames(Opcode::text, deflated(a), 100), of_other = frames(Opcode::text, deflated(b), 100);
  std::span<char> rest_of_one{of_one}, rest_of_other{of_other};
  std::string got_a, got_b;
  auto feed = [](WebSocketDecoder& decoder, std::span<char>& rest, std::string& got) {
    auto piece = rest.first(std::min<std::size_t>(33, rest.size()));
    rest = rest.subspan(piece.size());
    while (true) {
      auto event = decoder.next(piece);
      REQUIRE(event.has_value());
      if (!*event) return;
      got = (*event)->payload;
    }
  };
  while (!rest_of_one.empty() || !rest_of_other.empty()) {
    feed(one, rest_of_one, got_a);
    feed(other, rest_of_other, got_b);
  }
  CHECK(got_a == a);
  CHECK(got_b == b);
}

TEST_CASE("a control frame between compressed fragments is read as it is") {
  Inflater inflater{fresh};
  auto compressed = deflated("Hello");
  auto bytes = encode_masked_frame(Opcode::text, compressed.substr(0, 3), mask, Fragment::more, Compressed::yes) +
               encode_masked_frame(Opcode::ping, "p", mask) +
               encode_masked_frame(Opcode::continuation, compressed.substr(3), mask);
  CHECK_EQ(decode(bytes, &inflater).messages, std::vector<std::string>{"p", "Hello"});
}

TEST_CASE("what a peer must not send compressed is refused with the right close code") {
  const auto hello = deflated("Hello");
  const auto bad_text = deflated("\xc0\xaf");
  struct Row {
    std::string_view what;
    std::string bytes;
    std::uint16_t code;
  };
  const Row rows[] = {
      {"a compressed ping", encode_masked_frame(Opcode::ping, "", mask, Fragment::last, Compressed::yes), 1002},
      {"a compressed close", encode_masked_frame(Opcode::close, "", mask, Fragment::last, Compressed::yes), 1002},
      {"a continuation that says so again",
       encode_masked_frame(Opcode::text, hello, mask, Fragment::more, Compressed::yes) +
           encode_masked_frame(Opcode::continuation, "", mask, Fragment::last, Compressed::yes),
       1002},
      {"a plain message that says so in its continuation",
       encode_masked_frame(Opcode::text, "Hel", mask, Fragment::more) +
           encode_masked_frame(Opcode::continuation, hello, mask, Fragment::last, Compressed::yes),
       1002},
      {"reserved bit 2", "\xa1\x80\0\0\0\0"s, 1002},
      {"reserved bits 1 and 2", "\xe1\x80\0\0\0\0"s, 1002},
      {"reserved bits 1 and 3", "\xd1\x80\0\0\0\0"s, 1002},
      {"no DEFLATE data", frames(Opcode::binary, "\xff\xff\xff"), 1007},
      {"data cut short", frames(Opcode::binary, hello.substr(0, 3)), 1007},
      {"text that is not UTF-8", frames(Opcode::text, bad_text), 1007},
      {"text that ends inside a character", frames(Opcode::text, deflated("\xe2\x82")), 1007},
      {"a bomb", frames(Opcode::binary, deflated(std::string(1'000'000, '\0'))), 1009},
      {"more than the limit", frames(Opcode::binary, deflated(std::string(1001, 'x'))), 1009},
      {"more than any message within the limit compresses to", frames(Opcode::binary, std::string(1300, '\0')), 1009},
      {"the same in fragments", frames(Opcode::binary, std::string(1300, '\0'), 100), 1009},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    for (std::size_t piece : {SIZE_MAX, std::size_t{1}}) {
      Inflater inflater{fresh};
      CHECK(decode(row.bytes, &inflater, piece) == Outcome{{}, row.code});
    }
  }
  Inflater inflater{fresh};
  CHECK_EQ(decode(frames(Opcode::binary, bad_text), &inflater).messages, std::vector<std::string>{"\xc0\xaf"});
  CHECK_EQ(decode(frames(Opcode::text, hello), nullptr).refused_with, 1002);  // nothing was agreed on
}

TEST_CASE("a finished frame becomes a compressed one, unless that is no shorter") {
  Deflater forgetful{fresh}, mindful{kept};
  for (std::size_t size : {200, 70'000}) {
    for (auto opcode : {Opcode::text, Opcode::binary}) {
      const auto message = prose(size);
      auto frame = deflate_frame(forgetful, encode_frame(opcode, message));
      REQUIRE(frame.has_value());
      CHECK_LT(frame->size(), size);
      Inflater inflater{fresh};
      WebSocketDecoder decoder{WebSocketRole::client, {}, &inflater};
      std::span<char> input{*frame};
      auto event = decoder.next(input);
      REQUIRE((event && *event));
      CHECK_EQ((*event)->opcode, opcode);
      CHECK((*event)->payload == message);
      CHECK(input.empty());
    }
  }
  CHECK_FALSE(deflate_frame(forgetful, encode_frame(Opcode::binary, noise(300))).has_value());
  // A kept context has seen the message, so its frame must be sent.
  CHECK(deflate_frame(mindful, encode_frame(Opcode::binary, noise(300))).has_value());
}

TEST_CASE("property: any messages in a row survive both directions, whatever was agreed on") {
  CHECK(rc::check([](std::vector<std::string> messages) {
    DeflateDirection direction{*rc::gen::element(DeflateContext::fresh, DeflateContext::kept),
                               *rc::gen::inRange(window_bits_min, window_bits_max + 1)};
    Deflater deflater{direction};
    Inflater inflater{direction};
    for (const auto& message : messages) {
      auto back = inflater.inflate(deflated(deflater, message), message.size());
      RC_ASSERT(back.has_value());
      RC_ASSERT(*back == message);
    }
  }));
}

}  // namespace
}  // namespace troupe::wire
