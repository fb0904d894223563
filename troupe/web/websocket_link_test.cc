// The WebSocket link through a memory stream: messages, pings, every way to close, and the
// order of bytes when the peer reads slowly.
#include "troupe/web/websocket_link.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/testing/test_client.h"
#include "troupe/wire/deflate.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::TestClient;

constexpr std::array<char, 4> mask{1, 2, 3, 4};

std::string frame(Opcode opcode, std::string_view payload) { return wire::encode_masked_frame(opcode, payload, mask); }

/// The owner of a link: notes what it is told.
class Owner final : public WebSocketEvents {
 public:
  void on_message(Opcode opcode, std::string_view message) override {
    messages.emplace_back(opcode, message);
    if (on_each) on_each();
  }
  void on_pong(std::string_view payload) override { pongs.emplace_back(payload); }
  void on_writable() override { ++writable; }
  void on_closing() override {
    if (on_last_words) on_last_words();
  }
  void on_closed(const WebSocketClosed& how) override {
    CHECK_FALSE(closed.has_value());
    closed = how;
    if (on_end) on_end();
  }

  std::vector<std::pair<Opcode, std::string>> messages;
  std::vector<std::string> pongs;
  std::optional<WebSocketClosed> closed;
  int writable = 0;
  std::function<void()> on_each;
  std::function<void()> on_last_words;
  std::function<void()> on_end;
};

/// An open WebSocket and the raw client at its other end.
struct Pair {
  explicit Pair(net::MemoryNetworkOptions options = {}, std::string received = {}, wire::Inflater* inflater = nullptr,
                WebSocketLimits limits = {.message_bytes_max = 1000})
      : network(world.core(0), options) {
    auto [client_end, server_end] = network.pair({}, {});
    client.emplace(std::move(client_end));
    link = open_websocket(world.core(0), std::move(server_end), receiving, "", std::move(received));
    link->start(owner, limits, inflater);
    world.run_until_idle();
  }

  /// Sends raw bytes and gives what came back as frames of a server.
  std::vector<std::pair<Opcode, std::string>> exchange(std::string_view bytes) {
    client->send(bytes);
    world.run_until_idle();
    return frames();
  }

  std::vector<std::pair<Opcode, std::string>> frames() {
    std::string received = client->take();
    std::span<char> rest{received};
    std::vector<std::pair<Opcode, std::string>> found;
    while (true) {
      auto event = decoder.next(rest);
      REQUIRE(event.has_value());
      if (!*event) return found;
      found.emplace_back((*event)->opcode, (*event)->payload);
    }
  }

  std::size_t write(std::string_view bytes) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return link->write_some({&part, 1});
  }

  actor::test::World world{3};
  base::LocalRef<ReceiveBudget> receiving = base::make_local<ReceiveBudget>(100'000);
  net::MemoryNetwork network;
  std::optional<TestClient> client;
  Owner owner;
  std::unique_ptr<WebSocketLink> link;
  wire::WebSocketDecoder decoder{wire::WebSocketRole::client, {.message_bytes_max = 1 << 20}};
};

TEST_CASE("messages reach the owner whole, and the owner's frames the client") {
  Pair pair;
  CHECK(pair.exchange(frame(Opcode::text, "hello") + frame(Opcode::binary, "\x01\x02")).empty());
  CHECK_EQ(pair.owner.messages, std::vector{std::pair{Opcode::text, "hello"s}, std::pair{Opcode::binary, "\x01\x02"s}});
  pair.write(wire::encode_frame(Opcode::text, "back"));
  pair.world.run_until_idle();
  CHECK_EQ(pair.frames(), std::vector{std::pair{Opcode::text, "back"s}});
}

TEST_CASE("messages that arrive byte by byte are whole all the same") {
  Pair pair{{.piece_bytes_max = 1}};
  pair.exchange(frame(Opcode::text, "hello"));
  CHECK_EQ(pair.owner.messages, std::vector{std::pair{Opcode::text, "hello"s}});
}

TEST_CASE("what came right behind the handshake is the first to be read") {
  Pair pair{{}, frame(Opcode::text, "early")};
  pair.exchange(frame(Opcode::text, "late"));
  CHECK_EQ(pair.owner.messages, std::vector{std::pair{Opcode::text, "early"s}, std::pair{Opcode::text, "late"s}});
}

