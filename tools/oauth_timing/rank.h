// Whether one kind of request takes longer than another: the rank-sum test of Mann and Whitney, as a pure function.
//
// It asks nothing of how times are distributed, and a few that were disturbed count no more than any other.
#pragma once

#include <vector>

namespace troupe::oauth_timing {

/// By how many standard deviations the ranks of `first` among both are above what chance would give; negative: below.
/// Both need some dozens of values. Equal values share their ranks.
double rank_deviation(const std::vector<double>& first, const std::vector<double>& second);

double median(std::vector<double> values);

}  // namespace troupe::oauth_timing
