// See audit.h. The chain is made here, over what both tables can do; and the rows by SQL.
#include "troupe/oauth/storage/audit.h"

#include <fmt/format.h>

#include "troupe/oauth/storage/columns.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

crypto::TokenId next_after(crypto::TokenId id) noexcept {
  for (auto byte = id.bytes.rbegin(); byte != id.bytes.rend(); ++byte)
    if (++*byte != '\0') break;
  return id;
}

}  // namespace

void AuditTable::append(AuditEvent event) {
  const auto last = head();
  if (last && event.id <= last->id) event.id = next_after(last->id);
  AuditRow row{.event = std::move(event), .segment = 1, .place = 1};
  crypto::Digest before = last ? audit_root : audit_bare_root;
  if (!last || !last->hash) {  // the first of all, or the first behind what is older than the chain
    if (const auto checkpoint = newest_checkpoint()) {
      row.segment = checkpoint->segment + 1;
      before = checkpoint->hash;
    }
  } else if (ends_segment(last->id.time(), last->place, row.event.id.time())) {
    const auto earlier = newest_checkpoint();
    AuditCheckpoint closed{
        .segment = last->segment, .count = last->place, .last = last->id, .last_hash = *last->hash, .hash = {}};
    closed.hash = hash_of(closed, earlier ? earlier->hash : audit_root);
    put(closed);
    row.segment = closed.segment + 1;
    before = closed.hash;
  } else {
    row.segment = last->segment;
    row.place = last->place + 1;
    before = *last->hash;
  }
  row.hash = hash_of(row, before);
  put(row);
}

std::vector<AuditReading> AuditTable::readings_after(const std::optional<crypto::TokenId>& id, int count) {
  return readings_behind(id ? std::optional{id->view()} : std::nullopt, count);
}

AuditPage AuditTable::page_after(const std::optional<crypto::TokenId>& id, int count) {
  AuditPage page;
  std::optional<std::string> behind;
  if (id) behind = id->view();
  while (true) {
    std::vector<AuditReading> readings = readings_behind(behind, count);
    const bool is_end = std::ssize(readings) < count;
    for (AuditReading& each : readings) {
      behind = each ? std::string{each->event.id.view()} : each.error().id;
      if (each) {
        page.rows.push_back(*std::move(each));
        if (std::ssize(page.rows) == count) return page;
      } else if (page.strangers++ == 0) {
        page.first_stranger = std::move(each.error().what);
      }
    }
    if (is_end) return page;
  }
}

std::optional<std::int64_t> AuditTable::release_segment_before(base::UnixTime end) {
  const auto oldest = oldest_kept_checkpoint();
  if (!oldest || oldest->last.time() >= end) return std::nullopt;
  mark_removed(oldest->segment);
  return oldest->segment;
}

int AuditTable::remove_released(base::UnixTime end, int count) {
  if (const auto released = newest_removed_checkpoint()) return remove_rows_until(released->last, count);
  return remove_unchained_before(crypto::TokenId::first_at(end), count);
}

