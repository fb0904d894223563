// Desk: an operator at the command line, on a data folder of their own.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "troupe/app/command/command_line.h"
#include "troupe/app/command/console.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/wire/json.h"

namespace troupe::app {

/// A data folder that lives as long as the value, and what the last command said.
class Desk {
 public:
  Exit run(std::vector<std::string> arguments, std::string input = {}) {
    console = MemoryConsole{std::move(input)};
    arguments.insert(arguments.end(), {"--data", data()});
    return run_command_line(arguments, console);
  }

  std::string data() const { return (folder_.path() / "data").string(); }

  /// Adds a client that acts for itself; gives its JSON.
  wire::Json add_machine() {
    REQUIRE(run({"client", "add", "--name", "Machine", "--grant", "client_credentials", "--scope", "read", "--json"}) ==
            Exit::success);
    return *wire::parse_json(console.said());
  }

  MemoryConsole console;

 private:
  base::TemporaryFolder folder_;
};

}  // namespace troupe::app
