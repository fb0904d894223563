// See logouts.h.
#include "troupe/oauth/storage/logouts.h"

#include <algorithm>
#include <array>

#include "troupe/base/check.h"
#include "troupe/oauth/storage/columns.h"

namespace troupe::oauth {

void MemoryLogouts::append(const LogoutNotice& notice) {
  LogoutNotice numbered = notice;
  numbered.number = ++last_;
  notices_.emplace(numbered.number, std::move(numbered));
}

std::vector<LogoutNotice> MemoryLogouts::due(base::UnixTime now, int count, const std::set<ClientId>& busy) {
  std::vector<LogoutNotice> found;
  for (const auto& [number, notice] : notices_)
    if (notice.next_at <= now && !busy.contains(notice.client)) found.push_back(notice);
  std::ranges::sort(found, {}, [](const LogoutNotice& each) { return std::pair{each.next_at, each.number}; });
  if (std::ssize(found) > count) found.erase(found.begin() + count, found.end());
  return found;
}

bool MemoryLogouts::postpone(std::int64_t number, int attempts, base::UnixTime next_at) {
  const auto found = notices_.find(number);
  if (found == notices_.end()) return false;
  found->second.attempts = attempts;
  found->second.next_at = next_at;
  return true;
}

bool MemoryLogouts::remove(std::int64_t number) { return notices_.erase(number) == 1; }

void SqlLogouts::append(const LogoutNotice& notice) {
  const crypto::TokenId session = bytes_of(notice.session);
  transaction_.send(
      "INSERT INTO logout_notices (client, user, session, made_at, attempts, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      {column_of(notice.client), column_of(notice.user), column_of(session), column_of(notice.made_at), notice.attempts,
       column_of(notice.next_at)});
}

std::vector<LogoutNotice> SqlLogouts::due(base::UnixTime now, int count, const std::set<ClientId>& busy) {
  std::vector<LogoutNotice> found;
  INVARIANT(busy.size() <= logouts_busy_max, "few clients are told at once");
  std::array<ClientId, logouts_busy_max> others{};
  std::ranges::copy(busy, others.begin());
  transaction_.each(
      "SELECT number, client, user, session, made_at, attempts, next_at FROM logout_notices "
      "WHERE next_at <= ?1 AND client NOT IN (?3, ?4, ?5, ?6) ORDER BY next_at, number LIMIT ?2",
      {column_of(now), count, column_of(others[0]), column_of(others[1]), column_of(others[2]), column_of(others[3])},
      [&](const store::Row& row) {
        found.push_back({.number = row.integer(0),
                         .client = ClientId{row.text(1)},
                         .user = UserId{row.text(2)},
                         .session = SessionId{id_in(row, 3).text()},
                         .made_at = time_in(row, 4),
                         .attempts = static_cast<int>(row.integer(5)),
                         .next_at = time_in(row, 6)});
      });
  return found;
}

bool SqlLogouts::postpone(std::int64_t number, int attempts, base::UnixTime next_at) {
  return transaction_.run("UPDATE logout_notices SET attempts = ?2, next_at = ?3 WHERE number = ?1",
                          {number, attempts, column_of(next_at)}) == 1;
}

bool SqlLogouts::remove(std::int64_t number) {
  return transaction_.run("DELETE FROM logout_notices WHERE number = ?1", {number}) == 1;
}

}  // namespace troupe::oauth
