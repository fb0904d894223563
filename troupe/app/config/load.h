// Loading a configuration: defaults, then the file, then the environment, then flags; each
// later one wins. Everything that is wrong is told at once, with the place where it stands.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/app/config/config.h"

namespace troupe::app {

/// Something wrong, and where: "troupe.toml:3", "TROUPE_REALTIME_ECHO", "--listen", or "" for the whole.
struct Problem {
  std::string where;
  std::string what;

  std::string text() const { return where.empty() ? what : where + ": " + what; }
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// What a flag sets: the key's name ("": it names none, and the text is all of it), the text, and the flag as it was
/// written.
struct FlagValue {
  std::string key, text, flag;
};

struct Sources {
  std::optional<std::string> file;                               // none: no file is read
  std::vector<std::pair<std::string, std::string>> environment;  // all of it; other programs' variables are skipped
  std::vector<FlagValue> flags;
};

/// The configuration with its issuer filled in, or all that is wrong with it. Reads the file of `sources`.
std::expected<Config, std::vector<Problem>> load_config(const Sources& sources);

/// The same for a server that runs, of sources that were read before. A file that can be read only once is a problem.
/// The defaults are those of `running`, for a change of the mode that brings others waits for the next start; what must
/// hold in a mode is judged by the one that the sources want.
std::expected<Config, std::vector<Problem>> load_config_again(const Sources& sources, const Config& running);

/// The variables of this process.
std::vector<std::pair<std::string, std::string>> process_environment();

}  // namespace troupe::app
