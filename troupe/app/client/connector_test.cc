// How a command reaches its server: what is refused before anything is sent.
#include "troupe/app/client/connector.h"

#include <doctest/doctest.h>

using namespace troupe::app;

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
  const auto options = connector->socket_options(troupe::realtime::AccessToken{"t"});
  CHECK_EQ(options.host, "127.0.0.1:9");
  CHECK_EQ(options.target, "/live");
  CHECK_EQ(options.token.expose(), "t");
}
