// PlayedServer: the server's end of a client's connection, played by hand: it hears what the client says, and says what
// a test wants, whether a real server would or not.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/net/memory_network.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime::testing {

struct PlayedServer final : net::StreamEvents {
  explicit PlayedServer(std::unique_ptr<net::Stream> its) : stream(std::move(its)) { stream->start(*this); }

  /// What a client dials: its end of a new connection, whose other end is played by `server` from now on.
  static std::unique_ptr<net::Stream> accept(net::MemoryNetwork& network, std::unique_ptr<PlayedServer>& server) {
    auto [client, here] = network.pair({{}, 1}, {{}, 2});
    server = std::make_unique<PlayedServer>(std::move(here));
    return std::move(client);
  }

  void on_bytes(std::span<char> bytes) override { heard.append(bytes.data(), bytes.size()); }
  void on_writable() override {}
  void on_closed(net::CloseReason) override {}
  void say(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    CHECK_EQ(stream->write_some({&part, 1}), text.size());
  }
  void say_frame(std::string_view json) { say(wire::encode_frame(wire::Opcode::text, json)); }
  /// Answers the handshake that it has heard, and welcomes its client.
  void welcome() {
    const std::string_view name = "Sec-WebSocket-Key: ";
    const auto at = heard.find(name) + name.size();
    const auto key = heard.substr(at, heard.find("\r\n", at) - at);
    say("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        wire::websocket_accept(key) + "\r\n\r\n");
    say_frame(R"({"type":"welcome","session":"s"})");
    heard.clear();
  }
  /// The frames that it has heard since the last call; behind the handshake.
  Frames take() {
    Frames frames;
    std::span<char> bytes{heard};
    wire::WebSocketDecoder decoder{wire::WebSocketRole::server};
    for (auto event = decoder.next(bytes); event && *event; event = decoder.next(bytes)) {
      frames.emplace_back((*event)->payload);
    }
    heard.clear();
    return frames;
  }

  std::unique_ptr<net::Stream> stream;
  std::string heard;
};

}  // namespace troupe::realtime::testing
