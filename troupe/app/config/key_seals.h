// Which keys seal the server's own keys on the disk, by the configuration.
#pragma once

#include <expected>
#include <string>

#include "troupe/app/config/config.h"
#include "troupe/oauth/storage/key_seals.h"

namespace troupe::app {

/// What is wrong, and the configuration key it is about.
struct SealComplaint {
  std::string key, what;
};

/// The seals that `config` names; reads the files that it names. None is configured: keys stand in clear.
std::expected<oauth::KeySealsPtr, SealComplaint> key_seals_of(const Config& config);

}  // namespace troupe::app
