// The chain of the audit trail: what is hashed, and into what.
//
// Events stand in segments: one ends with its day (UTC), or when it is full, and is closed by a
// checkpoint. An event's hash covers all that it says and the hash before it; a checkpoint's
// covers the last event of its segment and the checkpoint before it, and the first event of the
// next segment goes on from there. So one hash that is kept elsewhere vouches for all before it,
// also when the rows of old segments are gone and only their checkpoints are left.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "troupe/crypto/digest.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/storage/records.h"

namespace troupe::oauth {

/// An event with its place in the chain. Segments and places count from 1; segment 0 holds what is older than the
/// chain, without hashes.
struct AuditRow {
  AuditEvent event;
  std::int64_t segment = 0;
  std::int64_t place = 0;  // within its segment
  std::optional<crypto::Digest> hash{};
};

/// What stands where a row should, and is none that the server makes: somebody has put it in.
struct AuditStranger {
  std::string id;    // its bytes as they are
  std::string what;  // "an event whose id, 3 bytes (0a0b0c), is none that the server makes"
};

/// A row as it was read, or what stands there instead.
using AuditReading = std::expected<AuditRow, AuditStranger>;

/// Some rows in the order of the chain, without the strangers that stand among them.
struct AuditPage {
  std::vector<AuditRow> rows;
  std::int64_t strangers = 0;
  std::string first_stranger{};  // what it is
};

/// The newest event, as far as the next one needs it.
struct AuditHead {
  crypto::TokenId id;
  std::int64_t segment = 0;
  std::int64_t place = 0;
  std::optional<crypto::Digest> hash;  // nothing: it is older than the chain
};

/// The end of a segment.
struct AuditCheckpoint {
  std::int64_t segment = 0;
  std::int64_t count = 0;  // of its events
  crypto::TokenId last;
  crypto::Digest last_hash;
  crypto::Digest hash;
  bool is_removed = false;  // its events are gone, or about to be; the hash covers neither this nor the next
  std::optional<crypto::Digest> gone_to{};  // the hash of the newest event that is gone, while others are there still
};

inline constexpr std::int64_t audit_segment_max = 100'000;  // events; some tens of megabytes

/// What the first checkpoint goes on from, and the first event where others that are older than the chain stood before.
inline constexpr crypto::Digest audit_root{};
/// What the first event goes on from where nothing stood before it: so nothing can be put there later.
inline constexpr crypto::Digest audit_bare_root{{'\1'}};

/// The hash of a row whose place is known, behind `before`.
crypto::Digest hash_of(const AuditRow& row, const crypto::Digest& before);

/// The same of a checkpoint.
crypto::Digest hash_of(const AuditCheckpoint& checkpoint, const crypto::Digest& before);

/// Whether an event of `next` begins a new segment behind the one whose newest event is at `place` and of `last`.
bool ends_segment(base::UnixTime last, std::int64_t place, base::UnixTime next) noexcept;

}  // namespace troupe::oauth
