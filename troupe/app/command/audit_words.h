// The events of the audit trail in plain words, for `troupe explain`.
#pragma once

#include <string>

#include "troupe/oauth/storage/records.h"

namespace troupe::app {

/// What happened, to whom and why, as a sentence: "A code was refused for client c_x: it is another client's."
std::string in_words(const oauth::AuditEvent& event);

}  // namespace troupe::app
