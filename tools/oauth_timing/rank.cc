// See rank.h.
#include "tools/oauth_timing/rank.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::oauth_timing {

double rank_deviation(const std::vector<double>& first, const std::vector<double>& second) {
  std::vector<std::pair<double, bool>> all;
  for (const double value : first) all.emplace_back(value, true);
  for (const double value : second) all.emplace_back(value, false);
  std::ranges::sort(all);
  double sum = 0;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end].first == all[i].first) ++end;
    const double rank = static_cast<double>(i + 1 + end) / 2;  // the mean of those that are equal
    for (; i < end; ++i) sum += all[i].second ? rank : 0;
  }
  const auto n = static_cast<double>(first.size()), m = static_cast<double>(second.size());
  return (sum - n * (n + m + 1) / 2) / std::sqrt(n * m * (n + m + 1) / 12);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace troupe::oauth_timing
