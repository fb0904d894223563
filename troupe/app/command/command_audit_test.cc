// `troupe audit` and `troupe explain`, on a database that somebody else has written to as well.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "troupe/app/command/admin_work.h"
#include "troupe/app/command/command_line.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/store/sqlite.h"
#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

/// A data folder with a few events: of a client, of a user, and of two requests.
class Desk {
 public:
  Desk() {
    REQUIRE(run({"client", "add", "--name", "Machine", "--grant", "client_credentials", "--json"}) == Exit::success);
    client = *wire::parse_json(console.said())->string_at("client_id");
    REQUIRE(run({"user", "add", "alice", "--password-stdin"}, "good password\n") == Exit::success);
    Config config;
    config.server.data_dir = data();
    AdminWork admin{config};
    family = oauth::FamilyId{admin.ids().next(admin.now(), admin.random()).text()};
    admin.transact([&](oauth::Tables& tables) {
      oauth::AuditEvent event = admin.event("code_refused");
      event.reason = "pkce_failed";
      event.request = "request-1";
      tables.audit.append(event);
      event = admin.event("token_issued");
      event.reason = "client_credentials";
      event.client = oauth::ClientId{client};
      event.family = family;
      event.token = crypto::TokenId::parse(family.value());
      event.request = "request-2";
      tables.audit.append(event);
    });
  }

  Exit run(std::vector<std::string> arguments, std::string input = {}) {
    console = MemoryConsole{std::move(input)};
    arguments.insert(arguments.end(), {"--data", data()});
    return run_command_line(arguments, console);
  }

  /// What somebody with access to the file does there.
  void tamper(const char* sql) {
    auto session = store::sqlite_engine({.path = data() + "/troupe.db"})->open();
    session->transact([&](store::Transaction& transaction) { transaction.run(sql); });
  }

  std::string data() const { return (folder_.path() / "data").string(); }

  MemoryConsole console;
  std::string client;
  oauth::FamilyId family;

 private:
  base::TemporaryFolder folder_;
};

std::int64_t lines_of(const std::string& text) { return std::ranges::count(text, '\n'); }

TEST_CASE("events of a user are found by name, whatever the name looks like, and by id, also of one who was removed") {
  Desk desk;
  REQUIRE(desk.run({"user", "add", "u_bob", "--password-stdin"}, "good password\n") == Exit::success);
  const auto count = [&](const std::string& user) {
    REQUIRE(desk.run({"audit", "list", "--user", user, "--kind", "user_added"}) == Exit::success);
    return lines_of(desk.console.said());
  };
  CHECK_EQ(count("u_bob"), 1);
  REQUIRE(desk.run({"user", "show", "u_bob", "--json"}) == Exit::success);
  const std::string id = *wire::parse_json(desk.console.said())->string_at("sub");
  CHECK_EQ(count(id), 1);
  REQUIRE(desk.run({"user", "remove", "u_bob"}) == Exit::success);
  CHECK_EQ(count(id), 1);
}

TEST_CASE("events of a client are found also after it was removed") {
  Desk desk;
  REQUIRE(desk.run({"client", "remove", desk.client}) == Exit::success);
  REQUIRE(desk.run({"audit", "list", "--client", desk.client}) == Exit::success);
  CHECK_EQ(lines_of(desk.console.said()), 3);
}

TEST_CASE("a trail that nobody has touched is whole, and its head is found in it") {
  Desk desk;
  REQUIRE(desk.run({"audit", "verify"}) == Exit::success);
  CHECK(desk.console.said().contains("4 events are whole"));
  REQUIRE(desk.run({"audit", "head", "--json"}) == Exit::success);
  const std::string head = *wire::parse_json(desk.console.said())->string_at("event");
  CHECK(desk.run({"audit", "verify", "--checkpoint", head}) == Exit::success);
  CHECK(desk.console.said().contains(head));
  REQUIRE(desk.run({"user", "remove", "alice"}) == Exit::success);  // the trail goes on
  CHECK(desk.run({"audit", "verify", "--checkpoint", head}) == Exit::success);
}

TEST_CASE("what was done to the file is found, with status 1") {
  for (const char* sql : {"UPDATE events SET reason = 'expired' WHERE request = 'request-1'",
                          "DELETE FROM events WHERE request = 'request-1'",
                          "UPDATE events SET request = 'request-3' WHERE request = 'request-2'",
                          "INSERT INTO events (id, kind, reason) VALUES (zeroblob(16), 'planted', '')",
                          "UPDATE events SET id = x'0102' WHERE request = 'request-1'",
                          "UPDATE events SET hash = x'0102' WHERE request = 'request-1'"}) {
    CAPTURE(sql);
    Desk desk;
    desk.tamper(sql);
    CHECK(desk.run({"audit", "verify"}) == Exit::failure);
    CHECK(desk.console.complained().contains("the audit trail is not whole"));
    CHECK(desk.console.said().empty());
  }
}