namespace {

constexpr std::string_view row_columns =
    "id, kind, client, user, family, reason, token, request, done_by, segment, place, hash";
constexpr std::string_view checkpoint_columns = "segment, count, last, last_hash, hash, is_removed, gone_to";

AuditEvent event_in(const store::Row& row) {
  AuditEvent event{.id = id_in(row, 0),
                   .kind = row.text(1),
                   .user = row.maybe_text(3),
                   .reason = row.text(5),
                   .token = maybe_id_in(row, 6),
                   .request = row.text(7),
                   .done_by = row.text(8)};
  if (const auto client = row.maybe_text(2)) event.client = ClientId{*client};
  if (const auto family = maybe_id_in(row, 4)) event.family = FamilyId{family->text()};
  return event;
}

AuditRow row_in(const store::Row& row) {
  AuditRow found{.event = event_in(row), .segment = row.integer(9), .place = row.integer(10)};
  if (!row.is_null(11)) found.hash = hash_in(row, 11);
  return found;
}

bool is_text(const AuditEvent& event) {
  const auto is_good = [](std::string_view text) { return wire::is_utf8(text); };
  return is_good(event.kind) && is_good(event.reason) && is_good(event.request) && is_good(event.done_by) &&
         is_good(event.user.value_or("")) && is_good(event.client.value_or(ClientId{}).value());
}

/// The row, or what makes it none: the database takes any bytes for an id, a hash or a text.
AuditReading reading_of(const store::Row& row) {
  std::string bytes = row.blob(0);
  const auto id = crypto::TokenId::from_bytes(bytes);
  if (!id) {
    constexpr std::size_t shown_max = 32;
    std::string what = fmt::format("an event whose id, {} bytes ({}), is none that the server makes", bytes.size(),
                                   crypto::hex(std::string_view{bytes}.substr(0, shown_max)));
    return std::unexpected(AuditStranger{std::move(bytes), std::move(what)});
  }
  const auto stranger = [&](std::string_view why) {
    return std::unexpected(AuditStranger{bytes, fmt::format("event {}, which cannot be read: {}", id->text(), why)});
  };
  try {
    AuditRow found = row_in(row);
    if (!is_text(found.event)) return stranger("its texts are no UTF-8");
    return found;
  } catch (const store::Error& error) {
    return stranger(error.what());
  }
}

/// The hash in a column that may hold anything; nothing where it is none.
std::optional<crypto::Digest> copied_hash_in(const store::Row& row, int column) {
  const std::string bytes = row.is_null(column) ? std::string{} : row.blob(column);
  if (bytes.size() != crypto::Digest{}.bytes.size()) return std::nullopt;
  return hash_in(row, column);
}

/// A row with its id as it is; no head where it is a stranger, behind which the trail must not go on.
struct HeadReading {
  std::string id;
  std::optional<AuditHead> head;
};

HeadReading head_in(const store::Row& row) {
  HeadReading reading{.id = row.blob(0), .head = std::nullopt};
  const auto id = crypto::TokenId::from_bytes(reading.id);
  const auto hash = copied_hash_in(row, 3);
  if (!id || (!hash && !row.is_null(3))) return reading;
  reading.head = AuditHead{.id = *id, .segment = row.integer(1), .place = row.integer(2), .hash = hash};
  return reading;
}

AuditCheckpoint checkpoint_in(const store::Row& row) try {
  return {.segment = row.integer(0),
          .count = row.integer(1),
          .last = id_in(row, 2),
          .last_hash = hash_in(row, 3),
          .hash = hash_in(row, 4),
          .is_removed = row.integer(5) != 0,
          .gone_to = copied_hash_in(row, 6)};
} catch (const store::Error& error) {
  const auto what = fmt::format("the checkpoint of segment {} cannot be read: {}", row.integer(0), error.what());
  throw store::Error{error.failure(), error.code(), what};
}

std::optional<crypto::TokenId> maybe_bytes_of(const std::optional<FamilyId>& family) {
  if (!family) return std::nullopt;
  return bytes_of(*family);
}

}  // namespace

std::vector<AuditEvent> SqlAudit::matching(const AuditFilter& filter, int count) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM events WHERE (id >= ?1 OR ?1 IS NULL) AND (id < ?2 OR ?2 IS NULL) AND (kind = ?3 OR ?3 IS NULL) "
      "AND (user = ?4 OR ?4 IS NULL) AND (client = ?5 OR ?5 IS NULL) AND (family = ?6 OR ?6 IS NULL) "
      "AND (token = ?7 OR ?7 IS NULL) AND (request = ?8 OR ?8 IS NULL) ORDER BY id DESC LIMIT ?9",
      row_columns);
  const auto family = maybe_bytes_of(filter.family);
  std::vector<AuditEvent> page;
  std::optional<std::string> before;
  if (filter.before) before = filter.before->view();
  while (true) {  // again, where strangers have taken places of the page
    const std::int64_t wanted = count - std::ssize(page);
    std::int64_t found = 0;
    std::string last;
    const store::Value end = before ? store::Value{store::Blob{*before}} : store::Value{std::nullopt};
    transaction_.each(sql,
                      {column_of(filter.from), end, filter.kind, filter.user, column_of(filter.client),
                       column_of(family), column_of(filter.token), filter.request, wanted},
                      [&](const store::Row& row) {
                        ++found;
                        last = row.blob(0);
                        if (auto reading = reading_of(row)) page.push_back(std::move(reading->event));
                      });
    if (found < wanted || std::ssize(page) == count) return page;
    before = std::move(last);
  }
}

std::vector<AuditReading> SqlAudit::readings_behind(std::optional<std::string_view> id, int count) {
  static const std::string first = fmt::format("SELECT {} FROM events ORDER BY id LIMIT ?1", row_columns);
  static const std::string next = fmt::format("SELECT {} FROM events WHERE id > ?1 ORDER BY id LIMIT ?2", row_columns);
  std::vector<AuditReading> page;
  const auto take = [&](const store::Row& row) { page.push_back(reading_of(row)); };
  if (id) {
    transaction_.each(next, {store::Blob{*id}, count}, take);
  } else {
    transaction_.each(first, {count}, take);
  }
  return page;
}

