// Audit verifier: walks the chain of the audit trail from its beginning and finds the first row
// that does not fit.
//
// Of a segment that was removed there is nothing, or its end, since the oldest events go first; it must hang together
// like any other, and its checkpoint says what its first event goes on from.
//
// It sees a page at a time, so its memory does not grow with the trail, and reads through a
// function, so that whoever calls it decides about transactions. What has been cut off at the
// end leaves a chain that fits; only a hash that was kept elsewhere shows it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/storage/audit_chain.h"

namespace troupe::oauth {

/// The pages of a trail, each read at the moment of the call; as AuditTable has them.
struct AuditPages {
  std::function<std::vector<AuditReading>(const std::optional<crypto::TokenId>& after, int count)> rows;
  std::function<std::vector<AuditCheckpoint>(std::int64_t after_segment, int count)> checkpoints;
};

struct AuditVerdict {
  std::optional<std::string> fault{};  // a sentence about the first thing that does not fit
  std::int64_t events = 0;             // that were looked at and fit
  std::int64_t unchained = 0;          // that are older than a chain which says so: nothing vouches for them
  std::int64_t segments_closed = 0;
  std::int64_t segments_removed = 0;   // whose checkpoints alone are left
  std::int64_t leaving = 0;            // events of these that are there still
  crypto::Digest newest = audit_root;  // the hash of the newest event or checkpoint
  bool has_wanted = false;             // the hash that was looked for is one of the chain
};

/// `wanted`: the hash of an event or checkpoint that was kept elsewhere; a chain without it is at fault.
AuditVerdict verify_audit(const AuditPages& pages, const std::optional<crypto::Digest>& wanted = std::nullopt);

/// What the audit trail says when it has let a segment go, kind and reason: so that nobody else's removal passes for
/// it.
inline constexpr std::string_view audit_removal_kind = "audit_removed";
std::string audit_removal_reason(std::int64_t segment);

}  // namespace troupe::oauth
