// See audit_verifier.h. Segment by segment, as their checkpoints stand, and then the one that is still open. Meanwhile
// others append and remove, so what does not fit is looked at once more before it is told.
#include "troupe/oauth/storage/audit_verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>

namespace troupe::oauth {
namespace {

constexpr int page_rows = 1000;
constexpr std::string_view removal_prefix = "segment ";

/// The segment that a removal speaks of; 0 for anything else.
std::int64_t removed_segment(const AuditEvent& event) {
  std::string_view reason = event.reason;
  if (event.kind != audit_removal_kind || !reason.starts_with(removal_prefix)) return 0;
  reason.remove_prefix(removal_prefix.size());
  std::int64_t segment = 0;
  const auto [end, error] = std::from_chars(reason.data(), reason.data() + reason.size(), segment);
  return error == std::errc{} && end == reason.data() + reason.size() ? segment : 0;
}

class Walk {
 public:
  Walk(const AuditPages& pages, const std::optional<crypto::Digest>& wanted) : pages_(pages), wanted_(wanted) {}

  AuditVerdict run() {
    bool is_at_end = false;
    while (!verdict_.fault && !is_at_end) {
      const auto checkpoint = next_checkpoint();
      if (checkpoint) {
        check(*checkpoint);
      } else {
        is_at_end = check_open_segment();
      }
    }
    if (!verdict_.fault) check_whole();
    return std::move(verdict_);
  }

 private:
  void complain(std::string what) {
    if (!verdict_.fault) verdict_.fault = std::move(what);
  }

  void see(const crypto::Digest& hash) {
    verdict_.newest = hash;
    verdict_.has_wanted = verdict_.has_wanted || hash == wanted_;
  }

  std::optional<AuditCheckpoint> next_checkpoint() {
    if (checkpoints_.empty()) {
      for (AuditCheckpoint& each : pages_.checkpoints(segment_, page_rows)) checkpoints_.push_back(each);
    }
    if (checkpoints_.empty()) return std::nullopt;
    const AuditCheckpoint next = checkpoints_.front();
    checkpoints_.pop_front();
    return next;
  }

  /// The next row, left where it is.
  const AuditRow* peek() {
    if (rows_.empty()) {
      for (AuditRow& each : pages_.rows(read_to_, page_rows)) rows_.push_back(std::move(each));
      if (!rows_.empty()) read_to_ = rows_.back().event.id;
    }
    return rows_.empty() ? nullptr : &rows_.front();
  }

  /// Rows without a hash stand before all others.
  void pass_unchained() {
    for (const AuditRow* row = peek(); row != nullptr && row->segment == 0; row = peek()) {
      if (row->hash) return complain(fmt::format("event {} bears a hash and stands outside the chain", name(*row)));
      ++verdict_.unchained;
      rows_.pop_front();
    }
  }

  void check(const AuditCheckpoint& checkpoint) {
    const std::int64_t number = segment_ + 1;
    if (checkpoint.segment != number) return complain_of_missing_checkpoint();
    if (checkpoint.is_removed) {
      pass_removed(checkpoint);
    } else {
      check_rows(number);
      check_end(checkpoint);
    }
    close(checkpoint);
  }

  void complain_of_missing_checkpoint() {
    complain(fmt::format("the checkpoint of segment {} is missing", segment_ + 1));
  }

  /// How many segments from the first on are marked as removed at this moment.
  std::int64_t removed_now() const {
    std::int64_t removed = 0;
    for (auto page = pages_.checkpoints(0, page_rows); !page.empty(); page = pages_.checkpoints(removed, page_rows)) {
      for (const AuditCheckpoint& each : page) {
        if (!each.is_removed || each.segment != removed + 1) return removed;
        ++removed;
      }
    }
    return removed;
  }

  void pass_removed(const AuditCheckpoint& checkpoint) {
    // Those before it may have been removed since they were walked.
    if (verdict_.segments_removed != segment_ && removed_now() < checkpoint.segment) {
      return complain(fmt::format("segment {} is marked as removed, though not the one before it", checkpoint.segment));
    }
    verdict_.segments_removed = checkpoint.segment;
    while (!rows_.empty() && rows_.front().event.id <= checkpoint.last) rows_.pop_front();  // they do not count
    if (!read_to_ || *read_to_ < checkpoint.last) read_to_ = checkpoint.last;
  }