TEST_CASE("a tail that was cut off is found by the hash that was kept") {
  Desk desk;
  REQUIRE(desk.run({"audit", "head", "--json"}) == Exit::success);
  const std::string head = *wire::parse_json(desk.console.said())->string_at("event");
  desk.tamper("DELETE FROM events WHERE request = 'request-2'");
  CHECK(desk.run({"audit", "verify"}) == Exit::success);
  CHECK(desk.run({"audit", "verify", "--checkpoint", head}) == Exit::failure);
  CHECK(desk.console.complained().contains("kept elsewhere"));
}

TEST_CASE("events are listed from the newest, by what they say") {
  Desk desk;
  struct Row {
    std::vector<std::string> flags;
    int count;
  };
  const Row rows[] = {
      {{}, 4},
      {{"--limit", "3"}, 3},
      {{"--kind", "user_added"}, 1},
      {{"--kind", "custom.invoice_paid"}, 0},
      {{"--user", "alice"}, 1},
      {{"--user", "u_nobody"}, 0},
      {{"--client", desk.client}, 2},
      {{"--family", desk.family.value()}, 1},
      {{"--request", "request-1"}, 1},
      {{"--since", "1h"}, 4},
      {{"--until", "1h"}, 0},
      {{"--since", "2020-01-01", "--until", "2021-01-01T12:00"}, 0},
  };
  for (const Row& row : rows) {
    std::vector<std::string> arguments{"audit", "list"};
    arguments.insert(arguments.end(), row.flags.begin(), row.flags.end());
    REQUIRE(desk.run(arguments) == Exit::success);
    CAPTURE(desk.console.said());
    CHECK_EQ(lines_of(desk.console.said()), row.count);
    arguments.emplace_back("--json");
    REQUIRE(desk.run(arguments) == Exit::success);
    CHECK_EQ(wire::parse_json(desk.console.said())->array()->size(), row.count);
  }
  REQUIRE(desk.run({"audit", "list", "--limit", "1"}) == Exit::success);
  CHECK(desk.console.said().contains("token_issued  (client_credentials)  client=" + desk.client));
  CHECK(desk.console.said().contains("by=command line"));
}

TEST_CASE("a mistake is told by its flag") {
  Desk desk;
  struct Row {
    std::vector<std::string> arguments;
    const char* told;
    Exit exit = Exit::usage;
  };
  const Row rows[] = {
      {{"audit", "verify", "--checkpoint", "12"}, "64 hexadecimal digits"},
      {{"audit", "verify", "--checkpoint", std::string(64, 'g')}, "64 hexadecimal digits"},
      {{"audit", "list", "--since", "yesterday"}, "--since"},
      {{"audit", "list", "--until", "2026-02-30"}, "--until"},
      {{"audit", "list", "--family", "x"}, "--family"},
      {{"audit", "list", "--since", ""}, "--since"},
      {{"audit", "list", "--user", "bob"}, "there is no user", Exit::failure},
      {{"audit", "list", "--user", ""}, "there is no user", Exit::failure},
      {{"audit", "list", "--client", "c_nobody"}, "there is no client \"c_nobody\"", Exit::failure},
      {{"audit", "list", "--kind", "code_redeem"}, "--kind \"code_redeem\" is no kind of event"},
      {{"audit", "list", "--kind", ""}, "--kind"},
      {{"audit", "list", "--request", ""}, "--request"},
      {{"explain", ""}, "ID wants an X-Request-Id"},
      {{"explain", "nothing-known"}, "nothing is known", Exit::failure},
  };
  for (const Row& row : rows) {
    CAPTURE(row.told);
    CHECK(desk.run(row.arguments) == row.exit);
    CHECK(desk.console.complained().contains(row.told));
  }
}

TEST_CASE("a request, and a grant with its tokens, are explained in words") {
  Desk desk;
  REQUIRE(desk.run({"explain", "request-1"}) == Exit::success);
  CHECK(desk.console.said().contains("A code was refused"));
  CHECK(desk.console.said().contains("the verifier does not prove the challenge"));
  CHECK_EQ(lines_of(desk.console.said()), 1);
  REQUIRE(desk.run({"explain", desk.family.value()}) == Exit::success);
  CHECK(desk.console.said().contains("An access token was issued, client " + desk.client));
  CHECK(desk.console.said().contains("[request request-2]"));
  CHECK_EQ(lines_of(desk.console.said()), 1);
}

}  // namespace
}  // namespace troupe::app
