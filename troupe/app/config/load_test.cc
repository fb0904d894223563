// Which of the sources wins, and how everything that is wrong is told at once.
#include "troupe/app/config/load.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "troupe/app/config/key.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/crypto/testing/breached_list.h"

using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

/// A file that lives as long as the value; problems name it "F".
class File {
 public:
  explicit File(const std::string& text) { std::ofstream{path()} << text; }
  std::string path() const { return folder() + "/F"; }
  std::string folder() const { return folder_.path().string(); }

 private:
  troupe::base::TemporaryFolder folder_;
};

/// The problems of a file, its name shortened.
std::vector<std::string> problems_of(const std::string& text, Sources sources = {}) {
  const File file{text};
  sources.file = file.path();
  const auto loaded = load_config(sources);
  std::vector<std::string> out;
  if (loaded) return out;
  for (const Problem& problem : loaded.error()) {
    auto line = problem.text();
    if (line.starts_with(file.folder())) line.erase(0, file.folder().size() + 1);
    out.push_back(line);
  }
  return out;
}

Config loaded(const std::string& text, Sources sources = {}) {
  const File file{text};
  sources.file = file.path();
  const auto config = load_config(sources);
  if (!config) FAIL(config.error().front().text());
  return *config;
}

}  // namespace

TEST_CASE("a flag that names no key is told as it was written") {
  const auto told = problems_of("", {.flags = {{"", "novalue", "--set"}}});
  CHECK_EQ(told, std::vector<std::string>{"--set: \"novalue\" wants KEY=VALUE"});
}

TEST_CASE("a variable that is nearly one of ours is a mistake, and others are not ours to judge") {
  const auto told = problems_of("", {.environment = {{"TROUPE_OUATH_REGISTRATION", "closed"},
                                                     {"TROUPE_DEVELOPMNT", "true"},
                                                     {"TROUPE_TOKEN", "x"},
                                                     {"TROUPE_URL", "ws://a"},
                                                     {"TROUPE_PORT_8080_TCP_ADDR", "10.0.0.1"},
                                                     {"TROUPE_SERVICE_HOST", "10.0.0.1"}}});
  CHECK_EQ(told,
           std::vector<std::string>{
               "TROUPE_OUATH_REGISTRATION: sets no key of the configuration; do you mean TROUPE_OAUTH_REGISTRATION?",
               "TROUPE_DEVELOPMNT: sets no key of the configuration; do you mean TROUPE_DEVELOPMENT?"});
}

TEST_CASE("without any source the defaults hold, and the issuer is the address") {
  const auto config = load_config({});
  REQUIRE(config.has_value());
  CHECK_EQ(config->server.listen.text(), "127.0.0.1:8080");
  CHECK_EQ(config->oauth.issuer, "http://127.0.0.1:8080");
  CHECK_FALSE(config->development);
}

TEST_CASE("a file, then the environment, then flags; the later one wins") {
  const std::string text = "[oauth]\ncode_lifetime = \"10s\"\nid_token_lifetime = \"1m\"\nsign_in_time = \"2m\"\n";
  const auto config = loaded(text, {.environment = {{"TROUPE_OAUTH_ID_TOKEN_LIFETIME", "3m"},
                                                    {"TROUPE_OAUTH_SIGN_IN_TIME", "4m"},
                                                    {"HOME", "/root"}},
                                    .flags = {{"oauth.sign_in_time", "5m", "--set"}}});
  CHECK(config.oauth.code_ttl == 10s);
  CHECK(config.oauth.id_token_ttl == 3min);
  CHECK(config.oauth.flow_ttl == 5min);
}

