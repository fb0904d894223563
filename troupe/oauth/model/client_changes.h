// What the audit trail says of a client that is made or changed: not only that it was, but what.
#pragma once

#include <string>
#include <string_view>

#include "troupe/oauth/model/client.h"

namespace troupe::oauth {

/// The members that are not the same, by their names in the client's JSON document: "redirect_uris, scope". First what
/// is grave, which has a word of its own that says where it went: "disabled", "enabled", "pkce_optional". "" where all
/// are the same. A few hundred bytes at most, and never a value.
std::string changes_between(const Client& before, const Client& after);

/// Whether all members are the same.
bool is_same(const ClientMetadata& before, const ClientMetadata& after);

/// What is grave in a client that is new: "pkce_optional", or "".
std::string_view gravity_of(const ClientMetadata& metadata) noexcept;

/// The reason where the client did it itself: "by_itself", and what was done in brackets, unless it is "".
std::string by_itself(std::string_view what);

}  // namespace troupe::oauth
