// What commands do and say, on a data folder of their own. The tables of mistakes that no
// process needs are here; what a running server sees of it is in tests/e2e.
#include "troupe/app/command/command_line.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "troupe/app/command/admin_work.h"
#include "troupe/app/command/testing/desk.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/crypto/testing/breached_list.h"
#include "troupe/crypto/testing/certificates.h"
#include "troupe/wire/json.h"

using namespace troupe;
using namespace troupe::app;

TEST_CASE("a client is added, listed, shown, updated and removed; its secret is shown once") {
  Desk desk;
  const auto added = desk.add_machine();
  const std::string id = *added.string_at("client_id"), secret = *added.string_at("client_secret");
  CHECK_EQ(secret.size(), 43);

  REQUIRE(desk.run({"client", "list"}) == Exit::success);
  CHECK(desk.console.said().contains(id + "  Machine  client_credentials"));
  REQUIRE(desk.run({"client", "show", id}) == Exit::success);
  CHECK(desk.console.said().contains("Machine"));
  CHECK_FALSE(desk.console.said().contains(secret));
  REQUIRE(desk.run({"client", "update", id, "--name", "Robot", "--disable"}) == Exit::success);
  REQUIRE(desk.run({"client", "show", id, "--json"}) == Exit::success);
  CHECK(desk.console.said().contains(R"("client_name":"Robot")"));
  CHECK(desk.console.said().contains(R"("enabled":false)"));
  REQUIRE(desk.run({"client", "remove", id}) == Exit::success);
  CHECK(desk.run({"client", "show", id}) == Exit::failure);
}

TEST_CASE("a public client has no secret, and stays public") {
  Desk desk;
  REQUIRE(desk.run({"client", "add", "--name", "Phone", "--public", "--redirect-uri", "https://a.example/cb", "--grant",
                    "authorization_code", "--grant", "refresh_token", "--json"}) == Exit::success);
  const auto added = wire::parse_json(desk.console.said());
  CHECK(added->find("client_secret") == nullptr);
  CHECK(desk.run({"client", "update", *added->string_at("client_id"), "--auth-method", "client_secret"}) ==
        Exit::failure);
  const std::string machine = *desk.add_machine().string_at("client_id");
  CHECK(desk.run({"client", "update", machine, "--pkce"}) == Exit::success);
  CHECK(desk.run({"client", "update", machine, "--public"}) == Exit::usage);
}

