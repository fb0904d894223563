// The discovery document (RFC 8414; OpenID Connect Discovery, section 3): what this server
// can do, and nothing that it cannot.
#pragma once

#include <string>
#include <string_view>

#include "troupe/oauth/model/options.h"

namespace troupe::oauth {

/// The URL of a path at the issuer's origin.
std::string url_of(const OauthOptions& options, std::string_view path);

/// The document as JSON text. It follows from the options alone: no request can change a word of it (T74).
std::string discovery_document(const OauthOptions& options);

/// The entity tag of a document, with its quotes.
std::string etag_of(std::string_view document);

}  // namespace troupe::oauth
