// The twin in memory of the audit trail's table. See audit.h.
#include <algorithm>

#include "troupe/oauth/storage/audit.h"
#include "troupe/oauth/storage/rows.h"

namespace troupe::oauth {
namespace {

template <class T, class U>
bool fits(const std::optional<T>& wanted, const U& value) {
  return !wanted || value == *wanted;
}

bool fits(const AuditFilter& filter, const AuditEvent& event) {
  if (filter.from && event.id < *filter.from) return false;
  if (filter.before && event.id >= *filter.before) return false;
  return fits(filter.kind, event.kind) && fits(filter.user, event.user) && fits(filter.client, event.client) &&
         fits(filter.family, event.family) && fits(filter.token, event.token) && fits(filter.request, event.request);
}

}  // namespace

std::vector<AuditEvent> MemoryAudit::matching(const AuditFilter& filter, int count) {
  std::vector<AuditEvent> page;
  for (auto it = rows_.rbegin(); it != rows_.rend() && std::ssize(page) < count; ++it)
    if (fits(filter, it->second.event)) page.push_back(it->second.event);
  return page;
}

std::vector<AuditReading> MemoryAudit::readings_behind(std::optional<std::string_view> id, int count) {
  const auto after = id ? crypto::TokenId::from_bytes(*id) : std::nullopt;  // all of these are rows
  std::vector<AuditReading> page;
  for (auto it = after ? rows_.upper_bound(*after) : rows_.begin(); it != rows_.end() && std::ssize(page) < count; ++it)
    page.emplace_back(it->second);
  return page;
}

std::optional<AuditHead> MemoryAudit::head() {
  if (rows_.empty()) return std::nullopt;
  const AuditRow& newest = rows_.rbegin()->second;
  return AuditHead{newest.event.id, newest.segment, newest.place, newest.hash};
}

std::vector<AuditCheckpoint> MemoryAudit::checkpoints_after(std::int64_t segment, int count) {
  return page_of(checkpoints_, segment, count);
}

std::optional<AuditCheckpoint> MemoryAudit::newest_checkpoint() {
  return checkpoints_.empty() ? std::nullopt : std::optional{checkpoints_.rbegin()->second};
}

std::optional<crypto::TokenId> MemoryAudit::reader(std::string_view name) { return found_in(readers_, name); }

void MemoryAudit::put_reader(std::string_view name, const crypto::TokenId& last) {
  readers_.insert_or_assign(std::string{name}, last);
}

std::optional<AuditCheckpoint> MemoryAudit::oldest_kept_checkpoint() {
  const auto kept = std::ranges::find_if(checkpoints_, [](const auto& each) { return !each.second.is_removed; });
  return kept == checkpoints_.end() ? std::nullopt : std::optional{kept->second};
}

std::optional<AuditCheckpoint> MemoryAudit::newest_removed_checkpoint() {
  const auto removed =
      std::find_if(checkpoints_.rbegin(), checkpoints_.rend(), [](const auto& each) { return each.second.is_removed; });
  return removed == checkpoints_.rend() ? std::nullopt : std::optional{removed->second};
}

void MemoryAudit::put(const AuditRow& row) { insert_into(rows_, row.event.id, row); }

void MemoryAudit::put(const AuditCheckpoint& checkpoint) { insert_into(checkpoints_, checkpoint.segment, checkpoint); }

void MemoryAudit::mark_removed(std::int64_t segment) { checkpoints_.at(segment).is_removed = true; }

int MemoryAudit::remove_rows_until(const crypto::TokenId& last, int count) {
  int removed = 0;
  while (removed < count && !rows_.empty() && rows_.begin()->first <= last) {
    const AuditRow& oldest = rows_.begin()->second;
    if (const auto of = checkpoints_.find(oldest.segment); of != checkpoints_.end()) of->second.gone_to = oldest.hash;
    rows_.erase(rows_.begin());
    ++removed;
  }
  return removed;
}

int MemoryAudit::remove_unchained_before(const crypto::TokenId& end, int count) {
  int removed = 0;
  while (removed < count && !rows_.empty() && rows_.begin()->first < end && rows_.begin()->second.segment == 0) {
    rows_.erase(rows_.begin());
    ++removed;
  }
  return removed;
}

}  // namespace troupe::oauth