TEST_CASE("a ping is answered with its payload, and an answered ping is told to the owner") {
  Pair pair;
  CHECK_EQ(pair.exchange(frame(Opcode::ping, "now")), std::vector{std::pair{Opcode::pong, "now"s}});
  pair.link->ping("there?");
  pair.world.run_until_idle();
  CHECK_EQ(pair.frames(), std::vector{std::pair{Opcode::ping, "there?"s}});
  pair.exchange(frame(Opcode::pong, "there?"));
  CHECK_EQ(pair.owner.pongs, std::vector{"there?"s});
}

TEST_CASE("a client that closes gets its code back, and the owner is told") {
  Pair pair;
  auto answer = pair.exchange(frame(Opcode::close, wire::close_payload(1001, "bye")));
  CHECK_EQ(answer, std::vector{std::pair{Opcode::close, "\x03\xe9"s}});
  REQUIRE(pair.owner.closed.has_value());
  CHECK_EQ(pair.owner.closed->code, 1001);
  CHECK_EQ(pair.owner.closed->reason, "bye");
  CHECK_EQ(pair.owner.closed->closing, Closing::clean);
  CHECK(pair.client->is_closed());
}

TEST_CASE("what the owner kept for the end of the turn goes out before the connection is closed") {
  const std::string broken{"\x83\x80\0\0\0\0", 6};
  for (const auto& [bytes, code] : {std::pair{frame(Opcode::close, "\x03\xe8"), "\x03\xe8"s}, {broken, "\x03\xea"s}}) {
    Pair pair;
    pair.owner.on_last_words = [&] { pair.write(wire::encode_frame(Opcode::text, "last words")); };
    auto answers = pair.exchange(frame(Opcode::text, "hello") + bytes);
    REQUIRE_EQ(answers.size(), 2);
    CHECK_EQ(answers[0], std::pair{Opcode::text, "last words"s});
    CHECK_EQ(answers[1].second.substr(0, 2), code);
  }
}

TEST_CASE("a close without a code is answered without one") {
  Pair pair;
  CHECK_EQ(pair.exchange(frame(Opcode::close, "")), std::vector{std::pair{Opcode::close, ""s}});
  CHECK_EQ(pair.owner.closed->code, wire::close_code::no_status);
}

TEST_CASE("when we close, messages are dropped until the client has answered") {
  Pair pair;
  pair.link->close(4001, "revoked");
  pair.link->close(1000, "only the first counts");
  pair.world.run_until_idle();
  CHECK_EQ(pair.frames(), std::vector{std::pair{Opcode::close, wire::close_payload(4001, "revoked")}});
  CHECK_EQ(pair.write(wire::encode_frame(Opcode::text, "dropped")), 9);
  CHECK(pair.exchange(frame(Opcode::text, "late") + frame(Opcode::close, wire::close_payload(4001, ""))).empty());
  CHECK(pair.owner.messages.empty());
  CHECK_EQ(pair.owner.closed->code, 4001);
  CHECK_EQ(pair.owner.closed->closing, Closing::clean);
}

TEST_CASE("a client that never answers our close is given up in time") {
  Pair pair;
  pair.link->close(1001, "drain");
  pair.world.advance(4s);
  CHECK_FALSE(pair.owner.closed.has_value());
  pair.world.advance(2s);
  REQUIRE(pair.owner.closed.has_value());
  CHECK_EQ(pair.owner.closed->code, 1001);
  CHECK_EQ(pair.owner.closed->closing, Closing::broken);
}

TEST_CASE("a client that breaks the protocol is told why, and let go when it has closed") {
  struct Row {
    std::string_view what;
    std::string bytes;
    std::uint16_t code;
  };
  const Row rows[] = {
      {"unmasked", wire::encode_frame(Opcode::text, "x"), 1002},
      {"not UTF-8", frame(Opcode::text, "\xff"), 1007},
      {"over the limit", frame(Opcode::binary, std::string(1001, 'x')), 1009},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Pair pair;
    auto answer = pair.exchange(row.bytes + frame(Opcode::text, "never read"));
    REQUIRE_EQ(answer.size(), 1);
    CHECK_EQ(wire::read_close(answer[0].second).code, row.code);
    CHECK_FALSE(pair.owner.closed.has_value());
    pair.client->vanish();
    pair.world.run_until_idle();
    REQUIRE(pair.owner.closed.has_value());
    CHECK_EQ(pair.owner.closed->code, row.code);
    CHECK_EQ(pair.owner.closed->closing, Closing::broken);
    CHECK(pair.owner.messages.empty());
  }
}

