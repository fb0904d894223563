// A TOML file as a flat list of what it gives: names with dots, values, and lines.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "troupe/app/config/value.h"

namespace troupe::app {

struct TomlValue {
  std::string name;                       // "realtime.echo"
  std::expected<Given, Complaint> value;  // a complaint when no key could hold such a value
  int line = 0;
};

/// Where a text is not TOML.
struct TomlFault {
  std::string what;
  int line = 0;
};

/// All values of `text` by line. Tables become names with dots, those of an array with their number from 1.
std::expected<std::vector<TomlValue>, TomlFault> read_toml(const std::string& text);

}  // namespace troupe::app
