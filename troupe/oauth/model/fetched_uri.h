// URIs that a client registers for the server to fetch from, or to post to: what may be registered.
//
// A first look only, so that what can never work is told at once. Whom an address turns out to be is looked at when the
// server connects (web/fetch.h), each time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/net/address.h"

namespace troupe::oauth {

inline constexpr std::size_t fetched_uri_bytes_max = 2000;

/// Whether it is an https URL without fragment and user, or one by http of an address: an operator may allow a few.
bool looks_fetchable(std::string_view uri);

/// The same for a URI of a stranger: by http only where its address is in `unsafe_allowed`, and an address instead of a
/// name only where it is there or public.
bool may_be_fetched(std::string_view uri, std::span<const net::Network> unsafe_allowed);

/// The networks with these names; what is none is passed over.
std::vector<net::Network> networks_named(std::span<const std::string> names);

}  // namespace troupe::oauth