TEST_CASE("every kind of value can stand in a file and in the environment") {
  const auto file = loaded(
      "[realtime]\necho = true\nconnections_max = 7\nmessages_per_second = 2.5\nframe_bytes_max = 4096\n"
      "bytes_per_second = \"2MiB\"\nheartbeat_interval = \"30s\"\nallowed_origins = [\"https://a.example\"]\n"
      "[log]\nlevel = \"debug\"\n[oauth]\nscopes_supported = \"read write\"\n");
  const auto variables = loaded("", {.environment = {{"TROUPE_REALTIME_ECHO", "true"},
                                                     {"TROUPE_REALTIME_CONNECTIONS_MAX", "7"},
                                                     {"TROUPE_REALTIME_MESSAGES_PER_SECOND", "2.5"},
                                                     {"TROUPE_REALTIME_FRAME_BYTES_MAX", "4096"},
                                                     {"TROUPE_REALTIME_BYTES_PER_SECOND", "2MiB"},
                                                     {"TROUPE_REALTIME_HEARTBEAT_INTERVAL", "30s"},
                                                     {"TROUPE_REALTIME_ALLOWED_ORIGINS", "https://a.example"},
                                                     {"TROUPE_LOG_LEVEL", "debug"},
                                                     {"TROUPE_OAUTH_SCOPES_SUPPORTED", "read write"}}});
  for (const Config& config : {file, variables}) {
    CHECK(config.realtime.echo);
    CHECK_EQ(config.realtime.connections_max, 7);
    CHECK_EQ(config.realtime.frames.per_second, 2.5);
    CHECK_EQ(config.realtime.frame_bytes_max, 4096);
    CHECK_EQ(config.realtime.bytes.per_second, 2.0 * 1024 * 1024);
    CHECK(config.realtime.heartbeat.interval == 30s);
    CHECK_EQ(config.realtime.allowed_origins, std::vector<std::string>{"https://a.example"});
    CHECK(config.log.level == troupe::base::log::Level::debug);
    CHECK_EQ(config.oauth.scopes_supported.text(), "read write");
  }
}

TEST_CASE("each mistake is told with its place") {
  struct Row {
    std::string_view text, problem;
  };
  const Row rows[] = {
      {"[server]\nflavour = 1", "F:2: there is no key server.flavour"},
      {"[realtime]\necko = true", "F:2: there is no key realtime.ecko; do you mean realtime.echo?"},
      {"[kitchen]\nsink = 1", "F:2: there is no key kitchen.sink"},
      {"colour = 1", "F:1: there is no key colour"},
      {"[realtime]\necho = 17", "F:2: realtime.echo wants true or false"},
      {"[realtime]\necho = \"true\"", "F:2: realtime.echo wants true or false"},
      {"[realtime]\nconnections_max = \"7\"", "F:2: realtime.connections_max wants a whole number"},
      {"[realtime]\nconnections_max = 0", "F:2: realtime.connections_max is less than 1"},
      {"[realtime]\nconnections_max = -1", "F:2: realtime.connections_max is less than 1"},
      {"[realtime]\nframe_bytes_max = \"1GiB\"", "F:2: realtime.frame_bytes_max is more than 64MiB"},
      {"[realtime]\nheartbeat_interval = 30",
       "F:2: realtime.heartbeat_interval wants a duration such as \"10m\", with its unit"},
      {"[oauth]\ncode_lifetime = \"1500ms\"", "F:2: oauth.code_lifetime wants whole multiples of 1s"},
      {"[oauth]\naccess_token_lifetime = \"2h\"", "F:2: oauth.access_token_lifetime is more than 1h"},
      {"[log]\nlevel = \"loud\"", "F:2: log.level wants one of \"debug\", \"info\", \"warning\", \"error\""},
      {"[server]\nlisten = \"8080\"",
       "F:2: server.listen wants an address and a port such as \"127.0.0.1:8080\" or \"[::1]:8080\""},
      {"[server]\ntrusted_proxies = \"10.0.0.0/8\"",
       "F:2: server.trusted_proxies wants a list of texts such as [\"a\", \"b\"]"},
      {"[server]\ntrusted_proxies = [1]", "F:2: server.trusted_proxies wants a list of texts such as [\"a\", \"b\"]"},
      {"[server]\nissuer = 2024-01-01",
       "F:2: server.issuer holds a date or time; durations stand in quotes, such as \"10m\""},
      {"[oauth]\nscopes_supported = \"read topic:a.*:pubish\"",
       "F:2: oauth.scopes_supported holds \"topic:a.*:pubish\", which is no grant such as \"topic:news.*:subscribe\""},
      {"[oauth]\nregistration_scopes = \"topic:a.>.b:publish\"",
       "F:2: oauth.registration_scopes holds \"topic:a.>.b:publish\", which is no grant such as "
       "\"topic:news.*:subscribe\""},
      {"server = 1", "F:1: there is no key server"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto problems = problems_of(std::string{row.text});
    CHECK_EQ(problems, std::vector<std::string>{std::string{row.problem}});
  }
}

TEST_CASE("every mistake is told at once, those of a file by line") {
  const auto problems = problems_of("[server]\nflavour = \"mint\"\n\n[realtime]\necho = 17\n[kitchen]\nsink = 1\n",
                                    {.environment = {{"TROUPE_REALTIME_ECHO", "perhaps"}, {"TROUPE_LOG_COLOUR", "red"}},
                                     .flags = {{"server.listen", "nowhere", "--listen"}}});
  REQUIRE_EQ(problems.size(), 6);
  CHECK(problems[0].starts_with("F:2: there is no key server.flavour"));
  CHECK(problems[1].starts_with("F:7: there is no key kitchen.sink"));
  CHECK_EQ(problems[2], "TROUPE_REALTIME_ECHO: realtime.echo wants true or false");
  CHECK(problems[3].starts_with("TROUPE_LOG_COLOUR: sets no key"));
  CHECK_EQ(problems[4], "F:5: realtime.echo wants true or false");
  CHECK(problems[5].starts_with("--listen: server.listen wants an address"));
}

TEST_CASE("a server that runs reads a file again, and a pipe that was read does not pass for an empty one") {
  const File file{"[log]\nlevel = \"error\"\n"};
  CHECK(load_config_again({.file = file.path()}, Config{})->log.level == troupe::base::log::Level::error);
  CHECK_EQ(load_config_again({.file = file.path() + "_not"}, Config{}).error()[0].what,
           "cannot be read: No such file or directory");
  int ends[2];
  REQUIRE_EQ(::pipe(ends), 0);
  const std::string pipe = fmt::format("/dev/fd/{}", ends[0]);
  constexpr std::string_view text = "[log]\nlevel = \"error\"\n";
  REQUIRE_EQ(::write(ends[1], text.data(), text.size()), text.size());
  ::close(ends[1]);
  CHECK(load_config({.file = pipe})->log.level == troupe::base::log::Level::error);
  const auto again = load_config_again({.file = pipe}, Config{});
  ::close(ends[0]);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error()[0].text().starts_with(pipe + ": is no file, but a pipe that has been read"));
}