  /// After its rows. What is wrong with them is no fault where the segment was removed while they were read.
  void close(const AuditCheckpoint& checkpoint) {
    if (verdict_.fault && !checkpoint.is_removed && removed_now() >= checkpoint.segment) {
      verdict_.fault.reset();
      pass_removed(checkpoint);
    }
    if (verdict_.fault) return;
    if (hash_of(checkpoint, checkpoint_hash_) != checkpoint.hash) {
      return complain(
          fmt::format("the checkpoint of segment {} was changed: its hash does not fit", checkpoint.segment));
    }
    ++verdict_.segments_closed;
    segment_ = checkpoint.segment;
    checkpoint_hash_ = checkpoint.hash;
    see(checkpoint.hash);
  }

  /// The rows of that segment, as far as they go.
  void check_rows(std::int64_t segment) {
    if (segment == 1) pass_unchained();
    place_ = 0;
    row_hash_ = checkpoint_hash_;
    for (const AuditRow* row = peek(); row != nullptr && !verdict_.fault; row = peek()) {
      if (row->segment > segment) return;
      check(*row, segment);
      last_ = row->event.id;
      rows_.pop_front();
    }
  }

  void check(const AuditRow& row, std::int64_t segment) {
    if (row.segment != segment) {
      return complain(
          fmt::format("event {} says that it is of segment {}, and stands in {}", name(row), row.segment, segment));
    }
    if (row.place != place_ + 1) {
      return complain(fmt::format("before event {} something is missing: it is number {} of segment {}, and {} was due",
                                  name(row), row.place, segment, place_ + 1));
    }
    if (!row.hash || hash_of(row, row_hash_) != *row.hash) {
      return complain(fmt::format("event {} was changed, or what stands before it: its hash does not fit", name(row)));
    }
    ++verdict_.events;
    ++place_;
    row_hash_ = *row.hash;
    removal_told_ = std::max(removal_told_, removed_segment(row.event));
    see(row_hash_);
  }

  void check_end(const AuditCheckpoint& checkpoint) {
    if (checkpoint.count == place_ && checkpoint.last == last_ && checkpoint.last_hash == row_hash_) return;
    complain(fmt::format("segment {} ends after {} events, and its checkpoint speaks of {}", checkpoint.segment, place_,
                         checkpoint.count));
  }

  /// Whether the trail ends with it; else it was closed while its rows were read, and more has come.
  bool check_open_segment() {
    check_rows(segment_ + 1);
    if (!verdict_.fault && peek() == nullptr) return true;
    const auto checkpoint = next_checkpoint();
    if (!checkpoint || checkpoint->segment != segment_ + 1) {
      complain_of_missing_checkpoint();
      return true;
    }
    check_end(*checkpoint);
    close(*checkpoint);
    return false;
  }

  void check_whole() {
    if (removal_told_ < verdict_.segments_removed) {
      return complain(fmt::format("the events of segment {} are gone, and no event says that they were removed",
                                  removal_told_ + 1));
    }
    if (wanted_ && !verdict_.has_wanted) {
      complain("the hash that was kept elsewhere is not in this trail: its end was cut off, or it is another trail");
    }
  }

  static std::string name(const AuditRow& row) { return fmt::format("{} ({})", row.event.id.text(), row.event.kind); }

  const AuditPages& pages_;
  const std::optional<crypto::Digest>& wanted_;
  AuditVerdict verdict_;
  std::deque<AuditCheckpoint> checkpoints_;
  std::deque<AuditRow> rows_;
  std::optional<crypto::TokenId> read_to_;
  std::int64_t segment_ = 0;  // the last one that is over
  crypto::Digest checkpoint_hash_ = audit_root;
  std::int64_t place_ = 0;  // in the segment that is being walked
  crypto::Digest row_hash_ = audit_root;
  crypto::TokenId last_;
  std::int64_t removal_told_ = 0;
};

}  // namespace

std::string audit_removal_reason(std::int64_t segment) { return fmt::format("{}{}", removal_prefix, segment); }

AuditVerdict verify_audit(const AuditPages& pages, const std::optional<crypto::Digest>& wanted) {
  return Walk{pages, wanted}.run();
}

}  // namespace troupe::oauth
