// `troupe session`, `grant` and `token`: what is shown of what people have opened and allowed, and taken back; and that
// the command line and the administration API can do the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "troupe/app/command/testing/busy_desk.h"
#include "troupe/oauth/admin/calls.h"

using namespace troupe;
using namespace troupe::app;

namespace {

/// The commands below one, as its help lists them.
std::set<std::string> commands_below(const std::vector<std::string>& group) {
  MemoryConsole console;
  auto arguments = group;
  arguments.emplace_back("--help");
  run_command_line(arguments, console);
  std::string_view help = console.said();
  const std::string_view heading = "Subcommands:\n";
  REQUIRE(help.contains(heading));
  help.remove_prefix(help.find(heading) + heading.size());
  std::set<std::string> names;
  while (!help.empty()) {
    const auto line = help.substr(0, help.find('\n'));
    help.remove_prefix(std::min(line.size() + 1, help.size()));
    if (line.starts_with("  ") && !line.starts_with("   ")) names.emplace(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

}  // namespace

TEST_CASE("sessions of a user are listed, and ended with what stems from them") {
  BusyDesk desk;
  CHECK(desk.said_by({"session", "list", "alice"}).contains(desk.session));
  CHECK(desk.said_by({"session", "list", "alice", "--json"}).contains(R"("sid":")" + desk.session));
  CHECK(desk.said_by({"session", "end", desk.session}).contains("1 grants"));
  CHECK_EQ(desk.said_by({"session", "list", "alice"}), "");
  CHECK_EQ(desk.said_by({"token", "list"}), "");
  CHECK(desk.run({"session", "end", desk.session}) == Exit::failure);
  CHECK(desk.run({"session", "end", "none"}) == Exit::failure);
  CHECK(desk.run({"session", "list", "nobody"}) == Exit::failure);
  CHECK_EQ(desk.last_event(), "session_ended");
  REQUIRE_EQ(desk.endings().size(), 1);
  CHECK_EQ(desk.endings().front().ending.family->value(), desk.grant);
}

TEST_CASE("grants are listed by user and client, and taken back") {
  BusyDesk desk;
  CHECK(desk.said_by({"grant", "list", "--user", "alice"}).contains(desk.grant));
  CHECK(desk.said_by({"grant", "list", "--client", desk.client, "--json"}).contains(R"("grant":")" + desk.grant));
  CHECK(desk.run({"grant", "list", "--client", "c_other"}) == Exit::failure);
  CHECK(desk.console.complained().contains("there is no client \"c_other\""));
  desk.said_by({"grant", "revoke", desk.grant});
  CHECK_EQ(desk.said_by({"grant", "list"}), "");
  CHECK_EQ(desk.said_by({"token", "list", "--use", "refresh"}), "");
  CHECK(desk.run({"grant", "revoke", desk.grant}) == Exit::failure);
  CHECK(desk.run({"grant", "revoke", "none"}) == Exit::failure);
  CHECK_EQ(desk.last_event(), "family_revoked");
  REQUIRE_EQ(desk.endings().size(), 1);
  CHECK_FALSE(desk.endings().front().ending.token.has_value());
}

TEST_CASE("what a user has allowed a client is forgotten with all of its grants") {
  BusyDesk desk;
  CHECK(desk.said_by({"grant", "forget", "--user", "alice", "--client", desk.client}).contains("1 grants"));
  CHECK(desk.run({"grant", "forget", "--user", "alice", "--client", desk.client}) == Exit::failure);
  CHECK_EQ(desk.said_by({"token", "list"}), "");
  CHECK_EQ(desk.last_event(), "consent_revoked");
  CHECK_EQ(desk.endings().size(), 1);
}

TEST_CASE("tokens are listed by their ids, and taken back one by one") {
  BusyDesk desk;
  CHECK(desk.said_by({"token", "list", "--user", "alice"}).contains(desk.access));
  CHECK(desk.said_by({"token", "list", "--grant", desk.grant, "--json"}).contains(R"("use":"access")"));
  CHECK(desk.said_by({"token", "list", "--use", "refresh"}).contains(desk.refresh));
  desk.said_by({"token", "revoke", desk.access});
  CHECK_EQ(desk.said_by({"token", "list"}), "");
  CHECK(desk.said_by({"token", "list", "--use", "refresh"}).contains(desk.refresh));
  REQUIRE_EQ(desk.endings().size(), 1);
  CHECK_EQ(desk.endings().front().ending.token->text(), desk.access);
  desk.said_by({"token", "revoke", desk.refresh});
  CHECK_EQ(desk.said_by({"grant", "list"}), "");
  CHECK_FALSE(desk.endings().back().ending.token.has_value());
  CHECK(desk.run({"token", "revoke", "none"}) == Exit::failure);
  CHECK(desk.run({"token", "list", "--client", "c_other"}) == Exit::failure);
  CHECK(desk.run({"token", "list", "--use", "both"}) == Exit::usage);
  CHECK_EQ(desk.last_event(), "token_revoked");
}

TEST_CASE("a dry run tells what would end, and ends nothing") {
  BusyDesk desk;
  const auto event = desk.last_event();
  struct Row {
    std::vector<std::string> arguments;
    bool ends_grant = true;
  };
  const Row rows[] = {
      {{"session", "end", desk.session}},
      {{"grant", "revoke", desk.grant}},
      {{"grant", "forget", "--user", "alice", "--client", desk.client}},
      {{"token", "revoke", desk.access}, false},
      {{"token", "revoke", desk.refresh}},
      {{"user", "disable", "alice"}},
      {{"user", "remove", "alice"}},
      {{"client", "remove", desk.client}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.arguments);
    auto arguments = row.arguments;
    arguments.emplace_back("--dry-run");
    const auto said = desk.said_by(arguments);
    CHECK_EQ(said.starts_with(desk.grant + "\n"), row.ends_grant);
    CHECK(said.contains("This was a dry run: nothing has changed. Else: "));
    CHECK(desk.said_by({"token", "list"}).contains(desk.access));
    CHECK(desk.said_by({"session", "list", "alice"}).contains(desk.session));
  }
  CHECK_EQ(desk.last_event(), event);
  CHECK(desk.endings().empty());
  CHECK(desk.run({"grant", "revoke", "none", "--dry-run"}) == Exit::failure);
}

TEST_CASE("a dry run of a rotation names the keys that would sign no longer, and makes none") {
  BusyDesk desk;
  desk.said_by({"keys", "rotate"});
  const auto listed = desk.said_by({"keys", "list"});
  const auto newest = listed.rfind('\n', listed.size() - 2) + 1;
  const auto id = listed.substr(newest, listed.find(' ', newest) - newest);
  const auto said = desk.said_by({"keys", "rotate", "--dry-run"});
  CHECK(said.contains(id + "  would sign no longer"));
  CHECK_EQ(std::ranges::count(said, '\n'), 4);
  CHECK(desk.said_by({"keys", "rotate", "--dry-run", "--revoke", id}).contains(id + "  would be revoked"));
  CHECK(desk.run({"keys", "rotate", "--dry-run", "--revoke", "nobody"}) == Exit::failure);
  CHECK_EQ(desk.said_by({"keys", "list"}), listed);
}

TEST_CASE("a client gets another secret, and keeps the one before for a while") {
  BusyDesk desk;
  const auto secrets = [&] {
    return desk.work().transact(
        [&](oauth::Tables& tables) { return tables.clients.secrets_of(oauth::ClientId{desk.client}); });
  };
  const auto shown = wire::parse_json(desk.said_by({"client", "secret", desk.client, "--json"})).value();
  REQUIRE_EQ(secrets().size(), 2);
  CHECK(secrets()[0].expires_at.has_value());
  CHECK_EQ(secrets()[1].hash, crypto::sha256(*shown.string_at("client_secret")));
  CHECK(desk.said_by({"client", "secret", desk.client, "--overlap", "0s"}).contains("client secret"));
  CHECK_EQ(secrets().size(), 1);
  CHECK(desk.run({"client", "secret", desk.client, "--overlap", "31d"}) == Exit::usage);
  CHECK(desk.run({"client", "secret", "c_nobody"}) == Exit::failure);
  CHECK_EQ(desk.last_event(), "client_secret_renewed");
}

TEST_CASE("a client that proves itself by a key is given no secret") {
  BusyDesk desk;
  const auto added = wire::parse_json(desk.said_by({"client", "add", "--name", "Robot", "--grant", "client_credentials",
                                                    "--auth-method", "private_key_jwt", "--jwks-uri",
                                                    "https://keys.example/jwks", "--json"}))
                         .value();
  CHECK(added.find("client_secret") == nullptr);
  CHECK(desk.run({"client", "secret", *added.string_at("client_id")}) == Exit::failure);
  CHECK(desk.console.complained().contains("this client has no secret"));
}

TEST_CASE("a user is shown") {
  BusyDesk desk;
  CHECK(desk.said_by({"user", "show", "alice"}).contains("enabled"));
  CHECK(desk.said_by({"user", "show", "alice", "--json"}).contains(R"("preferred_username":"alice")"));
  CHECK(desk.run({"user", "show", "nobody"}) == Exit::failure);
}

TEST_CASE("a user gets another name and address, and keeps what they have opened") {
  BusyDesk desk;
  CHECK(desk.said_by({"user", "update", "alice", "--name", "alice b", "--email", "b@example.org"})
            .contains("alice is alice b now, with the address b@example.org."));
  CHECK_EQ(desk.last_event(), "user_updated");
  CHECK(desk.said_by({"session", "list", "alice b"}).contains(desk.session));
  CHECK(desk.said_by({"user", "update", "alice b", "--no-email"}).contains("without an address"));
  CHECK(desk.run({"user", "show", "alice"}) == Exit::failure);
  REQUIRE(desk.run({"user", "add", "bob", "--password-stdin"}, "good password\n") == Exit::success);
  CHECK(desk.run({"user", "update", "bob", "--name", "alice b"}) == Exit::failure);
  CHECK(desk.console.complained().contains("already"));
  CHECK(desk.run({"user", "update", "bob"}) == Exit::usage);
  CHECK(desk.run({"user", "update", "bob", "--email", "nowhere"}) == Exit::failure);
  CHECK(desk.endings().empty());
}

TEST_CASE("a key that is revoked is named in the trail as the administration API names it") {
  BusyDesk desk;
  const auto made = desk.said_by({"keys", "rotate"});
  const auto id = made.substr(0, made.find(' '));
  desk.said_by({"keys", "rotate", "--revoke", id});
  const auto event = desk.work().transact([](oauth::Tables& tables) { return tables.audit.events({}, 1); }).front();
  CHECK_EQ(event.kind, "key_revoked");
  CHECK_EQ(event.reason, id);
  CHECK_EQ(event.done_by, "command line");
}

TEST_CASE("each command that administers has its call, and each call its command") {
  const std::set<std::string> others{"serve",  "publish",  "subscribe", "watch",   "load",
                                     "config", "selftest", "version",   "explain", "backup"};
  // What they do is done where the database is: a verdict from the server under suspicion would be worth nothing.
  const std::set<std::string> local{"audit verify", "audit head", "keys new-encryption-key"};
  std::set<std::string> commands;
  for (const std::string& group : commands_below({})) {
    if (others.contains(group)) continue;
    for (const std::string& name : commands_below({group})) commands.insert(group + " " + name);
  }
  for (const std::string& name : local) CHECK_EQ(commands.erase(name), 1);
  std::set<std::string> called;
  for (const oauth::admin::Call& call : oauth::admin::calls()) {
    // What others have seen is logged by programs alone.
    if (!call.command.empty()) called.emplace(call.command);
  }
  CHECK_EQ(commands, called);
}

TEST_CASE("the grant of a client that acts for itself is its token, and is taken back by that name") {
  BusyDesk desk;
  AdminWork admin = desk.work();
  const crypto::TokenId id = admin.ids().next(admin.now(), admin.random());
  admin.transact([&](oauth::Tables& tables) {
    tables.grants.insert_access(
        {.id = id,
         .grant = {.family = oauth::FamilyId{id.text()}, .client = oauth::ClientId{desk.client}},
         .issued_at = admin.now(),
         .expires_at = admin.now() + std::chrono::hours{1}});
  });
  CHECK(desk.said_by({"grant", "revoke", id.text(), "--dry-run"}).contains(id.text()));
  desk.said_by({"grant", "revoke", id.text()});
  CHECK(desk.run({"grant", "revoke", id.text()}) == Exit::failure);
  REQUIRE_EQ(desk.endings().size(), 1);
  CHECK_EQ(desk.endings().front().ending.token, id);
}

TEST_CASE("the id of a user's access token names no grant: it is refused, and the token lives") {
  BusyDesk desk;
  AdminWork admin = desk.work();
  const crypto::TokenId family = admin.ids().next(admin.now(), admin.random());
  const crypto::TokenId id = admin.ids().next(admin.now(), admin.random());
  admin.transact([&](oauth::Tables& tables) {
    tables.grants.insert_access(
        {.id = id,
         .grant = {.family = oauth::FamilyId{family.text()}, .client = oauth::ClientId{desk.client}},
         .issued_at = admin.now(),
         .expires_at = admin.now() + std::chrono::hours{1}});
  });
  CHECK(desk.run({"grant", "revoke", id.text()}) == Exit::failure);
  CHECK(desk.console.complained().contains("no live grant"));
  CHECK(desk.endings().empty());
  desk.said_by({"token", "revoke", id.text()});
  CHECK_EQ(desk.endings().size(), 1);
}
