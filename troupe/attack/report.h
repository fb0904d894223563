// Report: verdicts as a person and as a script read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "troupe/attack/row.h"

namespace troupe::attack {

/// "T13  pass  a code used a thousand times at once", and a line for each reason below it.
std::string text_of(const Verdict& verdict);

/// "58 passed, 1 failed (T13), 15 not applicable".
std::string summary_of(const std::vector<Verdict>& verdicts);

/// One JSON object: the issuer, and id, title, outcome, checks and reasons of each row.
std::string json_of(std::string_view issuer, const std::vector<Verdict>& verdicts);

bool has_failed(const std::vector<Verdict>& verdicts) noexcept;

}  // namespace troupe::attack
