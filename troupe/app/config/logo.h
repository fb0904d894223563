// The logo of the pages, read from the file that the configuration names.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "troupe/app/config/value.h"
#include "troupe/oauth/model/look.h"

namespace troupe::app {

/// The image of that file; null where none is named. Complains of what cannot be read, is too large, or is no image.
std::expected<std::shared_ptr<const oauth::Logo>, Complaint> read_logo(const std::string& path);

}  // namespace troupe::app
