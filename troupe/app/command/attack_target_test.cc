// The file of `troupe selftest --target`: what it may say, and what is refused.
#include "troupe/app/command/attack_target.h"

#include <doctest/doctest.h>

#include "troupe/app/command/command_line.h"

using namespace troupe;
using namespace troupe::app;

TEST_CASE("a target file gives clients, people and times") {
  const auto target = read_attack_target(R"(
code_lifetime = "1s"
refresh_grace = "0s"
disabled_client = "gone"
[client]
id = "shop"
secret = "s"
redirect_uri = "https://client.example/callback"
another_redirect_uri = "https://client.example/2"
scope = "openid"
sends = "post"
[public_client]
id = "phone"
[user]
name = "alice"
password = "p"
)");
  REQUIRE(target);
  CHECK_EQ(target->client.id, "shop");
  CHECK_EQ(target->client.secret.expose(), "s");
  CHECK(target->client.sends == attack::KnownClient::Sends::post);
  CHECK(target->public_client.is_public());
  CHECK_FALSE(target->machine.is_given());
  CHECK(target->code_lifetime == std::chrono::seconds{1});
  CHECK_EQ(target->user.name, "alice");
}

TEST_CASE("a target file that says something else is refused with its line") {
  for (const char* wrong :
       {"unknown = \"x\"", "[client]\nmember = \"x\"", "[client]\nsends = \"pigeon\"", "[client]\nid = 1",
        "code_lifetime = \"soon\"", "[client", "[user]\nid = \"x\"", "client = \"x\""}) {
    CAPTURE(wrong);
    const auto target = read_attack_target(wrong);
    REQUIRE_FALSE(target);
    CHECK(target.error().starts_with("line "));
  }
}

TEST_CASE("selftest refuses what it cannot attack") {
  struct {
    std::vector<std::string> arguments;
    Exit exit;
    std::string said;
  } rows[] = {
      {{"selftest"}, Exit::usage, "--attack"},
      {{"selftest", "--attack", "https://auth.example.org"}, Exit::usage, "--yes-attack-this-host"},
      {{"selftest", "--attack", "https://localhost.example.org"}, Exit::usage, "--yes-attack-this-host"},
      {{"selftest", "--attack", "http://127.0.0.1.example.org"}, Exit::usage, "--yes-attack-this-host"},
      {{"selftest", "--attack", "http://localhost@example.org"}, Exit::usage, "--yes-attack-this-host"},
      {{"selftest", "--attack", "http://[::1]:1"}, Exit::failure, "is no discovery document"},
      {{"selftest", "--attack", "http://127.0.0.1:1", "--only", "T999"}, Exit::usage, "no such row"},
      {{"selftest", "--attack", "http://127.0.0.1:1", "--target", "/nowhere"}, Exit::failure, "cannot be read"},
      {{"selftest", "--attack", "http://127.0.0.1:1"}, Exit::failure, "is no discovery document"},
  };
  for (const auto& row : rows) {
    MemoryConsole console;
    CHECK(run_command_line(row.arguments, console) == row.exit);
    CHECK(console.complained().contains(row.said));
  }
}
