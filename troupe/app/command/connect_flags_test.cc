// What clients of a server are told on the command line, and what must not stand there.
#include "troupe/app/command/connect_flags.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "troupe/app/command/command.h"
#include "troupe/base/testing/temporary_folder.h"

using namespace troupe::app;

namespace {

/// A file that lives as long as the value.
struct File {
  explicit File(const std::string& text) { std::ofstream{path + "/token"} << text; }
  troupe::base::TemporaryFolder folder;
  std::string path = folder.path();
};

}  // namespace

TEST_CASE("a token comes from a file, standard input or the variable, and may be one of several") {
  MemoryConsole console{"from.stdin\nnext line\n"};
  const File file{"first\n\n second \r\n"};
  const auto of_file = read_tokens({.token_file = file.path + "/token"}, console);
  REQUIRE_EQ(of_file.size(), 2);
  CHECK_EQ(of_file[0].expose(), "first");
  CHECK_EQ(of_file[1].expose(), "second");
  CHECK_EQ(read_tokens({.token_file = "-"}, console).front().expose(), "from.stdin");
  ::setenv("TROUPE_TOKEN", "of.variable", 1);
  CHECK_EQ(read_tokens({}, console).front().expose(), "of.variable");
  ::unsetenv("TROUPE_TOKEN");
  CHECK(read_tokens({}, console).front().expose().empty());
}

TEST_CASE("what can be no token is refused without being shown") {
  MemoryConsole console{"\n"};
  const File file{"secret\"token\n"};
  const File empty{"\n"};
  CHECK_THROWS_WITH_AS(read_tokens({.token_file = "/nowhere"}, console), doctest::Contains("/nowhere"), CommandFailed);
  CHECK_THROWS_WITH_AS(read_tokens({.token_file = empty.path + "/token"}, console), doctest::Contains("no token"),
                       CommandFailed);
  CHECK_THROWS_WITH_AS(read_tokens({.token_file = "-"}, console), doctest::Contains("no token"), CommandFailed);
  try {
    (void)read_tokens({.token_file = file.path + "/token"}, console);
    FAIL("it was taken");
  } catch (const CommandFailed& failure) {
    CHECK_FALSE(std::string{failure.what()}.contains("secret"));
  }
}

TEST_CASE("the token file is read again, and gives a token where it has another one") {
  using troupe::realtime::AccessToken;
  const File file{"first\n"};
  const std::string path = file.path + "/token";
  const auto renewed = token_renewal({.token_file = path});
  CHECK_FALSE(renewed(AccessToken{"first"}).has_value());
  CHECK_EQ(renewed(AccessToken{"before"})->expose(), "first");
  std::ofstream{path} << "\n second \nthird\n";
  CHECK_EQ(renewed(AccessToken{"first"})->expose(), "second");
  for (const char* unfinished : {"", "\n", "not\"a token\n"}) {
    std::ofstream{path} << unfinished;
    CHECK_FALSE(renewed(AccessToken{"first"}).has_value());
  }
  std::filesystem::remove(path);
  CHECK_FALSE(renewed(AccessToken{"first"}).has_value());
  REQUIRE_EQ(::mkfifo(path.c_str(), 0600), 0);  // nobody writes there: to open it would take for ever
  CHECK_FALSE(renewed(AccessToken{"first"}).has_value());
  CHECK_FALSE(token_renewal({}));
  CHECK_FALSE(token_renewal({.token_file = "-"}));
}

TEST_CASE("commands that stay say what becomes of them when their token expires") {
  for (const char* command : {"watch", "subscribe"}) {
    MemoryConsole console;
    CHECK(run_command_line({command, "--help"}, console) == Exit::success);
    CHECK(console.said().contains("--token-file is read again"));
    CHECK(console.said().contains("TROUPE_TOKEN ends it when it expires"));
  }
}

TEST_CASE("the help names each policy for slow readers that a subscription may choose") {
  for (const char* command : {"watch", "subscribe"}) {
    MemoryConsole console;
    CHECK(run_command_line({command, "--help"}, console) == Exit::success);
    for (const char* policy : {"drop_oldest", "drop_newest", "latest", "disconnect", "spill"})
      CHECK(console.said().contains(policy));
  }
}

TEST_CASE("a token that would cross a network in the clear is told of") {
  const File file{"token\n"};
  const ConnectFlags flags{.connector = {.server = "ws://192.0.2.1"}, .token_file = file.path + "/token"};
  MemoryConsole console;
  CHECK_EQ(read_token(flags, make_connector(flags), console).expose(), "token");
  CHECK(console.complained().contains("unencrypted"));
  const ConnectFlags here{.connector = {.server = "ws://127.0.0.1"}, .token_file = file.path + "/token"};
  MemoryConsole quiet;
  (void)read_token(here, make_connector(here), quiet);
  CHECK(quiet.complained().empty());
  CHECK_THROWS_AS(make_connector({.connector = {.server = "nonsense://"}}), CommandFailed);
}

TEST_CASE("commands that are clients say in a sentence what they cannot do") {
  struct Row {
    std::vector<std::string> arguments;
    std::string_view told;
    Exit exit;
  };
  const Row rows[] = {
      {{"publish"}, "TOPIC", Exit::usage},
      {{"subscribe"}, "TOPIC", Exit::usage},
      {{"publish", "t", "1", "--token", "secret"}, "--token", Exit::usage},
      {{"publish", "t", "1", "--lines"}, "--lines", Exit::usage},
      {{"publish", "t", "--token-file", "-"}, "both", Exit::usage},
      {{"publish", "t", "1", "--server", "ftp://x"}, "ws://", Exit::usage},
      {{"publish", "t", "hello"}, "--text", Exit::failure},
      {{"subscribe", "t", "--count", "0"}, "--count: Value 0 not in range 1 to 1000000000000", Exit::usage},
      {{"publish", "t", "1", "--server", "ws://127.0.0.1:1"}, "not acknowledged", Exit::failure},
      {{"subscribe", "t", "--server", "ws://127.0.0.1:1"}, "nobody answers at 127.0.0.1:1", Exit::failure},
      {{"subscribe", "t", "--server", "ws://127.0.0.1:1", "--record", "/nowhere/x"}, "/nowhere/x", Exit::failure},
      {{"load", "--server", "ws://192.0.2.1"}, "--yes-load-this-host", Exit::usage},
      {{"load", "--connections", "0"}, "--connections", Exit::usage},
      {{"load", "--connections", "5"}, "--subscribers-per-topic", Exit::usage},
      {{"load", "--payload", "10"}, "--payload: Value 10 not in range 37 to 1000000", Exit::usage},
      {{"load", "--for", "5"}, "--for", Exit::usage},
      {{"load", "--connections", "2", "--subscribers-per-topic", "1", "--for", "100ms", "--server", "ws://127.0.0.1:1",
        "--rate", "1"},
       "failed",
       Exit::failure},
  };
  for (const auto& row : rows) {
    MemoryConsole console;
    CHECK(run_command_line(row.arguments, console) == row.exit);
    const auto all = console.said() + console.complained();
    CHECK_MESSAGE(all.contains(row.told), all);
  }
}