std::optional<AuditHead> SqlAudit::head() {
  if (head_) return head_;
  auto newest = transaction_.first("SELECT id, segment, place, hash FROM events ORDER BY id DESC LIMIT 1", {}, head_in);
  // Somebody may have put many rows behind it that are none of ours: not each is a question of its own.
  while (newest && !newest->head) {
    const std::string behind = std::move(newest->id);
    newest.reset();
    transaction_.each("SELECT id, segment, place, hash FROM events WHERE id < ?1 ORDER BY id DESC LIMIT 1000",
                      {store::Blob{behind}}, [&newest](const store::Row& row) {
                        if (!newest || !newest->head) newest = head_in(row);
                      });
  }
  if (newest) head_ = newest->head;
  return head_;
}

std::vector<AuditCheckpoint> SqlAudit::checkpoints_after(std::int64_t segment, int count) {
  static const std::string sql =
      fmt::format("SELECT {} FROM audit_checkpoints WHERE segment > ?1 ORDER BY segment LIMIT ?2", checkpoint_columns);
  std::vector<AuditCheckpoint> page;
  transaction_.each(sql, {segment, count}, [&](const store::Row& row) { page.push_back(checkpoint_in(row)); });
  return page;
}

std::optional<AuditCheckpoint> SqlAudit::newest_checkpoint() {
  static const std::string sql =
      fmt::format("SELECT {} FROM audit_checkpoints ORDER BY segment DESC LIMIT 1", checkpoint_columns);
  return transaction_.first(sql, {}, checkpoint_in);
}

std::optional<crypto::TokenId> SqlAudit::reader(std::string_view name) {
  return transaction_.first("SELECT last FROM audit_readers WHERE name = ?1", {name},
                            [](const store::Row& row) { return id_in(row, 0); });
}

void SqlAudit::put_reader(std::string_view name, const crypto::TokenId& last) {
  transaction_.run("INSERT INTO audit_readers (name, last) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET last = ?2",
                   {name, column_of(last)});
}

std::optional<AuditCheckpoint> SqlAudit::oldest_kept_checkpoint() {
  static const std::string sql =
      fmt::format("SELECT {} FROM audit_checkpoints WHERE is_removed = 0 ORDER BY segment LIMIT 1", checkpoint_columns);
  return transaction_.first(sql, {}, checkpoint_in);
}

std::optional<AuditCheckpoint> SqlAudit::newest_removed_checkpoint() {
  static const std::string sql = fmt::format(
      "SELECT {} FROM audit_checkpoints WHERE is_removed = 1 ORDER BY segment DESC LIMIT 1", checkpoint_columns);
  return transaction_.first(sql, {}, checkpoint_in);
}

void SqlAudit::put(const AuditRow& row) {
  const AuditEvent& event = row.event;
  const auto family = maybe_bytes_of(event.family);
  const crypto::Digest hash = row.hash.value_or(audit_root);
  transaction_.send(
      "INSERT INTO events (id, kind, client, user, family, reason, token, request, done_by, segment, place, hash) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      {column_of(event.id), event.kind, column_of(event.client), event.user, column_of(family), event.reason,
       column_of(event.token), event.request, event.done_by, row.segment, row.place, column_of(hash)});
  head_ = AuditHead{.id = event.id, .segment = row.segment, .place = row.place, .hash = hash};
}

void SqlAudit::put(const AuditCheckpoint& checkpoint) {
  transaction_.send(
      "INSERT INTO audit_checkpoints (segment, count, last, last_hash, hash, is_removed) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      {checkpoint.segment, checkpoint.count, column_of(checkpoint.last), column_of(checkpoint.last_hash),
       column_of(checkpoint.hash), column_of_truth(checkpoint.is_removed)});
}

void SqlAudit::mark_removed(std::int64_t segment) {
  transaction_.run("UPDATE audit_checkpoints SET is_removed = 1 WHERE segment = ?1", {segment});
}

int SqlAudit::remove_rows_until(const crypto::TokenId& last, int count) {
  head_.reset();
  transaction_.run(
      "UPDATE audit_checkpoints SET gone_to = newest.hash FROM "
      "(SELECT id, segment, hash FROM (SELECT id, segment, hash FROM events WHERE id <= ?1 ORDER BY id LIMIT ?2) "
      "AS oldest ORDER BY id DESC LIMIT 1) AS newest WHERE audit_checkpoints.segment = newest.segment",
      {column_of(last), count});
  return static_cast<int>(
      transaction_.run("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id <= ?1 ORDER BY id LIMIT ?2)",
                       {column_of(last), count}));
}

int SqlAudit::remove_unchained_before(const crypto::TokenId& end, int count) {
  head_.reset();
  return static_cast<int>(transaction_.run(
      "DELETE FROM events WHERE id IN (SELECT id FROM (SELECT id, segment FROM events WHERE id < ?1 ORDER BY id "
      "LIMIT ?2) AS oldest WHERE segment = 0)",
      {column_of(end), count}));
}

}  // namespace troupe::oauth
