// Proofs that a form or link was made by a page of ours for one session: a signature over what
// it says, under the session's cookie, which no other site can read.
//
// It ends with the session, and with each change of its cookie. Pages of a sign-in have tokens
// of their own, which are good once (session_actor.h).
#pragma once

#include "troupe/oauth/model/ids.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// The proof of these fields. The first of them names the page, so that none is good for another.
CsrfToken page_proof(const SessionToken& cookie, const wire::Form& fields);

/// Whether `shown` is that proof.
bool proves(const SessionToken& cookie, const wire::Form& fields, std::string_view shown);

}  // namespace troupe::oauth