TEST_CASE("a client is made the server of resources, shown as such, and made the server of none") {
  Desk desk;
  const std::string id = *desk.add_machine().string_at("client_id");
  REQUIRE(desk.run({"client", "update", id, "--resource", "https://api.example", "--resource", "urn:example:stock"}) ==
          Exit::success);
  REQUIRE(desk.run({"client", "show", id}) == Exit::success);
  CHECK(desk.console.said().contains("serves         https://api.example urn:example:stock\n"));
  REQUIRE(desk.run({"client", "update", id, "--name", "Robot", "--json"}) == Exit::success);
  CHECK(desk.console.said().contains(R"("resources":["https://api.example","urn:example:stock"])"));
  CHECK(desk.run({"client", "update", id, "--resource", "/api"}) == Exit::failure);
  CHECK(desk.console.complained().contains("absolute URIs"));
  CHECK(desk.run({"client", "update", id, "--no-resources", "--resource", "https://api.example"}) == Exit::usage);
  REQUIRE(desk.run({"client", "update", id, "--no-resources"}) == Exit::success);
  CHECK_FALSE(desk.console.said().contains("serves"));
  CHECK(desk.run({"client", "add", "--name", "Phone", "--public", "--redirect-uri", "https://a.example/cb",
                  "--resource", "https://api.example"}) == Exit::failure);
}

TEST_CASE("a scope with a slip is named, and with it how many wildcards there may be") {
  Desk desk;
  CHECK(desk.run({"client", "add", "--name", "M", "--grant", "client_credentials", "--scope",
                  "openid topic:*.*.*.*.*:subscribe"}) == Exit::failure);
  CHECK(desk.console.complained().contains("\"topic:*.*.*.*.*:subscribe\""));
  CHECK(desk.console.complained().contains("at most 4 *"));
  CHECK(desk.run({"client", "add", "--name", "M", "--grant", "client_credentials", "--scope",
                  "topic:*.*.*.*:subscribe"}) == Exit::success);
}

TEST_CASE("a client that manages itself is bounded once the command line has changed it") {
  Desk desk;
  const std::string id = *desk.add_machine().string_at("client_id");
  Config config;
  config.server.data_dir = desk.data();
  const auto registration = [&] {
    return AdminWork{config}.look([&](oauth::Tables& t) { return t.clients.find_registration(oauth::ClientId{id}); });
  };
  AdminWork{config}.transact(
      [&](oauth::Tables& t) { t.clients.put_registration(oauth::ClientId{id}, crypto::sha256("token")); });
  REQUIRE(desk.run({"client", "secret", id}) == Exit::success);
  CHECK_FALSE(registration()->is_bounded);
  REQUIRE(desk.run({"client", "update", id, "--scope", "read"}) == Exit::success);
  CHECK(registration()->is_bounded);
}

TEST_CASE("a user is added once, listed and removed") {
  Desk desk;
  CHECK(desk.run({"user", "add", "alice", "--email", "a@example.org", "--password-stdin"}, "good password\n") ==
        Exit::success);
  CHECK(desk.run({"user", "add", "alice", "--password-stdin"}, "good password\n") == Exit::failure);
  CHECK(desk.console.complained().contains("there is a user of this name already"));
  CHECK(desk.run({"user", "list"}) == Exit::success);
  CHECK(desk.console.said().contains("alice  a@example.org"));
  CHECK(desk.run({"user", "remove", "alice"}) == Exit::success);
  CHECK(desk.run({"user", "list", "--json"}) == Exit::success);
  CHECK_EQ(desk.console.said(), "[]\n");
}

TEST_CASE("a user gets another password, is disabled and enabled") {
  Desk desk;
  REQUIRE(desk.run({"user", "add", "alice", "--password-stdin"}, "good password\n") == Exit::success);
  CHECK(desk.run({"user", "password", "alice", "--password-stdin"}, "better password\n") == Exit::success);
  CHECK(desk.console.said().contains("alice has a new password"));
  CHECK(desk.run({"user", "disable", "alice"}) == Exit::success);
  CHECK(desk.run({"user", "list"}) == Exit::success);
  CHECK(desk.console.said().contains("(disabled)"));
  CHECK(desk.run({"user", "enable", "alice"}) == Exit::success);
  CHECK(desk.run({"user", "list", "--json"}) == Exit::success);
  CHECK(desk.console.said().contains("\"disabled\":false"));
}

TEST_CASE("a flag wins over the variable TROUPE_CONFIG, at every command") {
  const base::TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder.path() / name).string(); };
  for (const char* name : {"one", "other"})
    std::ofstream{file(name)} << "[server]\ndata_dir = \"" << file(name) << "_data\"\n";
  ::setenv("TROUPE_CONFIG", file("one").c_str(), 1);
  const auto users_of = [&](std::vector<std::string> flags) {
    MemoryConsole console;
    flags.insert(flags.begin(), {"user", "list"});
    CHECK(run_command_line(flags, console) == Exit::success);
    return console.said();
  };
  MemoryConsole console{"good password\n"};
  CHECK(run_command_line({"user", "add", "alice", "--password-stdin"}, console) == Exit::success);
  MemoryConsole other{"good password\n"};
  CHECK(run_command_line({"user", "add", "bob", "--password-stdin", "--config", file("other")}, other) ==
        Exit::success);
  CHECK(users_of({}).contains("alice"));
  CHECK_FALSE(users_of({}).contains("bob"));
  CHECK(users_of({"--config", file("other")}).contains("bob"));
  MemoryConsole wrong;
  CHECK(run_command_line({"user", "list", "--config", file("nowhere")}, wrong) != Exit::success);
  ::unsetenv("TROUPE_CONFIG");
}

TEST_CASE("a configuration with a certificate that cannot be served with is not sound") {
  const base::TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder.path() / name).string(); };
  std::ofstream{file("cert")} << crypto::testing::first_certificate;
  std::ofstream{file("key")} << crypto::testing::first_key;
  std::ofstream{file("other_key")} << crypto::testing::second_key;
  struct {
    const char* key;
    const char* said;
  } rows[] = {{"key", ""}, {"other_key", "the key is not the certificate's"}, {"nowhere", "cannot be read"}};
  for (const auto& row : rows) {
    MemoryConsole console;
    const Exit exit = run_command_line({"config", "check", "--set", "server.tls_certificate=" + file("cert"), "--set",
                                        "server.tls_key=" + file(row.key)},
                                       console);
    CHECK(exit == (*row.said == 0 ? Exit::success : Exit::usage));
    CHECK(console.complained().contains(row.said));
  }
}

