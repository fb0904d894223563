// See connect_flags.h. What may be a token is RFC 6750's to say.
#include "troupe/app/command/connect_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "troupe/app/command/command.h"
#include "troupe/crypto/digest.h"
#include "troupe/wire/ascii.h"

namespace troupe::app {
namespace {

/// RFC 6750, 2.1.
bool is_token_text(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return wire::is_alphanumeric(c) || std::string_view{"-._~+/="}.contains(c); });
}

/// A line becomes a token, unless there is nothing in it.
void take(std::vector<realtime::AccessToken>& tokens, std::string_view line, const std::string& where) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  line = wire::trim(line);
  if (line.empty()) return;
  if (!is_token_text(line)) throw CommandFailed{fmt::format("what stands in {} can be no token", where)};
  tokens.emplace_back(std::string{line});
}

void take_lines(std::vector<realtime::AccessToken>& tokens, std::istream& file, const std::string& path) {
  for (std::string line; std::getline(file, line);) take(tokens, line, path);
}

}  // namespace

void add_connect_flags(CLI::App& command, ConnectFlags& flags) {
  command
      .add_option("--server", flags.connector.server, "The server: ws://, wss://, http:// or https://, or HOST:PORT")
      ->envname("TROUPE_URL")
      ->type_name("URL")
      ->capture_default_str();
  command
      .add_option("--token-file", flags.token_file,
                  "File with the access token, - for standard input; or the variable TROUPE_TOKEN")
      ->type_name("FILE");
  command
      .add_option("--ca-file", flags.connector.ca_file,
                  "PEM file of the certificates to trust, instead of the system's")
      ->type_name("FILE");
}

Connector make_connector(const ConnectFlags& flags) {
  auto connector = Connector::make(flags.connector);
  if (!connector) throw WrongUsage{connector.error()};
  return *std::move(connector);
}

std::vector<realtime::AccessToken> read_tokens(const ConnectFlags& flags, Console& console) {
  std::vector<realtime::AccessToken> tokens;
  if (flags.token_file == "-") {
    if (auto line = console.read_line()) take(tokens, *line, "the first line of standard input");
  } else if (!flags.token_file.empty()) {
    std::ifstream file{flags.token_file};
    if (!file) throw CommandFailed{fmt::format("the token file {} cannot be read", flags.token_file)};
    take_lines(tokens, file, flags.token_file);
  } else if (const char* variable = std::getenv("TROUPE_TOKEN"); variable != nullptr) {
    take(tokens, variable, "TROUPE_TOKEN");
  }
  if (tokens.empty() && !flags.token_file.empty())
    throw CommandFailed{
        fmt::format("there is no token in {}", flags.token_file == "-" ? "standard input" : flags.token_file)};
  if (tokens.empty()) tokens.emplace_back();
  return tokens;
}

realtime::AccessToken read_token(const ConnectFlags& flags, const Connector& connector, Console& console) {
  auto token = std::move(read_tokens(flags, console).front());
  if (!token.expose().empty() && !connector.address().secure && !connector.is_loopback())
    console.err("troupe: the token crosses the network unencrypted; wss:// would protect it\n");
  return token;
}

realtime::RenewToken token_renewal(const ConnectFlags& flags) {
  if (flags.token_file.empty() || flags.token_file == "-") return nullptr;
  return [path = flags.token_file](const realtime::AccessToken& last) -> std::optional<realtime::AccessToken> {
    std::error_code none;
    if (!std::filesystem::is_regular_file(path, none)) return std::nullopt;  // a pipe would be waited for
    std::ifstream file{path};
    std::vector<realtime::AccessToken> tokens;
    try {
      take_lines(tokens, file, path);
    } catch (const CommandFailed&) {
      return std::nullopt;  // somebody is writing it
    }
    if (tokens.empty() || crypto::equal_in_constant_time(tokens.front().expose(), last.expose())) return std::nullopt;
    return std::move(tokens.front());
  };
}

}  // namespace troupe::app
