// TLS before a listener: who is handed on, who is let go, and which certificate is shown.
#include "troupe/net/tls_listener.h"

#include <doctest/doctest.h>

#include <optional>

#include "troupe/actor/sim/world.h"
#include "troupe/crypto/testing/certificates.h"
#include "troupe/net/memory_network.h"
#include "troupe/net/tls_stream.h"

namespace troupe::net {
namespace {

using namespace std::chrono_literals;
using namespace crypto::testing;

std::shared_ptr<const crypto::TlsContext> shown(std::string_view certificate, std::string_view key) {
  return crypto::TlsContext::server(certificate, base::Secret<std::string>{std::string{key}}).value();
}

struct Raw final : StreamEvents {
  explicit Raw(std::unique_ptr<Stream> its_stream) : stream(std::move(its_stream)) { stream->start(*this); }
  void on_bytes(std::span<char> bytes) override { received.append(bytes.data(), bytes.size()); }
  void on_writable() override {}
  void on_closed(CloseReason) override { closed = true; }
  void say(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    CHECK_EQ(stream->write_some({&part, 1}), text.size());
  }
  std::unique_ptr<Stream> stream;
  std::string received;
  bool closed = false;
};

struct TlsWorld final : ListenerEvents {
  explicit TlsWorld(TlsListenerOptions options = {}) {
    contexts.publish(shown(first_certificate, first_key));
    options.metrics = &metrics;
    listener = listen_tls(world.core(0), network.listen({{}, 443}), contexts.reader(), options);
    listener->start(*this);
  }
  void on_stream(std::unique_ptr<Stream> stream) override { streams.push_back(std::move(stream)); }
  void on_exhausted() override {}

  std::unique_ptr<Stream> connect() { return network.connect(listener->address()); }
  std::unique_ptr<Stream> connect(std::string_view from) {
    return network.connect(listener->address(), *IpAddress::parse(from));
  }
  /// A client that trusts `root` and has begun.
  std::unique_ptr<Raw> secure(std::string_view root = first_certificate) {
    auto trust = crypto::TlsContext::client(root, std::string{certificate_name}).value();
    auto stream = std::make_unique<TlsStream>(world.core(0), connect(), *trust);
    stream->shake_hands(nullptr, TlsStream::Hello::say);
    return std::make_unique<Raw>(std::move(stream));
  }
  double handshakes(const char* outcome) {
    return static_cast<double>(
        metrics.counter("troupe_tls_handshakes_total", "TLS handshakes by how they ended.", {{"outcome", outcome}})
            .value());
  }

