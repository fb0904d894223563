// Trail: an audit trail that lies open, what a database holds for whoever may write there. For tests of its verifier.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/storage/audit_verifier.h"
#include "troupe/oauth/storage/testing/stores.h"

namespace troupe::oauth::stores {

inline constexpr base::UnixTime first_day{1'699'920'000'000};  // its midnight, UTC; stores::now is in its evening

/// An event `days` after the first of all.
inline AuditEvent event(double days, std::string kind = "code_redeemed") {
  static base::SeededRandom random{3};
  const auto time = first_day + std::chrono::duration_cast<base::Duration>(days * std::chrono::hours{24});
  return {.id = crypto::TokenIds{}.next(time, random), .kind = std::move(kind), .reason = "because"};
}

struct Trail {
  std::vector<AuditRow> rows;
  std::vector<AuditCheckpoint> checkpoints;

  AuditVerdict verify(const std::optional<crypto::Digest>& wanted = std::nullopt) const {
    const AuditPages pages{.rows =
                               [&](const std::optional<crypto::TokenId>& after, int count) {
                                 std::vector<AuditReading> page;
                                 for (const AuditRow& row : rows)
                                   if ((!after || row.event.id > *after) && std::ssize(page) < count)
                                     page.push_back(row);
                                 return page;
                               },
                           .checkpoints =
                               [&](std::int64_t after, int count) {
                                 std::vector<AuditCheckpoint> page;
                                 for (const AuditCheckpoint& each : checkpoints)
                                   if (each.segment > after && std::ssize(page) < count) page.push_back(each);
                                 return page;
                               }};
    return verify_audit(pages, wanted);
  }
};

inline Trail read(AuditTable& table) {
  constexpr int all = 10'000;
  return {table.page_after(std::nullopt, all).rows, table.checkpoints_after(0, all)};
}

/// Three events on the first day, two on the second, two on the third, which is not over.
inline void fill(AuditTable& table) {
  for (const double days : {0.0, 0.1, 0.2, 1.0, 1.1, 2.0, 2.1}) table.append(event(days));
}

}  // namespace troupe::oauth::stores
