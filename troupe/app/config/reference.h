// The reference of the configuration as Markdown: docs/configuration.md is this text.
#pragma once

#include <string>

namespace troupe::app {

/// One table for each section, with every key, its form, default, variable and meaning.
std::string config_reference();

}  // namespace troupe::app
