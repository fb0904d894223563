// See grant.h.
#include "troupe/oauth/model/grant.h"

#include <algorithm>

namespace troupe::oauth {

std::expected<std::vector<std::string>, OauthError> audience_within(const Grant& grant,
                                                                    std::span<const std::string> resources) {
  if (resources.empty()) return grant.audience;
  std::vector<std::string> audience{resources.begin(), resources.end()};
  std::ranges::sort(audience);
  const auto doubles = std::ranges::unique(audience);
  audience.erase(doubles.begin(), doubles.end());
  const auto is_granted = [&](const std::string& one) {
    return std::ranges::find(grant.audience, one) != grant.audience.end();
  };
  if (!std::ranges::all_of(audience, is_granted)) return std::unexpected(errors::invalid_target);
  return audience;
}

}  // namespace troupe::oauth
