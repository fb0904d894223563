// What development mode puts into an empty database: a user to sign in as, and the client of
// the demo page. What is there already stays as it is.
#pragma once

#include <string>

#include "troupe/app/config/config.h"
#include "troupe/app/demo/demo.h"

namespace troupe::app {

inline constexpr const char* demo_user = "demo";
inline constexpr const char* demo_password = "demo-demo";  // known to everybody: development listens on loopback alone

/// Makes sure of both; gives the client. Throws store::Error.
DemoClient prepare_demo(const Config& config);

/// What to do next, for the person who started the server.
std::string demo_instructions(const Config& config);

}  // namespace troupe::app
