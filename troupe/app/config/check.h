// What must hold between the values of a configuration, beyond each one's own range.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "troupe/app/config/load.h"

namespace troupe::app {

/// Where each key that was set was set.
using Places = std::map<std::string, std::string>;

/// Fills in what follows from other values: oauth.issuer from server.issuer or the address. Called again when
/// the port that was 0 is known.
void complete(Config& config);

/// Appends a Problem for everything that contradicts itself or could not work, at the place of a key that has to do
/// with it and was set. `places` is empty where they are not known any more.
void check(const Config& config, const Places& places, std::vector<Problem>& problems);

}  // namespace troupe::app
