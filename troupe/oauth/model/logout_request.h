// LogoutRequest: what a client asks for that sends a browser here to sign out (OpenID Connect
// RP-Initiated Logout 1.0), and what of it can be believed.
//
// Any page can send a browser here. What does not fit together proves nothing: it is left out,
// the user is asked, and no way leads back.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/key_set.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// The parameters as they came; each is "" when it did not come. `logout_hint` may come too.
struct LogoutRequest {
  std::string id_token_hint;
  std::string client_id;
  std::string post_logout_redirect_uri;
  std::string state;
  std::string ui_locales;
};

/// Reads the parameters. Errors: invalid_request for one that comes twice, a state longer than 2048 bytes, a
/// `logout_hint` or `ui_locales` longer than 256.
std::expected<LogoutRequest, OauthError> read_logout_request(const wire::Form& parameters);

/// The same parameters, those that are there, to send them once more.
wire::Form parameters_of(const LogoutRequest& request);

/// What a genuine ID token of ours says. It may have expired: who signs out has often been away for long.
struct LogoutHint {
  ClientId client;
  SessionId session;
};

/// Reads an ID token that one of the keys has signed for this issuer; nothing for anything else.
std::optional<LogoutHint> read_logout_hint(const std::string& id_token, const KeySet& keys, const std::string& issuer);

/// Who sent the browser here, as far as it fits together. With a hint it is proven, without one it is only said.
struct LogoutParty {
  std::optional<ClientId> client;
  std::optional<SessionId> session;  // of the hint: this very session may be ended without a question
};

/// `hint` is what was read of the request's ID token. A hint that is not genuine, and a `client_id` that is not the
/// hint's, leave nothing.
LogoutParty logout_party(const LogoutRequest& request, const std::optional<LogoutHint>& hint);

/// The address that the browser may be sent to, with `state`: one that `client` has registered, byte for byte. Nothing
/// without such an address, and for a client that is unknown (null) or disabled.
std::optional<std::string> way_back(const LogoutRequest& request, const ClientPtr& client);

}  // namespace troupe::oauth
