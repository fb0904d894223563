// The OpenAPI 3.1 document of every route of the executable: openapi.json beside this file.
//
// Written by hand, and held against the routers of a running server by a test, both ways. It
// tells nothing that these pages do not, so everybody may read it.
#pragma once

#include <string_view>

#include "troupe/web/router.h"

namespace troupe::app {

/// The document as JSON text.
std::string_view openapi_document() noexcept;

/// Adds GET /openapi.json to the router of one core.
void add_openapi(web::Router& router);

}  // namespace troupe::app