  base::Metrics metrics;
  actor::test::World world{1};
  MemoryNetwork network{world.core(0)};
  base::Published<crypto::TlsContext> contexts;
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Stream>> streams;
};

TEST_CASE("a connection is handed on when its handshake is done, with what came right behind it") {
  TlsWorld tls;
  auto client = tls.secure();
  CHECK(tls.streams.empty());
  tls.world.run_until_idle();
  REQUIRE_EQ(tls.streams.size(), 1);
  client->say("early");
  tls.world.run_until_idle();
  Raw server{std::move(tls.streams[0])};
  server.say("hello");
  tls.world.run_until_idle();
  CHECK_EQ(server.received, "early");
  CHECK_EQ(client->received, "hello");
  CHECK_EQ(tls.handshakes("established"), 1);
}

TEST_CASE("who says nothing, half a hello or no TLS at all is let go in time, and never handed on") {
  TlsWorld tls;
  Raw silent{tls.connect()}, half{tls.connect()}, plain{tls.connect()}, gone{tls.connect()};
  half.say("\x16\x03\x01\x02");
  plain.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  gone.stream.reset();
  tls.world.run_until_idle();
  CHECK(plain.closed);
  CHECK_FALSE(silent.closed);
  tls.world.advance(4900ms);
  CHECK_FALSE(silent.closed);
  CHECK_FALSE(half.closed);
  tls.world.advance(200ms);
  CHECK(silent.closed);
  CHECK(half.closed);
  CHECK(tls.streams.empty());
  CHECK_EQ(tls.handshakes("failed"), 2);
  CHECK_EQ(tls.handshakes("late"), 2);
}

TEST_CASE("while too many handshakes are under way the next wait in the backlog") {
  TlsWorld tls{{.handshakes_max = 3}};
  std::vector<std::unique_ptr<Raw>> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(std::make_unique<Raw>(tls.connect()));
  tls.world.run_until_idle();
  auto client = tls.secure();
  tls.world.run_until_idle();
  CHECK(tls.streams.empty());
  silent[1]->stream.reset();
  tls.world.run_until_idle();
  CHECK_EQ(tls.streams.size(), 1);
}

TEST_CASE("an address that has its share of handshakes under way is refused a further one, until one of them ends") {
  TlsWorld tls{{.handshakes_by_address_max = 2, .exempt = {*Network::parse("10.0.0.0/8")}}};
  std::vector<std::unique_ptr<Raw>> clients;
  auto is_taken = [&](std::string_view from) {
    clients.push_back(std::make_unique<Raw>(tls.connect(from)));
    tls.world.run_until_idle();
    return !clients.back()->closed;
  };
  CHECK(is_taken("127.0.0.1"));
  auto established = tls.secure();  // of the same address, and it ends well
  tls.world.run_until_idle();
  CHECK_EQ(tls.streams.size(), 1);
  CHECK(is_taken("127.0.0.1"));
  CHECK_FALSE(is_taken("127.0.0.1"));
  CHECK(is_taken("192.0.2.1"));
  for (int i = 0; i < 5; ++i) CHECK(is_taken("10.0.0.1"));  // a proxy
  CHECK_EQ(tls.handshakes("refused"), 1);
  clients[1]->say("no TLS at all\r\n\r\n");  // one that fails
  tls.world.run_until_idle();
  CHECK(is_taken("127.0.0.1"));
  CHECK_FALSE(is_taken("127.0.0.1"));
  tls.world.advance(6s);  // and those that are late
  CHECK(is_taken("127.0.0.1"));
  CHECK(is_taken("127.0.0.1"));
  CHECK_FALSE(is_taken("127.0.0.1"));
}

TEST_CASE("an owner that has paused gets nobody, and those who are ready when it goes on") {
  TlsWorld tls;
  auto first = tls.secure();
  tls.world.run_until_idle();
  auto second = tls.secure();
  tls.listener->pause();
  tls.world.run_until_idle();
  CHECK_EQ(tls.streams.size(), 1);
  tls.listener->resume();
  tls.world.advance(10ms);
  CHECK_EQ(tls.streams.size(), 2);
}

TEST_CASE("a new certificate is shown to who comes next, and open connections go on") {
  TlsWorld tls;
  auto before = tls.secure();
  tls.world.run_until_idle();
  tls.contexts.publish(shown(second_certificate, second_key));
  auto stale = tls.secure(first_certificate), fresh = tls.secure(second_certificate);
  tls.world.run_until_idle();
  REQUIRE_EQ(tls.streams.size(), 2);
  CHECK(stale->closed);
  Raw server{std::move(tls.streams[0])};
  before->say("still here");
  tls.world.run_until_idle();
  CHECK_EQ(server.received, "still here");
}

TEST_CASE("who breaks off before anybody listens is told so when somebody does") {
  TlsWorld tls;
  auto client = tls.secure();
  tls.world.run_until_idle();
  client->stream.reset();
  tls.world.run_until_idle();
  Raw server{std::move(tls.streams[0])};
  tls.world.run_until_idle();
  CHECK(server.closed);
}

TEST_CASE("handshakes under way end with their listener") {
  TlsWorld tls;
  Raw silent{tls.connect()};
  tls.world.run_until_idle();
  tls.listener.reset();
  tls.world.run_until_idle();
  CHECK(silent.closed);
}

}  // namespace
}  // namespace troupe::net