TEST_CASE("a file that is missing or no TOML is told with its name and line") {
  for (auto path : {"/nowhere/troupe.toml", "/tmp"}) {
    const auto missing = load_config({.file = path});
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error()[0].text().starts_with(std::string{path} + ": cannot be read: "));
  }
  struct Row {
    std::string_view what;
    std::string text;
    std::string_view problem;
  };
  const Row rows[] = {
      {"truncated in a section", "[server\n", "F:1: is no TOML: "},
      {"truncated in a text", "[server]\nlisten = \"127.0.", "F:2: is no TOML: "},
      {"truncated before a value", "[server]\nlisten =", "F:2: is no TOML: "},
      {"a key twice", "development = true\ndevelopment = true\n", "F:2: is no TOML: "},
      {"a section twice", "[log]\nlevel = \"info\"\n[log]\nlevel = \"debug\"\n", "F:3: is no TOML: "},
      {"no UTF-8", "[log]\nlevel = \"\xff\"\n", "F:2: is no TOML: "},
      {"a NUL", std::string{"[log]\n\0", 7}, "F:2: is no TOML: "},
      {"JSON", "{\"log\": {}}", "F:1: is no TOML: "},
      {"over a MiB", std::string(1024 * 1024 + 1, '\n'), "F: has more than 1 MiB"},
      {"a number beyond 64 bits", "[realtime]\nconnections_max = 99999999999999999999\n", "F:2: is no TOML: "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto problems = problems_of(row.text);
    REQUIRE_EQ(problems.size(), 1);
    CAPTURE(problems[0]);
    CHECK(problems[0].starts_with(row.problem));
  }
  CHECK(problems_of(std::string(1024 * 1024, '\n')).empty());
}

