// Answers of the administration: JSON that nobody may keep, and errors as problems (RFC 9457).
//
// Not the `error` of the OAuth endpoints, whose form is that protocol's: this is an HTTP API, and
// its errors are those of the other one here, of live delivery. `code` is the name for programs.
#pragma once

#include <string>
#include <string_view>

#include "troupe/actor/message.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/message.h"

namespace troupe::oauth::admin {

/// The error as an answer, explained by its own sentence or by `detail`.
web::Response problem_of(const OauthError& error, std::string_view detail = {});

web::Response answer(int status, std::string json);
web::Response no_content();
/// The reader has what this entity tag stands for.
web::Response not_changed(std::string etag);

/// The answer to an ask that has failed: the actor's own, or that nobody can tell now.
web::Response problem_of_failure(const actor::Failure<OauthError>& failure);

}  // namespace troupe::oauth::admin
