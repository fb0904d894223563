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

std::vector<DamagedClient> each_client(Tables& tables, const std::function<void(Client&&)>& visit) {
  constexpr int page_size = 1000;
  std::vector<DamagedClient> damaged;
  ClientId last;
  for (auto page = tables.clients.list(last, page_size); !page.empty(); page = tables.clients.list(last, page_size)) {
    last = id_of(page.back());
    for (ClientRow& row : page) {
      if (row) {
        visit(*std::move(row));
      } else {
        damaged.push_back(std::move(row.error()));
      }
    }
  }
  return damaged;
}

}  // namespace troupe::oauth
