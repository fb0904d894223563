// See readable_client.h.
#include "troupe/oauth/actor/readable_client.h"

#include "troupe/base/log.h"

namespace troupe::oauth {

void tell_damaged(const DamagedClient& damaged) {
  base::log::error("oauth", "a client cannot be read and is left out: restore its row from a backup, or remove it",
                   {{"client", damaged.id.value()}, {"why", damaged.why}});
}

std::optional<Client> readable_client(Tables& tables, const ClientId& id) {
  auto row = tables.clients.find_row(id);
  if (!row) return std::nullopt;
  if (*row) return **std::move(row);
  tell_damaged(row->error());
  return std::nullopt;
}

}  // namespace troupe::oauth
