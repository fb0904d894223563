// Addresses: the few things that a browser does with URLs, and reading what came back in one.
#pragma once

#include <string>
#include <string_view>

#include "troupe/wire/form.h"

namespace troupe::attack {

/// Where `reference` (of a Location or an action) leads from the page at `base`, as browsers see it; "." and ".." in a
/// path that does not begin with a slash are left for the server.
std::string resolve(std::string_view base, std::string_view reference);

/// Scheme, host and port; "" for what is no absolute URL.
std::string origin_of(std::string_view url);

/// The parameters of the URL's query; none where it has none or they are malformed.
wire::Form query_of(std::string_view url);

/// The parameter of that name; "" where there is none.
std::string value_in(const wire::Form& form, std::string_view name);

/// The form with this one value for the name, wherever it had others; at the end if it had none.
wire::Form with(const wire::Form& form, std::string_view name, std::string value);

/// The form without the parameters of that name.
wire::Form without(const wire::Form& form, std::string_view name);

}  // namespace troupe::attack
