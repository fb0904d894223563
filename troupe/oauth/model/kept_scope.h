// What is kept of scopes that add up from one request to the next: never more words than one request may name.
#pragma once

#include <algorithm>
#include <cstddef>

#include "troupe/oauth/model/scope.h"

namespace troupe::oauth {

/// The newest together with what was kept before; the newest alone where that would be too much.
inline ScopeSet kept_with(const ScopeSet& newest, const ScopeSet& before) {
  ScopeSet both = newest.united_with(before);
  const bool is_too_much = std::ranges::distance(both) > static_cast<std::ptrdiff_t>(ScopeSet::tokens_max);
  return is_too_much ? newest : both;
}

}  // namespace troupe::oauth
