// What the command line says of rows that were damaged, and what can be done about them.
#include <doctest/doctest.h>

#include "troupe/app/command/testing/busy_desk.h"

using namespace troupe;
using namespace troupe::app;

TEST_CASE("a client whose row is damaged is told beside the list of the others, and can be removed") {
  BusyDesk desk;
  const std::string good = *desk.add_machine().string_at("client_id");
  desk.work().transact([&](oauth::Tables& tables) {
    oauth::Client client = tables.clients.find(oauth::ClientId{desk.client}).value();
    client.metadata.jwks = "{";
    ++client.version;
    tables.clients.update(client);
  });
  for (const bool as_json : {false, true}) {
    CAPTURE(as_json);
    std::vector<std::string> list{"client", "list"};
    if (as_json) list.emplace_back("--json");
    const std::string listed = desk.said_by(list);
    CHECK(listed.contains(good));
    CHECK_FALSE(listed.contains(desk.client));
    CHECK(desk.console.complained().contains(desk.client + " cannot be read"));
  }
  CHECK(desk.run({"client", "show", desk.client}) == Exit::failure);
  CHECK(desk.console.complained().contains(desk.client));
  desk.said_by({"client", "remove", desk.client});
  CHECK(desk.run({"client", "remove", desk.client}) == Exit::failure);
  CHECK(desk.said_by({"client", "list"}).contains(good));
  CHECK_EQ(desk.console.complained(), "");
}

TEST_CASE("a signing key that is damaged is told beside the list of the others, and can be ended") {
  Desk desk;
  REQUIRE(desk.run({"keys", "rotate"}) == Exit::failure);  // there is no database yet
  desk.add_machine();
  REQUIRE(desk.run({"keys", "rotate"}) == Exit::success);
  Config config;
  config.server.data_dir = desk.data();
  AdminWork admin{config};
  admin.transact([&](oauth::Tables& tables) {
    const base::UnixTime now = admin.now(), later = now + std::chrono::hours{1};
    tables.keys.insert_signing({.id = "lost",
                                .der = base::Secret<std::string>{"no key"},
                                .created_at = now,
                                .signs_from = now,
                                .signs_until = later,
                                .retired_at = later});
  });
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  CHECK(desk.console.said().contains("signing"));
  CHECK_FALSE(desk.console.said().contains("lost"));
  CHECK(desk.console.complained().contains("signing_keys/lost in the database is damaged"));
  REQUIRE(desk.run({"keys", "rotate", "--revoke", "lost", "--dry-run"}) == Exit::success);
  REQUIRE(desk.run({"keys", "rotate", "--revoke", "lost"}) == Exit::success);
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  CHECK_EQ(desk.console.complained(), "");
}
