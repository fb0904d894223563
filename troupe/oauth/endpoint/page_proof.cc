// See page_proof.h.
#include "troupe/oauth/endpoint/page_proof.h"

#include "troupe/crypto/digest.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {

CsrfToken page_proof(const SessionToken& cookie, const wire::Form& fields) {
  return CsrfToken{wire::to_base64url(crypto::hmac_sha256(cookie.expose(), wire::write_form(fields)).view())};
}

bool proves(const SessionToken& cookie, const wire::Form& fields, std::string_view shown) {
  return crypto::equal_in_constant_time(page_proof(cookie, fields).expose(), shown);
}

}  // namespace troupe::oauth
