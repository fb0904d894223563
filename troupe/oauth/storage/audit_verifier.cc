// See audit_verifier.h. Segment by segment, as their checkpoints stand, and then the one that is still open. Meanwhile
// others append and remove, so what does not fit is looked at once more before it is told.
#include "troupe/oauth/storage/audit_verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>

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
      const std::int64_t seen = segment_ == 0 ? std::numeric_limits<std::int64_t>::min() : segment_;
      for (AuditCheckpoint& each : pages_.checkpoints(seen, page_rows)) checkpoints_.push_back(each);
    }
    if (checkpoints_.empty()) return std::nullopt;
    const AuditCheckpoint next = checkpoints_.front();
    checkpoints_.pop_front();
    return next;
  }

  /// The next row, left where it is; null at the end, and where something else stands, which is a fault.
  const AuditRow* peek() {
    if (rows_.empty()) read_page();
    if (rows_.empty()) return nullptr;
    if (rows_.front()) return &*rows_.front();
    const std::string place = passed_ ? fmt::format("behind event {}", passed_->text()) : "at the beginning";
    complain(fmt::format("{} stands {}", place, rows_.front().error().what));
    return nullptr;
  }

  void read_page() {
    for (AuditReading& each : pages_.rows(read_to_, page_rows)) {
      if (each) read_to_ = each->event.id;
      rows_.push_back(std::move(each));
    }
  }

  /// On, behind the row that `peek` has given.
  void pass() {
    passed_ = rows_.front()->event.id;
    rows_.pop_front();
  }

  /// Rows without a hash stand before all others.
  void pass_unchained() {
    verdict_.unchained = 0;
    for (const AuditRow* row = peek(); row != nullptr && row->segment == 0; row = peek()) {
      if (row->hash) return complain(fmt::format("event {} bears a hash and stands outside the chain", name(*row)));
      ++verdict_.unchained;
      pass();
    }
  }

  void check(const AuditCheckpoint& checkpoint) {
    const std::int64_t number = segment_ + 1;
    if (checkpoint.segment < number) {
      return complain(
          fmt::format("there is a checkpoint of segment {}, and segments count from 1", checkpoint.segment));
    }
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
    check_leaving(checkpoint);
  }

  /// Walks the segment anew, which was removed while its rows were read.
  void walk_removed(const AuditCheckpoint& checkpoint) {
    verdict_.fault.reset();
    rows_.clear();
    read_to_ = segment_end_;
    pass_removed(checkpoint);
  }

  /// Before the first row of a segment.
  void begin(std::int64_t segment) {
    if (segment == 1) pass_unchained();
    place_ = 0;
    row_hash_ = checkpoint_hash_;
    const AuditRow* first = segment == 1 ? peek() : nullptr;
    if (first == nullptr || hash_of(*first, audit_bare_root) != first->hash) return;
    row_hash_ = audit_bare_root;
    if (verdict_.unchained == 0) return;
    complain(
        fmt::format("{} events stand before event {}, which was the first of all", verdict_.unchained, name(*first)));
  }

  /// The rows of a removed segment that are there still.
  void check_leaving(const AuditCheckpoint& checkpoint) {
    begin(checkpoint.segment);
    for (const AuditRow* row = peek(); row != nullptr && !verdict_.fault && row->event.id <= checkpoint.last;
         row = peek()) {
      const bool is_next = row->place == place_ + 1;
      const bool is_cut = !is_next && row->segment == checkpoint.segment && row->hash && is_behind_gone(*row);
      if (!is_cut && !fits(*row, checkpoint.segment)) return;
      verdict_.leaving = is_cut ? 1 : verdict_.leaving + 1;
      place_ = row->place;
      row_hash_ = *row->hash;
      last_ = row->event.id;
      pass();
    }
    if (verdict_.fault || is_end_of(checkpoint) || (place_ == 0 && !passed_)) return;
    if (const auto older = oldest_up_to(checkpoint.last)) {
      return complain(fmt::format("segment {} was removed, and {} is there still, though not all that was behind it",
                                  checkpoint.segment, *older));
    }
    verdict_.unchained = verdict_.leaving = 0;  // all of it is gone meanwhile
  }

  /// Whether nothing stands before the row: what did is gone, by its age. A row that is there still must fit to the
  /// newest of what is gone, else that is a fault; one that is gone itself by now is nobody's concern any more.
  bool is_behind_gone(const AuditRow& row) {
    const auto now = pages_.checkpoints(row.segment - 1, 1);  // before the look at the oldest row
    const auto oldest = pages_.rows(std::nullopt, 1);
    if (oldest.empty()) return true;
    if (!oldest.front() || oldest.front()->event.id < row.event.id) return false;
    const bool is_there = oldest.front()->event.id == row.event.id;
    const auto gone_to = now.empty() ? std::nullopt : now.front().gone_to;
    if (is_there && (!gone_to || hash_of(row, *gone_to) != row.hash)) {
      complain(
          fmt::format("event {} was changed, or what says which events before it were removed: its hash does "
                      "not fit",
                      name(row)));
    }
    return true;
  }

  /// What stands at the very beginning, unless that is behind `last`.
  std::optional<std::string> oldest_up_to(const crypto::TokenId& last) const {
    const auto oldest = pages_.rows(std::nullopt, 1);
    if (oldest.empty()) return std::nullopt;
    if (!oldest.front()) return oldest.front().error().what;
    if (oldest.front()->event.id > last) return std::nullopt;
    return fmt::format("event {}", name(*oldest.front()));
  }

  /// After its rows. What is wrong with them is no fault where the segment was removed while they were read.
  void close(const AuditCheckpoint& checkpoint) {
    if (verdict_.fault && !checkpoint.is_removed && removed_now() >= checkpoint.segment) walk_removed(checkpoint);
    if (verdict_.fault) return;
    if (hash_of(checkpoint, checkpoint_hash_) != checkpoint.hash) {
      return complain(
          fmt::format("the checkpoint of segment {} was changed: its hash does not fit", checkpoint.segment));
    }
    ++verdict_.segments_closed;
    segment_ = checkpoint.segment;
    segment_end_ = checkpoint.last;
    checkpoint_hash_ = checkpoint.hash;
    see(checkpoint.hash);
  }

  /// The rows of that segment, as far as they go.
  void check_rows(std::int64_t segment) {
    begin(segment);
    for (const AuditRow* row = peek(); row != nullptr && !verdict_.fault; row = peek()) {
      if (row->segment > segment || !fits(*row, segment)) return;
      ++verdict_.events;
      ++place_;
      row_hash_ = *row->hash;
      last_ = row->event.id;
      removal_told_ = std::max(removal_told_, removed_segment(row->event));
      see(row_hash_);
      pass();
    }
  }

  /// Whether the row is the next one of that segment; else that is a fault.
  bool fits(const AuditRow& row, std::int64_t segment) {
    if (row.segment != segment) {
      complain(
          fmt::format("event {} says that it is of segment {}, and stands in {}", name(row), row.segment, segment));
    } else if (row.place != place_ + 1) {
      complain(fmt::format("before event {} something is missing: it is number {} of segment {}, and {} was due",
                           name(row), row.place, segment, place_ + 1));
    } else if (!row.hash || hash_of(row, row_hash_) != *row.hash) {
      complain(fmt::format("event {} was changed, or what stands before it: its hash does not fit", name(row)));
    }
    return !verdict_.fault;
  }

  /// Whether what was walked last is all of the segment, or, where that is removed, its end.
  bool is_end_of(const AuditCheckpoint& checkpoint) const {
    return checkpoint.count == place_ && checkpoint.last == last_ && checkpoint.last_hash == row_hash_;
  }

  void check_end(const AuditCheckpoint& checkpoint) {
    if (is_end_of(checkpoint)) return;
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
    checkpoint->is_removed ? walk_removed(*checkpoint) : check_end(*checkpoint);
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
  std::deque<AuditReading> rows_;
  std::optional<crypto::TokenId> read_to_;
  std::optional<crypto::TokenId> passed_;  // the last event that was walked
  std::int64_t segment_ = 0;               // the last one that is over
  std::optional<crypto::TokenId> segment_end_;
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
