// What stands in the audit trail and is no event of it: who hands the trail on passes over it and says so.
#pragma once

#include "troupe/oauth/storage/audit_chain.h"

namespace troupe::app {

/// A line in the log where the page has passed over something; nothing else finds it before `troupe audit verify` does.
void warn_of_strangers(const oauth::AuditPage& page);

}  // namespace troupe::app
