// Answers: the one place where values of the catalogue become HTTP.
//
// Whatever is in an answer of these was meant for one reader at one moment: nothing may be
// cached (RFC 6749, section 5.1).
#pragma once

#include <optional>
#include <string>

#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/message.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// Marks a response as one that nobody may keep.
web::Response never_cached(web::Response response);

/// JSON text, never cached.
web::Response answer_json(std::string json);

/// An error of a token-type endpoint, as RFC 6749, section 5.2 wants it.
web::Response refuse(const OauthError& error);

/// An error of a resource (RFC 6750, section 3). Without an error the caller showed no token at all and is told
/// nothing but the scheme. `scope` is what would have been enough, "" if that is no question.
web::Response refuse_bearer(std::optional<OauthError> error, std::string_view scope = "");

/// Takes the browser to the client's redirect URI with these parameters and `iss` (RFC 9207): by a 303 with them in the
/// query, or by a page whose form it posts there.
web::Response redirect_back(const std::string& redirect_uri, ResponseWay way, wire::Form parameters,
                            const std::string& issuer);

/// The refusal as the client gets it at its redirect URI. It must not be one that stays here.
web::Response redirect_back(const AuthRefusal& refusal, const std::string& issuer);

}  // namespace troupe::oauth
