// The form of a POST, read once and strictly (RFC 6749, section 3.2 and appendix B).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/message.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// The parameters in the body. One without a value is left out, since both mean the same; what stands in the query of
/// the URL is not taken. Errors: invalid_request for another content type, a malformed form, a parameter that comes
/// twice (`resource` may in the body, RFC 8707), be it once in the query; the same with status 413 for a form that is
/// too large.
std::expected<wire::Form, OauthError> read_form(const web::Request& request);

/// The same with doubles and empty values as they stand, for whoever judges them itself.
std::expected<wire::Form, OauthError> read_whole_form(const web::Request& request);

/// What comes of this request, for the audit trail.
Cause cause_of(const web::Request& request);

/// Whether the body says that it is a form.
bool is_form(const web::Request& request);

/// Whether the body says that it is JSON.
bool is_json(const web::Request& request);

/// The value, or "" when the parameter is absent.
std::string parameter(const wire::Form& form, std::string_view name);

/// The values of `resource`, which may come more than once (RFC 8707).
std::vector<std::string> resources_in(const wire::Form& form);

}  // namespace troupe::oauth
