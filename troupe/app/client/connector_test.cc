// How a command reaches its server: what is refused before anything is sent.
#include "troupe/app/client/connector.h"

#include <doctest/doctest.h>

#include <fstream>

#include "troupe/actor/sim/world.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/crypto/testing/certificates.h"
#include "troupe/net/memory_network.h"
#include "troupe/net/tls_stream.h"

using namespace troupe;
using namespace troupe::app;
namespace certificates = crypto::testing;

namespace {

/// What is said when a client of TLS that trusts `root` meets a server that shows the first certificate, or that says
/// these words and is gone.
std::string words_of_meeting(std::string_view root, std::optional<std::string_view> plain = std::nullopt) {
  actor::test::World world{1};
  net::MemoryNetwork network{world.core(0)};
  auto [here, there] = network.pair({{}, 1}, {{}, 2});
  const auto trust = crypto::TlsContext::client(root, std::string{certificates::certificate_name}).value();
  const auto shown = crypto::TlsContext::server(certificates::first_certificate,
                                                base::Secret<std::string>{std::string{certificates::first_key}})
                         .value();
  net::TlsStream client{world.core(0), std::move(here), *trust};
  client.shake_hands(nullptr, net::TlsStream::Hello::say);
  std::unique_ptr<net::TlsStream> server;
  if (plain) {
    iovec part{const_cast<char*>(plain->data()), plain->size()};
    there->write_some({&part, 1});
    there->shutdown_write();
  } else {
    server = std::make_unique<net::TlsStream>(world.core(0), std::move(there), *shown);
    server->shake_hands(nullptr, net::TlsStream::Hello::wait);
  }
  world.run_until_idle();
  const base::TemporaryFolder folder;
  const std::string roots = folder.path() / "roots";
  std::ofstream{roots} << root;
  const auto connector = Connector::make({.server = "wss://127.0.0.1:9", .ca_file = roots}).value();
  return connector.socket_options({}).words_of_no_answer({.trouble = client.trouble()});
}

}  // namespace

TEST_CASE("what a server of TLS is not trusted for, and what is no TLS, is told apart from nobody") {
  CHECK(words_of_meeting(certificates::second_certificate)
            .starts_with("the certificate of 127.0.0.1:9 is not trusted: "));
  CHECK(words_of_meeting(certificates::first_certificate, "HTTP/1.1 400 Bad Request\r\n\r\n")
            .starts_with("TLS with 127.0.0.1:9 fails: "));
  CHECK_EQ(words_of_meeting(certificates::first_certificate, ""),
           "TLS with 127.0.0.1:9 fails: closed during the handshake; does it want ws:// or http://?");
  CHECK_EQ(words_of_meeting(certificates::first_certificate), "nobody answers at 127.0.0.1:9");  // nothing is wrong
}

TEST_CASE("who closes a plain connection without an answer may want TLS, and nobody is nobody") {
  const auto words = Connector::make({.server = "ws://127.0.0.1:9"})->socket_options({}).words_of_no_answer;
  CHECK_EQ(words({}), "nobody answers at 127.0.0.1:9");
  CHECK_EQ(words({.was_reached = true}),
           "127.0.0.1:9 closed the connection without an answer; does it want wss:// or https://?");
}

TEST_CASE("what is no server, or cannot be trusted, is told before anything is sent") {
  CHECK(Connector::make({.server = "ftp://x"}).error().contains("ws://"));
  CHECK(Connector::make({.server = "wss://127.0.0.1", .ca_file = "/nowhere"}).error().contains("/nowhere"));
  CHECK(Connector::make({.server = "wss://127.0.0.1", .ca_file = "/etc/hostname"}).error().contains("no PEM"));
}

TEST_CASE("it knows whether all stays on this machine") {
  CHECK(Connector::make({.server = "127.0.0.1:1"})->is_loopback());
  CHECK(Connector::make({.server = "[::1]:1"})->is_loopback());
  CHECK_FALSE(Connector::make({.server = "192.0.2.1:1"})->is_loopback());
}

TEST_CASE("what a socket asks for is the address that was typed") {
  const auto connector = Connector::make({.server = "ws://127.0.0.1:9/live"});
  const auto options = connector->socket_options(realtime::AccessToken{"t"});
  CHECK_EQ(options.host, "127.0.0.1:9");
  CHECK_EQ(options.target, "/live");
  CHECK_EQ(options.token.expose(), "t");
}
