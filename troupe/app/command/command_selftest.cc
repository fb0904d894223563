// `troupe selftest --attack URL`: the threat tests, against our own server or another one.
#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>

#include "troupe/app/command/attack_target.h"
#include "troupe/app/command/command.h"
#include "troupe/app/platform/capacity.h"
#include "troupe/attack/http/curl_transport.h"
#include "troupe/attack/report.h"
#include "troupe/attack/row.h"

namespace troupe::app {
namespace {

constexpr const char* notes =
    "Examples:\n"
    "  troupe selftest --attack http://127.0.0.1:8080\n"
    "  troupe selftest --attack https://auth.example.org --target target.toml --yes-attack-this-host --only T12,T13\n"
    "Sends hostile requests by the thousand: forged, malformed, too large, all at once, passwords that are guessed.\n"
    "Only against servers that are yours. It changes no account and no client, but leaves behind sign-ins, consents,\n"
    "spent codes and, where registration is open and cannot be undone, clients; and sign-in may be slow for a while.\n"
    "What it may use is in the file of --target (TOML); rows that need what is missing there do not apply:\n"
    "  code_lifetime = \"1s\"   # of a server that is configured so, and refresh_grace = \"0s\"\n"
    "  disabled_client = ID, registration_token = TOKEN, admin_url = URL\n"
    "  [client]              # confidential, with codes and refresh tokens; and so [other_client]\n"
    "  id, secret, redirect_uri, scope, sends (\"basic\" or \"post\"), another_redirect_uri\n"
    "  [public_client]       # without a secret; [machine] has client_credentials; [resource_server] may introspect\n"
    "  [user]                # name, password: signs in by the server's own form; [victim] is guessed at\n"
    "The rows are those of docs/protocol/oauth_threats.md.\n"
    "Exit status: 0 no row failed; 1 one did, or nothing could be tested; 2 the command line is wrong.";

struct SelftestFlags {
  std::string url, target_file, ca_file;
  std::vector<std::string> only;
  bool json = false;
  bool yes = false;
};

attack::TargetOptions read_target(const SelftestFlags& flags) {
  attack::TargetOptions options;
  if (!flags.target_file.empty()) {
    std::ifstream file{flags.target_file};
    if (!file) throw CommandFailed{fmt::format("the file {} cannot be read", flags.target_file)};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    auto read = read_attack_target(text);
    if (!read) throw CommandFailed{fmt::format("{}: {}", flags.target_file, read.error())};
    options = *std::move(read);
  }
  options.url = flags.url;
  return options;
}

std::vector<attack::Row> chosen_rows(const std::vector<std::string>& only) {
  auto rows = attack::all_rows();
  for (const std::string& id : only) {
    if (std::ranges::find(rows, id, &attack::Row::id) == rows.end())
      throw WrongUsage{fmt::format("--only {}: there is no such row", id)};
  }
  if (!only.empty())
    std::erase_if(rows, [&only](const attack::Row& row) { return std::ranges::find(only, row.id) == only.end(); });
  return rows;
}

Exit run_selftest(const SelftestFlags& flags, Console& console) {
  const auto rows = chosen_rows(flags.only);
  auto options = read_target(flags);
  if (!is_own_machine(flags.url) && !flags.yes)
    throw WrongUsage{fmt::format("{} is not this machine: --yes-attack-this-host if it is yours", flags.url)};
  (void)claim_machine();
  const auto transport = attack::curl_transport({.ca_file = flags.ca_file});
  const auto target = attack::find_target(*transport, std::move(options));
  if (!target) throw CommandFailed{target.error()};

  std::vector<attack::Verdict> verdicts;
  for (const attack::Row& row : rows) {
    verdicts.push_back(attack::judge(row, *target, *transport));
    const std::string line = attack::text_of(verdicts.back());
    flags.json ? console.err(line) : console.out(line);
  }
  if (flags.json) console.out(attack::json_of(target->issuer, verdicts) + "\n");
  console.err(attack::summary_of(verdicts) + "\n");
  return attack::has_failed(verdicts) ? Exit::failure : Exit::success;
}

}  // namespace

void add_selftest_command(CLI::App& root, Invocation& invocation) {
  auto* command =
      root.add_subcommand("selftest", "Attack an OAuth 2 / OpenID Connect server that is yours, and see what it does");
  auto flags = std::make_shared<SelftestFlags>();
  command->add_option("--attack", flags->url, "The issuer: where its discovery document stands")
      ->type_name("URL")
      ->required();
  command->add_option("--target", flags->target_file, "What may be used: clients, a user (TOML, see below)")
      ->type_name("FILE");
  command->add_option("--only", flags->only, "Rows to run: T13,T14")->delimiter(',')->type_name("ROWS");
  command->add_option("--ca-file", flags->ca_file, "PEM file of the certificates to trust, instead of the system's")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "Print the verdicts as JSON; progress goes to stderr");
  command->add_flag("--yes-attack-this-host", flags->yes, "The server may be another machine than this one");
  command->footer(notes);
  command->callback([&invocation, flags] {
    invocation.chosen = [&invocation, flags] { return run_selftest(*flags, invocation.console); };
  });
}

}  // namespace troupe::app