TEST_CASE("a user who is disabled or enabled twice is so once in the audit trail") {
  Desk desk;
  REQUIRE(desk.run({"user", "add", "alice", "--password-stdin"}, "good password\n") == Exit::success);
  for (const char* verb : {"enable", "disable", "disable", "enable", "enable"})
    CHECK(desk.run({"user", verb, "alice"}) == Exit::success);
  for (const char* kind : {"user_disabled", "user_enabled"}) {
    REQUIRE(desk.run({"audit", "list", "--kind", kind}) == Exit::success);
    CHECK_EQ(std::ranges::count(desk.console.said(), '\n'), 1);
  }
}

TEST_CASE("a password is never hashed more cheaply than the configuration says") {
  Desk desk;
  REQUIRE(desk.run({"user", "add", "alice", "--password-stdin", "--set", "oauth.password_memory=20MiB", "--set",
                    "oauth.password_passes=3"},
                   "good password\n") == Exit::success);
  Config config;
  config.server.data_dir = desk.data();
  const auto alice =
      AdminWork{config}.look([](oauth::Tables& tables) { return tables.users.find_by_name(oauth::UserName{"alice"}); });
  CHECK(alice.value().password_hash.contains("m=20480,t=3"));
}

TEST_CASE("what the machine refuses is a sentence, and no crash") {
  Desk desk;
  desk.add_machine();
  const std::string long_name(300, 'x');  // longer than a file's name may be
  CHECK(desk.run({"backup", desk.data() + "/" + long_name}) == Exit::failure);
  CHECK(desk.console.complained().starts_with("troupe: "));
}

TEST_CASE("nobody is given a password that has become known") {
  const crypto::testing::BreachedList list{{"letmein123"}};
  const std::string with = "oauth.breached_passwords=" + list.path();
  Desk desk;
  const auto run = [&](std::vector<std::string> arguments, std::string_view input) {
    arguments.insert(arguments.end(), {"--password-stdin", "--set", with});
    return desk.run(arguments, std::string{input});
  };
  CHECK(run({"user", "add", "alice"}, "letmein123\n") == Exit::failure);
  CHECK(desk.console.complained().contains("this password has become known to others"));
  CHECK(run({"user", "add", "alice"}, "letmein124\n") == Exit::success);
  CHECK(run({"user", "password", "alice"}, "letmein123\n") == Exit::failure);
  CHECK(run({"user", "password", "alice"}, "letmein125\n") == Exit::success);
}

TEST_CASE("rotated keys sign, and the ones before them stay") {
  Desk desk;
  desk.add_machine();  // makes the database
  REQUIRE(desk.run({"keys", "rotate"}) == Exit::success);
  REQUIRE(desk.run({"keys", "rotate"}) == Exit::success);
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  const auto& said = desk.console.said();
  CHECK_EQ(std::ranges::count(said, '\n'), 6);
  CHECK(said.contains("signing"));
  CHECK(said.contains("retained"));
}

TEST_CASE("a key is revoked by its name, and then shown no longer") {
  Desk desk;
  desk.add_machine();  // makes the database
  REQUIRE(desk.run({"keys", "rotate"}) == Exit::success);
  const std::string said = desk.console.said();
  const std::string key = said.substr(0, said.find(' '));
  REQUIRE(desk.run({"keys", "rotate", "--revoke", key}) == Exit::success);
  CHECK(desk.console.said().contains(key + "  is revoked"));
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  const std::string listed = desk.console.said();
  CHECK(listed.substr(listed.find(key), 70).contains("over"));
  CHECK(desk.run({"keys", "rotate", "--revoke", "nobody"}) == Exit::failure);
  CHECK(desk.console.complained().contains("there is no key nobody"));
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  CHECK_EQ(desk.console.said(), listed);  // nothing has happened
}

TEST_CASE("a backup is a database of its own, and is never written over") {
  Desk desk;
  const auto added = desk.add_machine();
  const std::string copies = desk.data() + "_copy";
  std::filesystem::create_directory(copies);
  REQUIRE(desk.run({"backup", copies + "/troupe.db"}) == Exit::success);
  CHECK(desk.console.said().contains("MiB, checked"));
  CHECK(desk.run({"backup", copies + "/troupe.db"}) == Exit::failure);
  CHECK(desk.console.complained().contains("exists already"));
  MemoryConsole console;
  CHECK(run_command_line({"client", "show", *added.string_at("client_id"), "--data", copies}, console) ==
        Exit::success);
  CHECK(desk.run({"backup", copies + "/other.db", "--set", "store.url=postgresql://x@localhost/x"}) == Exit::failure);
  CHECK(desk.console.complained().contains("pg_dump"));
}

