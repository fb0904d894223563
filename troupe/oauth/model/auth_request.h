// AuthRequest: an authorization request that has passed every check (RFC 6749, section 4.1.1;
// OpenID Connect Core, section 3.1.2.1), and AuthRefusal for one that has not.
//
// The order of the checks decides who may see the error: until client and redirect URI are
// known to belong together nothing is sent to the URI, because it may be an attacker's.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/language.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// What the client wants of the user's attention.
enum class Prompt : std::uint8_t {
  as_needed,
  none,     // no page at all; an error instead
  login,    // sign in again, session or not
  consent,  // ask for consent again
  login_and_consent,
};

/// How the answer comes to the client: in the query of its address, or as a form that the browser posts there (OAuth
/// 2.0 Form Post Response Mode), which leaves no code in histories and logs.
enum class ResponseMode : std::uint8_t { query, form_post };

/// The mode, and the language that the page of form_post speaks.
struct ResponseWay {
  ResponseMode mode = ResponseMode::query;
  Language language = Language::english;
};

struct AuthRequest {
  ClientPtr client;
  std::string redirect_uri;           // where the answer goes
  bool redirect_uri_was_sent = true;  // then the token request must repeat it (RFC 6749, section 4.1.3)
  ResponseWay way;
  std::string state;
  ScopeSet scope;
  std::vector<std::string> audience;
  std::string nonce;
  std::string code_challenge;  // "" only where the client may do without PKCE
  Prompt prompt = Prompt::as_needed;
  std::optional<std::chrono::seconds> max_age;
  std::string login_hint;
  std::optional<UserId> subject;  // nobody else may be who signs in (Core, sections 3.1.2.1 and 5.5.1)
  std::string id_token_claims{};  // of the user, that the ID token is to have; "" for none (claims_request.h)
};

struct AuthRefusal {
  OauthError error;
  std::string redirect_uri;  // "": tell the user on a page of ours, and nobody else
  std::string state{};
  ResponseWay way{};

  bool stays_here() const noexcept { return redirect_uri.empty(); }
};

/// About how many bytes it takes: those of its texts and lists. Its client belongs to the Client Actor.
std::size_t bytes_of(const AuthRequest& request) noexcept;

/// The error as an answer to the request's client.
AuthRefusal refusal_of(const AuthRequest& request, const OauthError& error);

/// Why nothing goes to that redirect URI, or nothing: `client`, as it is now, is none or disabled, or has not
/// registered it. An unknown client and an unknown URI are one error, so that nobody can list our clients.
std::optional<OauthError> fault_in_address(const std::optional<Client>& client, const std::string& redirect_uri);

/// Why a request that was judged when its flow began is not granted any more, or nothing: `client` is its client as it
/// is now, which may have been changed, disabled or removed since, and `scope` what its user has agreed to.
std::optional<AuthRefusal> fault_since(const AuthRequest& request, const ScopeSet& scope,
                                       const std::optional<Client>& client);

/// Who may accept the tokens of a request that names these resources (RFC 8707): those, or the issuer when it names
/// none. Errors: invalid_target for one that the operator has not listed.
std::expected<std::vector<std::string>, OauthError> audience_of(std::span<const std::string> resources,
                                                                const OauthOptions& options);

/// Checks the parameters of an authorization request; `client` is the one that `client_id` names, null when
/// there is none. Empty parameters count as absent and unknown ones are ignored (RFC 6749, section 3.1).
std::expected<AuthRequest, AuthRefusal> check_auth_request(const wire::Form& parameters, ClientPtr client,
                                                           const OauthOptions& options);

}  // namespace troupe::oauth
