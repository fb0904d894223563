// Client Actor: owns the registrations of clients, and the hashes of their secrets.
//
// A wrong secret and a client that does not exist get the same answer in the same time.
// Secrets are shown once, when they are made; only their hashes are kept. At most two are
// good at a time, so that one can be replaced while the other is in use.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"

namespace troupe::oauth {

/// What a client is told when it is registered.
struct ClientCredentials {
  ClientPtr client;
  std::optional<ClientSecret> secret;  // nothing for a public client
};

/// Registers a new client. Errors: those of `fault_in`.
struct RegisterClient {
  ClientMetadata metadata;
  using reply = ClientCredentials;
  using error = OauthError;
};

/// The client of that id, null when there is none or it was deleted. A disabled one is found.
struct GetClient {
  ClientId id;
  using reply = ClientPtr;
};

/// All clients that are not deleted, by id.
struct ListClients {
  using reply = std::vector<ClientPtr>;
};

/// Who is asking? Checks what a request presented: the id, how it came, and the secret ("" for `none`).
/// Errors: invalid_client, without telling whether the client is unknown, disabled, or the secret wrong.
struct ValidateClient {
  ClientId id;
  ClientAuthMethod presented = ClientAuthMethod::none;  // none, client_secret_basic or client_secret_post
  ClientSecret secret;
  using reply = ClientPtr;
  using error = OauthError;
};

/// Replaces the metadata of a client, enables or disables it. Errors: invalid_client for an unknown one, and
/// those of `fault_in`.
struct UpdateClient {
  ClientId id;
  ClientMetadata metadata;
  ClientState state = ClientState::enabled;
  using reply = ClientPtr;
  using error = OauthError;
};

/// A client is gone, and every token of it: tokens of a client that is not known are not active.
struct ClientDeleted {};

/// Errors: invalid_client for an unknown one.
struct DeleteClient {
  ClientId id;
  using reply = ClientDeleted;
  using error = OauthError;
};

class ClientActor;

}  // namespace troupe::oauth