TEST_CASE("a link that holds half a message is closed with 1013 when others need the room") {
  Pair pair{{}, {}, nullptr, {.message_bytes_max = 1'000'000}};
  const std::string whole = frame(Opcode::text, std::string(80'000, 'x'));
  pair.exchange(whole.substr(0, 70'000));
  CHECK_GE(pair.receiving->bytes(), 69'000);

  struct Other final : ReceiveBudget::Holder {
    void give_up_received() override {}
  } other;
  ReceiveBudget::Share others{pair.receiving};
  others.hold(other, 20'000);
  CHECK_FALSE(pair.owner.closed);
  others.hold(other, 40'000);
  CHECK_EQ(pair.receiving->bytes(), 40'000);
  const auto said = pair.exchange(whole.substr(70'000));
  REQUIRE_EQ(said.size(), 1);
  CHECK_EQ(wire::read_close(said[0].second).code, 1013);
  CHECK(pair.owner.messages.empty());
  pair.world.advance(5s);
  CHECK(pair.owner.closed.has_value());
}

TEST_CASE("a message that has come whole counts no more") {
  Pair pair{{}, {}, nullptr, {.message_bytes_max = 1'000'000}};
  const std::string whole = frame(Opcode::text, std::string(80'000, 'x'));
  for (int i = 0; i < 3; ++i) {
    pair.exchange(whole.substr(0, 70'000));
    pair.exchange(whole.substr(70'000));
    CHECK_EQ(pair.receiving->bytes(), 0);
  }
  CHECK_EQ(pair.owner.messages.size(), 3);
}

TEST_CASE("compressed messages reach the owner as they were, where that was agreed on") {
  wire::Deflater deflater{{}};
  std::string payload;
  deflater.deflate("hello, hello, hello", payload);
  auto bytes = wire::encode_masked_frame(Opcode::text, payload, mask, wire::Fragment::last, wire::Compressed::yes);
  wire::Inflater inflater{{}};
  Pair agreed{{}, {}, &inflater}, not_agreed;
  CHECK(agreed.exchange(bytes + frame(Opcode::text, "plain")).empty());
  CHECK_EQ(agreed.owner.messages,
           std::vector{std::pair{Opcode::text, "hello, hello, hello"s}, std::pair{Opcode::text, "plain"s}});
  auto answer = not_agreed.exchange(bytes);
  REQUIRE_EQ(answer.size(), 1);
  CHECK_EQ(wire::read_close(answer[0].second).code, 1002);
}

TEST_CASE("a client that breaks the protocol and stays is given up soon") {
  Pair pair;
  pair.exchange(std::string(14, '\xff'));
  pair.world.advance(2s);
  CHECK_EQ(pair.owner.closed->code, 1002);
}

TEST_CASE("a client that vanishes closed with 1006") {
  Pair pair;
  pair.client->vanish();
  pair.world.run_until_idle();
  CHECK_EQ(pair.owner.closed->code, wire::close_code::abnormal);
  CHECK_EQ(pair.owner.closed->closing, Closing::broken);
}

TEST_CASE("who begins with a link whose client has gone by then is told so, once, and not from inside of the start") {
  for (const bool closes : {false, true}) {
    actor::test::World world{3};
    net::MemoryNetwork network{world.core(0), {.buffer_bytes = 4}};
    auto [client, server] = network.pair({}, {});
    std::string head = "HTTP/1.1";
    iovec part{head.data(), head.size()};
    REQUIRE_EQ(server->write_some({&part, 1}), 4);
    auto link =
        open_websocket(world.core(0), std::move(server), base::make_local<ReceiveBudget>(1000), head.substr(4), "");
    client.reset();
    world.run_until_idle();
    Owner owner;
    link->start(owner, {});
    CHECK_FALSE(owner.closed.has_value());
    if (closes) link->close(1008, "no token");
    world.advance(1ms);
    REQUIRE(owner.closed.has_value());
    CHECK_EQ(owner.closed->code, wire::close_code::abnormal);
  }
}

TEST_CASE("an owner may destroy the link in any event") {
  Pair by_message;
  by_message.owner.on_each = [&] { by_message.link.reset(); };
  by_message.exchange(frame(Opcode::text, "1") + frame(Opcode::text, "2"));
  CHECK_EQ(by_message.owner.messages.size(), 1);

  Pair by_end;
  by_end.owner.on_end = [&] { by_end.link.reset(); };
  by_end.exchange(frame(Opcode::close, ""));
  CHECK(by_end.client->is_closed());
}

TEST_CASE("while reading is paused messages wait, also those already in the buffer") {
  Pair pair;
  pair.owner.on_each = [&] { pair.link->pause_reading(); };
  pair.exchange(frame(Opcode::text, "1") + frame(Opcode::text, "2") + frame(Opcode::text, "3"));
  CHECK_EQ(pair.owner.messages.size(), 1);
  pair.link->resume_reading();
  pair.world.run_until_idle();
  CHECK_EQ(pair.owner.messages.size(), 2);
  pair.owner.on_each = nullptr;
  pair.link->resume_reading();
  pair.world.run_until_idle();
  CHECK_EQ(pair.owner.messages.size(), 3);
}

TEST_CASE("a control frame waits for the end of a cut frame and goes before the next") {
  Pair pair{{.buffer_bytes = 100}};
  pair.client->stream().pause_reading();
  std::string first = wire::encode_frame(Opcode::binary, std::string(300, 'a'));
  std::string second = wire::encode_frame(Opcode::binary, "b");
  std::size_t taken = pair.write(first);
  CHECK_EQ(taken, 100);
  pair.client->send(frame(Opcode::ping, "p"));
  pair.world.run_until_idle();

  pair.client->stream().resume_reading();
  std::vector<std::pair<Opcode, std::string>> frames;
  std::string_view rest = std::string_view{first}.substr(taken);
  for (int turn = 0; turn < 10; ++turn) {
    pair.world.run_until_idle();
    for (auto& found : pair.frames()) frames.push_back(std::move(found));
    if (!rest.empty()) {
      iovec parts[] = {{const_cast<char*>(rest.data()), rest.size()}, {second.data(), second.size()}};
      rest.remove_prefix(std::min(rest.size(), pair.link->write_some(parts)));
    }
  }
  REQUIRE_GE(frames.size(), 2);
  CHECK_EQ(frames[0].second.size(), 300);
  CHECK_EQ(frames[1], std::pair{Opcode::pong, "p"s});
  CHECK_GE(pair.owner.writable, 1);
}

// Wherever the socket takes no more, the owner goes on with the rest of that very frame.
TEST_CASE("a part of several frames is cut within one of them, behind which the control frame goes") {
  const std::string texts[]{std::string(40, 'a'), std::string(200, 'b'), std::string(30, 'c')};
  std::string all;
  std::vector<std::size_t> ends;
  for (const auto& text : texts) {
    all += wire::encode_frame(Opcode::text, text);
    ends.push_back(all.size());
  }
  for (std::size_t room = 1; room < all.size(); ++room) {
    CAPTURE(room);
    Pair pair{{.buffer_bytes = room}};
    pair.client->stream().pause_reading();
    std::size_t written = pair.write(all);
    REQUIRE_EQ(written, room);
    const auto end_of_cut = [&] { return *std::ranges::lower_bound(ends, written); };
    const auto before = std::ranges::lower_bound(ends, written) - ends.begin() + 1;
    pair.link->ping("p");
    pair.world.run_until_idle();

    pair.client->stream().resume_reading();
    std::vector<std::pair<Opcode, std::string>> found;
    for (int turn = 0; turn < 600 && found.size() < 4; ++turn) {
      pair.world.run_until_idle();
      for (auto& one : pair.frames()) found.push_back(std::move(one));
      if (written == all.size()) continue;
      const bool is_cut = end_of_cut() != written;
      written += pair.write(std::string_view{all}.substr(written, is_cut ? end_of_cut() - written : all.size()));
    }
    REQUIRE_EQ(found.size(), 4);
    CHECK_EQ(found[static_cast<std::size_t>(before)], std::pair{Opcode::ping, "p"s});
    found.erase(found.begin() + before);
    for (std::size_t i = 0; i < 3; ++i) CHECK_EQ(found[i].second, texts[i]);
  }
}

}  // namespace
}  // namespace troupe::web