TEST_CASE("keys are sealed by the key that is configured, and a wrong one is refused by its name") {
  Desk desk;
  desk.add_machine();  // makes the database
  MemoryConsole console;
  REQUIRE(run_command_line({"keys", "new-encryption-key"}, console) == Exit::success);
  const std::string with = "oauth.encryption_key=" + console.said().substr(0, 43);
  REQUIRE(desk.run({"keys", "rotate", "--set", with}) == Exit::success);
  CHECK(desk.run({"keys", "list", "--set", with}) == Exit::success);
  CHECK(desk.run({"keys", "list"}) == Exit::failure);
  CHECK(desk.console.complained().contains("set oauth.encryption_key"));
  CHECK(desk.run({"keys", "list", "--set", "oauth.encryption_key=short"}) == Exit::usage);
  CHECK(desk.console.complained().contains("oauth.encryption_key wants 32 bytes"));
}

TEST_CASE(
    "keys are not replaced while they are sealed otherwise than is configured: a running server could not read them") {
  Desk desk;
  desk.add_machine();  // makes the database
  MemoryConsole console;
  REQUIRE(run_command_line({"keys", "new-encryption-key"}, console) == Exit::success);
  const std::string with = "oauth.encryption_key=" + console.said().substr(0, 43);
  REQUIRE(desk.run({"keys", "rotate"}) == Exit::success);
  const std::string said = desk.console.said();
  const std::string key = said.substr(0, said.find(' '));
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  const std::string before = desk.console.said();
  for (const std::vector<std::string>& refused :
       std::vector<std::vector<std::string>>{{"keys", "rotate", "--set", with},
                                             {"keys", "rotate", "--revoke", key, "--set", with},
                                             {"keys", "rotate", "--revoke", key, "--dry-run", "--set", with}}) {
    CHECK(desk.run(refused) == Exit::failure);
    CHECK(desk.console.complained().contains("start the server with this encryption key first"));
    CHECK_FALSE(desk.console.said().contains("revoked"));
  }
  REQUIRE(desk.run({"keys", "list"}) == Exit::success);
  CHECK_EQ(desk.console.said(), before);
  CHECK(desk.run({"keys", "rotate", "--revoke", key}) == Exit::success);
}

TEST_CASE("a word in a place where nobody takes it is named as it stands, with the help that lists what there is") {
  const std::pair<std::vector<std::string>, std::string_view> rows[] = {
      {{"client"}, "Usage: troupe client [OPTIONS] SUBCOMMAND"},
      {{"--dance"}, "there is no option \"--dance\""},
      {{"--config", "troupe.toml", "serve"},
       "--config troupe.toml was not expected before the command: options stand behind it; `troupe serve --help`"},
      {{"client", "--data", "data", "list"}, "--data data was not expected before the command"},
      {{"client", "add", "--nmae", "x", "--name", "y"}, "--nmae x was not expected; `troupe client add --help`"},
      {{"client", "list", "all"}, "all was not expected; `troupe client list --help`"},
  };
  Desk desk;
  for (const auto& [arguments, told] : rows) {
    CHECK(desk.run(arguments) == Exit::usage);
    CHECK_MESSAGE(desk.console.complained().contains(told), desk.console.complained());
    CHECK(desk.console.said().empty());
  }
}

