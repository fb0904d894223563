// The catalogue of everything the authorization server may answer instead of what was asked:
// one value an error code, with its status and a sentence for developers.
//
// Errors travel as these values; endpoint/answer.h alone makes HTTP of them. Two are equal
// when their codes are: the sentence explains and decides nothing. Sentences keep to the
// characters that RFC 6749, section 5.2 allows: ASCII without quotes and backslashes.
#pragma once

#include <chrono>
#include <string_view>

namespace troupe::oauth {

struct OauthError {
  std::string_view code;
  int status = 400;              // where it is JSON; on a redirect only the code counts
  std::string_view description;  // literals only
  std::chrono::seconds retry_after{0};

  /// The same error, explained by a literal that fits the case better.
  constexpr OauthError because(std::string_view why) const {
    OauthError error = *this;
    error.description = why;
    return error;
  }
  constexpr OauthError after(std::chrono::seconds wait) const {
    OauthError error = *this;
    error.retry_after = wait;
    return error;
  }

  friend constexpr bool operator==(const OauthError& a, const OauthError& b) { return a.code == b.code; }
};

namespace errors {

// RFC 6749, sections 4.1.2.1 and 5.2.
inline constexpr OauthError invalid_request{"invalid_request", 400, "The request is malformed."};
inline constexpr OauthError too_large{"invalid_request", 413, "The body is too large."};
inline constexpr OauthError invalid_client{"invalid_client", 401, "Client authentication failed."};
inline constexpr OauthError invalid_grant{"invalid_grant", 400, "The grant is invalid, expired, revoked or used."};
inline constexpr OauthError unauthorized_client{"unauthorized_client", 400, "The client may not use this grant."};
inline constexpr OauthError unsupported_grant_type{"unsupported_grant_type", 400, "The grant type is not supported."};
inline constexpr OauthError invalid_scope{"invalid_scope", 400, "The scope is malformed or exceeds what is allowed."};
inline constexpr OauthError access_denied{"access_denied", 403, "The request was denied."};
inline constexpr OauthError unsupported_response_type{"unsupported_response_type", 400,
                                                      "Only the response type code is supported."};
inline constexpr OauthError server_error{"server_error", 500, "An unexpected condition prevented the answer."};
inline constexpr OauthError temporarily_unavailable{
    "temporarily_unavailable", 503, "The server cannot answer now; try again later.", std::chrono::seconds{2}};
inline constexpr OauthError too_many_requests{"temporarily_unavailable", 429, "Too many requests; try again later.",
                                              std::chrono::seconds{1}};

// RFC 8707, section 2.
inline constexpr OauthError invalid_target{"invalid_target", 400, "The resource is malformed or unknown."};

// OpenID Connect Core, section 3.1.2.6.
inline constexpr OauthError interaction_required{"interaction_required", 400, "The user must interact."};
inline constexpr OauthError login_required{"login_required", 400, "The user must sign in."};
inline constexpr OauthError consent_required{"consent_required", 400, "The user must consent."};
inline constexpr OauthError unmet_authentication_requirements{"unmet_authentication_requirements", 400,
                                                              "Nobody can sign in here in a way that is as strong."};
inline constexpr OauthError request_not_supported{"request_not_supported", 400, "Request objects are not supported."};
inline constexpr OauthError request_uri_not_supported{"request_uri_not_supported", 400,
                                                      "Request URIs are not supported."};
inline constexpr OauthError registration_not_supported{"registration_not_supported", 400,
                                                       "The registration parameter is not supported."};

// RFC 7591, section 3.2.2.
inline constexpr OauthError invalid_redirect_uri{
    "invalid_redirect_uri", 400,
    "A redirect URI is https, http on a loopback address, or a private scheme with a dot in its name; absolute, "
    "without fragment and user name, and of up to 2048 bytes."};
inline constexpr OauthError invalid_client_metadata{"invalid_client_metadata", 400, "The metadata is not allowed."};
inline constexpr OauthError invalid_software_statement{"invalid_software_statement", 400,
                                                       "No software statement is trusted here."};

// RFC 6750, section 3.1.
inline constexpr OauthError invalid_token{"invalid_token", 401, "The access token is invalid, expired or revoked."};
inline constexpr OauthError insufficient_scope{"insufficient_scope", 403, "The access token lacks a scope."};

// Administration, where errors are told as problems (RFC 9457).
inline constexpr OauthError not_found{"not_found", 404, "There is nothing of this id."};
inline constexpr OauthError already_there{"already_there", 409, "There is one of this name already."};
inline constexpr OauthError breached_password{"breached_password", 400, "The password has become known to others."};
inline constexpr OauthError changed_meanwhile{"changed_meanwhile", 412, "It has changed since it was read."};
inline constexpr OauthError condition_missing{"condition_missing", 428,
                                              "Say by If-Match which version the change is of."};

}  // namespace errors
}  // namespace troupe::oauth
