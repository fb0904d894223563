// Registration: what an application says about itself when it registers (RFC 7591), and what the server answers.
//
// Pure functions between JSON and the client's metadata. Members that nobody here knows are passed over, as the RFC
// wants it; those that are known must be of their type, and within what the policy allows.
#pragma once

#include <cstddef>
#include <expected>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/options.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {

/// As much as the record of a client that registers itself takes (`bytes_of`): room for twenty keys and for more URIs
/// than anybody needs, and little enough for as many clients as may register.
inline constexpr std::size_t registered_bytes_max = 16 * 1024;

/// The metadata of a document. `present`: those of the client that sends it, null for a new one: what an operator has
/// given it beyond the policy it may say again (RFC 7592, section 2.2), and as much. Errors: invalid_client_metadata,
/// invalid_redirect_uri, and invalid_software_statement, since none is trusted here; those of `fault_in` included.
std::expected<ClientMetadata, OauthError> read_registration(const wire::Json& document, const OauthOptions& options,
                                                            const ClientMetadata* present = nullptr);

/// The members of a client that is known, without secrets and without its id. For whoever writes clients as JSON.
void write_metadata(wire::JsonWriter& writer, const ClientMetadata& metadata);

}  // namespace troupe::oauth