TEST_CASE("values that contradict each other are told where they stand") {
  struct Row {
    std::string_view text, problem;
  };
  const Row rows[] = {
      {"[server]\nlisten = \"192.0.2.1:80\"\nissuer = \"https://a.example\"",
       "F:2: server.listen is no loopback address"},
      {"[server]\nlisten = \"0.0.0.0:80\"\ninsecure_http = true", "F:2: server.issuer is needed"},
      {"[server]\nissuer = \"http://a.example\"", "F:2: server.issuer is plain http on a network"},
      {"[server]\nissuer = \"https://a.example/\"", "F:2: server.issuer wants an origin: \"https://a.example\""},
      {"[server]\nissuer = \"https://a.example/x\"", "F:2: server.issuer wants an origin"},
      {"[server]\nissuer = \"https://A.example\"", "F:2: server.issuer wants an origin"},
      {"[server]\nissuer = \"ftp://a.example\"", "F:2: server.issuer wants a URL"},
      {"[server]\nissuer = \"a\"", "F:2: server.issuer wants a URL"},
      {"[server]\ntrusted_proxies = [\"10.0.0.1/8\"]", "F:2: server.trusted_proxies holds \"10.0.0.1/8\""},
      {"[server]\ndata_dir = \"\"", "F:2: server.data_dir is empty"},
      {"[realtime]\nallowed_origins = [\"https://a.example/\"]", "F:2: realtime.allowed_origins holds"},
      {"[realtime]\nanonymous_scopes = \"read\"", "F:2: realtime.anonymous_scopes holds \"read\", which is no grant"},
      {"[realtime]\nheartbeat_interval = \"5s\"",
       "F:2: realtime.heartbeat_timeout (10s by default) is more than realtime.heartbeat_interval"},
      {"[realtime]\nheartbeat_timeout = \"30s\"",
       "F:2: realtime.heartbeat_timeout is more than realtime.heartbeat_interval (25s by default)"},
      {"[realtime]\nheartbeat_interval = \"5s\"\nheartbeat_timeout = \"30s\"",
       "F:3: realtime.heartbeat_timeout is more than realtime.heartbeat_interval"},
      {"[realtime]\nbytes_burst = \"64KiB\"",
       "F:2: realtime.frame_bytes_max (1MiB by default) could never be sent, as it is more than realtime.bytes_burst"},
      {"[oauth]\nwebhook_url = \"https://a.example\"", "F:2: oauth.webhook_secret has at least 16 bytes"},
      {"[oauth]\nrefresh_lifetime = \"40d\"\nrefresh_idle_time = \"50d\"", "F:3: oauth.refresh_idle_time is more than"},
      {"[oauth]\nsession_idle_time = \"20h\"", "F:2: oauth.session_idle_time is more than oauth.session_lifetime"},
      {"[oauth]\nresources = [\"/relative\"]", "F:2: oauth.resources holds"},
      {"[oauth]\nregistration = \"open\"\nregistration_scopes = \"openid admin\"",
       "F:3: oauth.registration_scopes holds \"admin\", which would be everybody's where oauth.registration is"},
      {"[oauth]\nregistration = \"open\"\nregistration_scopes = \"topic:system.>:subscribe\"",
       "F:3: oauth.registration_scopes holds \"topic:system.>:subscribe\""},
      {"[oauth]\nwebhook_url = \"ftp://a.example\"\nwebhook_secret = \"0123456789abcdef\"",
       "F:2: oauth.webhook_url wants a URL"},
      {"[oauth]\nwebhook_url = \"https://alice:pw@a.example\"\nwebhook_secret = \"0123456789abcdef\"",
       "F:2: oauth.webhook_url wants a URL such as \"https://audit.example/troupe\", without a user"},
      {"[telemetry]\notlp_endpoint = \"http://alice:pw@127.0.0.1:4318/v1/traces\"",
       "F:2: telemetry.otlp_endpoint wants a URL such as \"http://127.0.0.1:4318/v1/traces\", without a user"},
      {"[oauth]\nwebhook_url = \"https://a.example\"\nwebhook_secret = \"short\"",
       "F:3: oauth.webhook_secret has at least 16 bytes"},
      {"[oauth]\nwebhook_kinds = [\"code_replay\", \"custom.paid\", \"code_replayed\"]",
       "F:2: oauth.webhook_kinds holds \"code_replayed\", which is no kind of event"},
      {"[store]\nurl = \"postgresql://alice:hunter2@[oops\"",
       "F:2: store.url wants a connection string such as \"postgresql://troupe@localhost/troupe\""},
      {"development = true\n[server]\nlisten = \"192.0.2.1:80\"\nissuer = \"https://a.example\"",
       "F:3: server.listen is reachable by others"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto problems = problems_of(std::string{row.text});
    REQUIRE_EQ(problems.size(), 1);
    CAPTURE(problems[0]);
    CHECK(problems[0].starts_with(row.problem));
  }
}

TEST_CASE("a namespace has what its table says, and else the defaults, wherever they stand in the file") {
  const auto config = loaded(R"(
[realtime.namespace.chat]
history_messages_max = 10
overflow = "latest"
default_scopes = "topic:chat.*:subscribe topic:chat:publish"
[realtime.namespace."a-b"]
anonymous_scopes = "topic:a-b.>:subscribe"
[realtime]
history_age_max = "1h"
default_scopes = "topic:lobby:subscribe"
)",
                             {.flags = {{"realtime.namespace.chat.payload_bytes_max", "1KiB", "--set"}}});
  const auto& chat = config.realtime.namespaces.at("chat");
  CHECK_EQ(chat.options.history.count_max, 10);
  CHECK_EQ(chat.options.history.age_max, 1h);
  CHECK_EQ(chat.options.payload_bytes_max, 1024);
  CHECK(chat.options.overflow == troupe::realtime::Overflow::latest);
  CHECK_EQ(chat.default_scopes, "topic:chat.*:subscribe topic:chat:publish");
  const auto& other = config.realtime.namespaces.at("a-b");
  CHECK_EQ(other.options.history.count_max, config.realtime.defaults.options.history.count_max);
  CHECK_EQ(other.default_scopes, "");  // those of [realtime] hold anyway
  CHECK_EQ(config.realtime.namespaces.size(), 2);
}

