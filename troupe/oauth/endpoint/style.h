// The stylesheet of the pages, made of the look that the operator chose.
#pragma once

#include <string>

#include "troupe/oauth/model/look.h"

namespace troupe::oauth {

/// Our rules with these colours, and the logo, where there is one. Nothing in it can leave its place.
std::string stylesheet(const Look& look);

}  // namespace troupe::oauth