TEST_CASE("a mistake on the command line is told in a sentence, and nothing happens") {
  struct Row {
    std::vector<std::string> arguments;
    std::string_view told;
    std::string input = "";
  };
  std::string many_scopes = "s0";
  for (int i = 1; i <= 100; ++i) many_scopes += " s" + std::to_string(i);
  const Row rows[] = {
      {{"dance"}, "there is no command \"dance\""},
      {{"client", "dance"}, "there is no command \"dance\""},
      {{"client", "add", "--grant", "client_credentials"}, "--name"},
      {{"client", "add", "--name", "x", "--grant", "magic"}, "--grant \"magic\""},
      {{"client", "add", "--name", "x", "--grant", "implicit"}, "--grant \"implicit\""},
      {{"client", "add", "--name", "x", "--grant", "authorization_code"}, "redirect"},
      {{"client", "add", "--name", "x", "--redirect-uri", "javascript:alert(1)"}, "redirect"},
      {{"client", "add", "--name", "x", "--grant", "client_credentials", "--scope", "a\"b"}, "--scope"},
      {{"client", "add", "--name", "x", "--public", "--grant", "client_credentials"}, "public"},
      {{"client", "add", "--name", "x", "--access-token-alg", "none"}, "--access-token-alg"},
      {{"client", "add", "--name", "x", "--access-token-lifetime", "5"}, "--access-token-lifetime"},
      {{"client", "show", "nobody"}, "there is no client \"nobody\""},
      {{"client", "remove", "nobody"}, "there is no client \"nobody\""},
      {{"user", "remove", "nobody"}, "there is no user \"nobody\""},
      {{"user", "disable", "nobody"}, "there is no user \"nobody\""},
      {{"user", "enable", "nobody"}, "there is no user \"nobody\""},
      {{"user", "password", "nobody", "--password-stdin"}, "there is no user \"nobody\"", "good password\n"},
      {{"user", "password", "nobody"}, "--password-stdin"},
      {{"user", "password", "nobody", "--password-stdin"}, "8 to 256 bytes", "short\n"},
      {{"user", "add", "x"}, "--password-stdin"},
      {{"user", "add", "x", "--password-stdin"}, "no password"},
      {{"user", "add", "x", "--password-stdin"}, "8 to 256 bytes", "short\n"},
      {{"user", "add", " x", "--password-stdin"}, "a name has", "good password\n"},
      {{"user", "add", std::string(65, 'x'), "--password-stdin"}, "a name has", "good password\n"},
      {{"user", "add", "\xff", "--password-stdin"}, "a name has", "good password\n"},
      {{"user", "add", "x", "--password-stdin"}, "8 to 256 bytes", std::string(257, 'p') + "\n"},
      {{"user", "add", "x", "--password-stdin", "--email", "nowhere"}, "an address has", "good password\n"},
      {{"user", "add", "x", "--password-stdin", "--email", "a@" + std::string(300, 'b')},
       "an address has",
       "good password\n"},
      {{"user", "add", "x", "y", "--password-stdin"}, "y", "good password\n"},
      {{"client", "add", "--name", "x", "--name", "y", "--grant", "client_credentials"}, "--name"},
      {{"client", "add", "--name", std::string(201, 'x'), "--grant", "client_credentials"}, "1 to 200 bytes"},
      {{"client", "add", "--name", "x\ny", "--grant", "client_credentials"}, "control characters"},
      {{"client", "add", "--name", "\xff", "--grant", "client_credentials"}, "UTF-8"},
      {{"client", "add", "--name", "x", "--redirect-uri", "https://a.example/" + std::string(4000, 'x')}, "redirect"},
      {{"client", "add", "--name", "x", "--grant", "client_credentials", "--scope", many_scopes}, "--scope"},
      {{"client", "add", "--name", "x", "--grant", "client_credentials", "--flavour", "mint"}, "--flavour"},
      {{"client", "show"}, "ID"},
      {{"client", "show", "a", "b"}, "b"},
      {{"client", "show", std::string(100'000, 'x')}, "there is no client"},
      {{"client", "update", "nobody", "--enable", "--disable"}, "--disable"},
      {{"client", "list", "--set", "realtime.ecco=true"}, "realtime.echo"},
      {{"client", "list", "--set", "realtime.echo"}, "wants KEY=VALUE"},
      {{"client", "list", "--config", ""}, "--config: is empty"},
      {{"serve", "--listen", ""}, "--listen: is empty"},
  };
  Desk desk;
  REQUIRE(desk.run({"user", "add", "alice", "--password-stdin"}, "good password\n") == Exit::success);
  for (const Row& row : rows) {
    const auto exit = desk.run(row.arguments, row.input);
    CAPTURE(row.told);
    CAPTURE(desk.console.complained());
    CHECK(exit != Exit::success);
    CHECK(desk.console.complained().contains(row.told));
    CHECK(desk.console.said().empty());
  }
  CHECK(desk.run({"client", "list"}) == Exit::success);
  CHECK(desk.console.said().empty());
}

TEST_CASE("what was done at the command line stands in the audit trail, without secrets") {
  Desk desk;
  const auto added = desk.add_machine();
  Config config;
  config.server.data_dir = desk.data();
  AdminWork admin{config};
  const auto events = admin.transact([](oauth::Tables& tables) { return tables.audit.events({}, 10); });
  REQUIRE_EQ(events.size(), 1);
  CHECK_EQ(events[0].kind, "client_registered");
  CHECK_EQ(events[0].client->value(), *added.string_at("client_id"));
  CHECK_EQ(events[0].done_by, "command line");
}

TEST_CASE("what a command changes of a client stands in the audit trail by name") {
  Desk desk;
  REQUIRE(desk.run({"client", "add", "--name", "Old", "--redirect-uri", "https://old.example/cb", "--scope", "openid",
                    "--no-pkce", "--json"}) == Exit::success);
  const std::string id = *wire::parse_json(desk.console.said())->string_at("client_id");
  REQUIRE(desk.run({"client", "update", id, "--name", "Older", "--disable"}) == Exit::success);
  REQUIRE(desk.run({"audit", "list"}) == Exit::success);
  CHECK(desk.console.said().contains("client_registered  (pkce_optional)"));
  CHECK(desk.console.said().contains("client_updated  (disabled, client_name)"));
}

TEST_CASE("every command explains itself") {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{},
                                                                                       {"client"},
                                                                                       {"client", "add"},
                                                                                       {"user"},
                                                                                       {"user", "add"},
                                                                                       {"keys"},
                                                                                       {"keys", "rotate"},
                                                                                       {"keys", "new-encryption-key"},
                                                                                       {"backup"},
                                                                                       {"audit"},
                                                                                       {"audit", "verify"},
                                                                                       {"explain"},
                                                                                       {"config"},
                                                                                       {"config", "check"},
                                                                                       {"version"}}) {
    auto arguments = command;
    arguments.emplace_back("--help");
    MemoryConsole console;
    CHECK(run_command_line(arguments, console) == Exit::success);
    CHECK(console.said().contains("--help"));
    CHECK(console.complained().empty());
  }
}

TEST_CASE("who looks, changes or removes where there is no database is told so, and makes none") {
  Desk desk;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"audit", "verify"},
                                             {"backup", desk.data() + "_copy.db"},
                                             {"audit", "verify", "--checkpoint", std::string(64, '0')},
                                             {"audit", "head"},
                                             {"audit", "list"},
                                             {"explain", "request-1"},
                                             {"client", "list"},
                                             {"client", "show", "c_x"},
                                             {"client", "remove", "c_x", "--dry-run"},
                                             {"user", "list"},
                                             {"user", "show", "alice"},
                                             {"user", "disable", "alice", "--dry-run"},
                                             {"session", "list", "alice"},
                                             {"grant", "list"},
                                             {"token", "list"},
                                             {"keys", "list"},
                                             {"keys", "rotate", "--dry-run"},
                                             {"client", "update", "c_x", "--name", "X"},
                                             {"client", "secret", "c_x"},
                                             {"client", "remove", "c_x"},
                                             {"user", "disable", "alice"},
                                             {"user", "enable", "alice"},
                                             {"user", "remove", "alice"},
                                             {"session", "end", "s_x"},
                                             {"grant", "revoke", "g_x"},
                                             {"token", "revoke", "t_x"},
                                             {"keys", "rotate"}}) {
    CAPTURE(command.front());
    CHECK(desk.run(command) == Exit::failure);
    CHECK(desk.console.complained().contains("there is no database in " + desk.data()));
    CHECK(desk.console.said().empty());
    CHECK_FALSE(std::filesystem::exists(desk.data()));
  }
  std::filesystem::create_directory(desk.data());
  std::ofstream{desk.data() + "/troupe.db"};  // a file that nobody has written to is no database either
  CHECK(desk.run({"audit", "verify"}) == Exit::failure);
  CHECK(desk.console.complained().contains("there is no database in " + desk.data()));
}

TEST_CASE("the database and its folder are for their owner alone") {
  const base::TemporaryFolder temporary;
  const std::filesystem::path folder = temporary.path();
  MemoryConsole console;
  REQUIRE(run_command_line({"client", "add", "--name", "Machine", "--grant", "client_credentials", "--data",
                            (folder / "data").string()},
                           console) == Exit::success);
  const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  for (const auto& path : {folder / "data", folder / "data" / "troupe.db"}) {
    CHECK((std::filesystem::status(path).permissions() & others) == std::filesystem::perms::none);
  }
}