TEST_CASE("what is wrong in a namespace is told with its line, and what to do") {
  struct Row {
    std::string_view text, problem;
  };
  const Row rows[] = {
      {"[realtime.namespace.chat]\nhistory_mesages_max = 1",
       "F:2: there is no key realtime.namespace.chat.history_mesages_max; do you mean "
       "realtime.namespace.chat.history_messages_max?"},
      {"[realtime.namespace.chat]\nsink = 1", "F:2: there is no key realtime.namespace.chat.sink"},
      {"[realtime.namespace.chat]\necho = true", "F:2: there is no key realtime.namespace.chat.echo"},
      {"[realtime.namespace.chat]\noverflow = \"newest\"",
       "F:2: realtime.namespace.chat.overflow wants one of \"drop_oldest\""},
      {"[realtime.namespace.chat]\nhistory_age_max = 5",
       "F:2: realtime.namespace.chat.history_age_max wants a duration"},
      {"[realtime.namespace.chat]\ndefault_scopes = \"read\"",
       "F:2: realtime.namespace.chat.default_scopes holds \"read\", which is no grant"},
      {"[realtime.namespace.chat]\ndefault_scopes = \"topic:chatter.a:publish\"",
       "F:2: realtime.namespace.chat.default_scopes holds \"topic:chatter.a:publish\", which is not for topics of this "
       "namespace, such as \"topic:chat.>:publish\""},
      {"[realtime.namespace.chat]\nanonymous_scopes = \"topic:>:subscribe\"",
       "F:2: realtime.namespace.chat.anonymous_scopes holds \"topic:>:subscribe\", which is not for topics"},
      {"[realtime.namespace.\"a.b\"]\noverflow = \"latest\"",
       "F:2: realtime.namespace.a.b.overflow: \"a.b\" is no first segment of topics"},
      {"[realtime.namespace.\"*\"]\noverflow = \"latest\"",
       "F:2: realtime.namespace.*.overflow: \"*\" is no first segment of topics"},
      {"[realtime.namespace.\"\"]\noverflow = \"latest\"",
       "F:2: realtime.namespace..overflow: \"\" is no first segment of topics"},
      {"[realtime.namespace.\"$user\"]\noverflow = \"latest\"",
       "F:2: realtime.namespace.$user.overflow: \"$user\" is the server's own"},
      {"[realtime.namespace.system]\noverflow = \"latest\"",
       "F:2: realtime.namespace.system.overflow: \"system\" is the server's own"},
      {"[realtime.namespace]\nchat = 1", "F:2: there is no key realtime.namespace.chat"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto problems = problems_of(std::string{row.text});
    REQUIRE_EQ(problems.size(), 1);
    CAPTURE(problems[0]);
    CHECK(problems[0].starts_with(row.problem));
  }
  const auto variable = problems_of("", {.environment = {{"TROUPE_REALTIME_NAMESPACE_CHAT_OVERFLOW", "latest"}}});
  REQUIRE_EQ(variable.size(), 1);
  CHECK(variable[0].contains("--set realtime.namespace.chat.overflow=latest"));
}

TEST_CASE("with a certificate HTTPS is spoken, also on an address that others reach") {
  const File certificate{"a certificate"}, key{"a key"};
  const auto config = loaded("[server]\ntls_certificate = \"" + certificate.path() + "\"\ntls_key = \"" + key.path() +
                             "\"\nlisten = \"192.0.2.1:443\"\n");
  CHECK(config.server.speaks_tls());
  CHECK_EQ(config.oauth.issuer, "https://192.0.2.1");
  CHECK_EQ(problems_of("[server]\ntls_certificate = \"" + certificate.path() + "\"\n"),
           std::vector<std::string>{"F:2: server.tls_key is needed beside server.tls_certificate"});
  CHECK_EQ(problems_of("[server]\ntls_key = \"" + key.path() + "\"\n"),
           std::vector<std::string>{"F:2: server.tls_certificate is needed beside server.tls_key"});
}

TEST_CASE("a file of TLS that is not there is told by its own key and line, with all else that is wrong") {
  const File certificate{"a certificate"};
  const auto problems = problems_of("[server]\ncores = 99\ntls_certificate = \"" + certificate.path() +
                                    "\"\ntls_key = \"/nowhere/a.key\"\n");
  REQUIRE_EQ(problems.size(), 2);
  CHECK(problems[0].starts_with("F:2: server.cores "));
  CHECK_EQ(problems[1], "F:4: server.tls_key names /nowhere/a.key, which cannot be read: No such file or directory");
}

TEST_CASE("an address that others reach is served behind a proxy, or plainly when somebody says so") {
  CHECK(problems_of(
            "[server]\nlisten = \"0.0.0.0:80\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nissuer = \"https://a.example\"")
            .empty());
  CHECK(problems_of("[server]\nlisten = \"192.0.2.1:80\"\ninsecure_http = true").empty());
}

TEST_CASE("development mode brings its own defaults, which any source still changes") {
  const auto config =
      loaded("[realtime]\nmessages_per_second = 5\n", {.flags = {{"development", "true", "--development"}}});
  CHECK(config.development);
  CHECK_GT(config.http.requests_by_address.per_second, Config{}.http.requests_by_address.per_second);
  CHECK_EQ(config.http.connections_by_address_max, config.http.connections_max);
  CHECK_EQ(config.realtime.frames.per_second, 5);
}

TEST_CASE("a mode that waits for the next start brings no limits before it, and takes none away") {
  const File file{"development = true\n[realtime]\nmessages_per_second = 7\n"};
  const Sources sources{.file = file.path()};
  const auto wanted = load_config_again(sources, Config{});
  REQUIRE(wanted.has_value());
  CHECK(wanted->development);
  CHECK_EQ(wanted->realtime.frames.per_second, 7);
  CHECK_EQ(wanted->realtime.subscriptions_max, Config{}.realtime.subscriptions_max);
  const File empty{""};
  const auto back = load_config_again({.file = empty.path()}, development_defaults());
  CHECK_FALSE(back->development);
  CHECK_EQ(back->realtime.subscriptions_max, development_defaults().realtime.subscriptions_max);
}

TEST_CASE("a file that leaves development mode, or enters it, is judged by the mode that it wants") {
  const File network{"[server]\nlisten = \"0.0.0.0:8080\"\ninsecure_http = true\nissuer = \"http://a.example\"\n"};
  const auto left = load_config_again({.file = network.path()}, development_defaults());
  if (!left) FAIL(left.error().front().text());
  CHECK_FALSE(left->development);
  CHECK_EQ(left->realtime.subscriptions_max, development_defaults().realtime.subscriptions_max);
  const auto entered =
      load_config_again({.file = network.path(), .flags = {{"development", "true", "--development"}}}, Config{});
  REQUIRE_FALSE(entered.has_value());
  CHECK_EQ(entered.error().at(0).what,
           "server.listen is reachable by others, and development mode is for this machine alone");
}

TEST_CASE("colours that cannot be read, and a logo that is none, are refused with the line") {
  const File logo{"no image at all"};
  const auto problems = problems_of("[oauth]\npage_accent = \"#ffe000\"\npage_ink_dark = \"#333333\"\nlogo_file = \"" +
                                    logo.path() + "\"\nlogo_text = \"Acme\"\n");
  REQUIRE_EQ(problems.size(), 4);
  CHECK(problems[0].starts_with("F:2: oauth.page_accent gives links (#ffe000 on #ffffff) a contrast of 1.3"));
  CHECK(problems[1].starts_with("F:3: oauth.page_ink_dark gives text (#333333 on #20232a)"));
  CHECK(problems[2].starts_with("F:3: oauth.page_ground_dark gives text in fields"));
  CHECK(problems[3].ends_with("which is no PNG, JPEG or SVG image"));
  CHECK_EQ(problems_of("[oauth]\npage_ink = \"black\"\n").at(0),
           "F:2: oauth.page_ink wants a colour such as \"#1f4fbf\"");
  CHECK(problems_of("[oauth]\nlogo_text = \"Acme\"\nlogo_file = \"/nowhere/at/all.png\"\n")
            .at(0)
            .contains("cannot be read"));
}

TEST_CASE("colours and a logo of one's own are taken") {
  const File logo{"<svg xmlns='http://www.w3.org/2000/svg'/>"};
  const auto config =
      loaded("[oauth]\npage_accent = \"#7a1f5c\"\nlogo_file = \"" + logo.path() + "\"\nlogo_text = \"Acme\"\n");
  CHECK_EQ(config.oauth.look.light.accent.text(), "#7a1f5c");
  CHECK_EQ(config.oauth.look.logo->type, "image/svg+xml");
  CHECK_EQ(problems_of("[oauth]\nlogo_file = \"" + logo.path() + "\"\n").at(0),
           "F:2: oauth.logo_text is needed beside oauth.logo_file: not everybody sees the logo");
}

TEST_CASE("a logo or list that is a pipe is not opened by a server that runs, for nobody may ever write to it") {
  const File file{""};
  const std::string pipe = file.folder() + "/pipe";
  REQUIRE_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::ofstream{file.path()} << "[oauth]\nlogo_text = \"Acme\"\nlogo_file = \"" << pipe << "\"\nbreached_passwords = \""
                             << pipe << "\"\n";
  const auto again = load_config_again({.file = file.path()}, Config{});
  REQUIRE_FALSE(again.has_value());
  REQUIRE_EQ(again.error().size(), 2);
  CHECK_EQ(again.error()[0].text(),
           file.path() + ":3: oauth.logo_file names " + pipe + ", which is no file, but a pipe that has been read");
  CHECK_EQ(again.error()[1].where, file.path() + ":4");
}

TEST_CASE("a list of breached passwords is opened, and one that is none is refused with the line and the place") {
  const troupe::crypto::testing::BreachedList list{{"letmein123"}};
  const auto config = loaded("[oauth]\nbreached_passwords = \"" + list.path() + "\"\n");
  REQUIRE(config.passwords.breached != nullptr);
  CHECK(config.passwords.breached->has(troupe::crypto::Password{"letmein123"}));
  CHECK(loaded("").passwords.breached == nullptr);
  list.write("letmein123\n");
  const auto problem = problems_of("[oauth]\nbreached_passwords = \"" + list.path() + "\"\n").at(0);
  CHECK(problem.starts_with("F:2: oauth.breached_passwords names " + list.path() + ", which has at byte 0 no line"));
  CHECK(problems_of("[oauth]\nbreached_passwords = \"/nowhere\"\n").at(0).contains("cannot be read"));
}
