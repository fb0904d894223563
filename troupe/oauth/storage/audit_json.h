// An event of the audit trail as JSON: the same members wherever it is shown.
#pragma once

#include "troupe/oauth/storage/records.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {

/// Writes an object: `id`, `time` (RFC 3339, UTC), `kind`, and what the event has of `client`, `user`, `family`,
/// `token`, `request`, `by` and `reason`.
void write_event(wire::JsonWriter& writer, const AuditEvent& event);

}  // namespace troupe::oauth
