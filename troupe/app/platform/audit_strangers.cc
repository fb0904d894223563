// See audit_strangers.h.
#include "troupe/app/platform/audit_strangers.h"

#include "troupe/base/log.h"

namespace troupe::app {

void warn_of_strangers(const oauth::AuditPage& page) {
  if (page.strangers == 0) return;
  base::log::warning("audit", "something stands in the audit trail that the server did not write; it is passed over",
                     {{"what", page.first_stranger}, {"count", page.strangers}});
}

}  // namespace troupe::app
