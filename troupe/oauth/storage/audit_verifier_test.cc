// The chain of the audit trail: whatever is done to its rows, the verifier finds it and says where.
#include "troupe/oauth/storage/audit_verifier.h"

#include <doctest/doctest.h>

#include <functional>

#include "troupe/oauth/storage/testing/trail.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using stores::BySql;
using stores::event;
using stores::fill;
using stores::first_day;
using stores::InMemory;
using stores::read;
using stores::Trail;

Trail whole_trail() {
  MemoryAudit table;
  fill(table);
  return read(table);
}

TEST_CASE_TEMPLATE("what is appended is a chain of segments, one for each day", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    CHECK_FALSE(t.audit.head().has_value());
    fill(t.audit);
    const Trail trail = read(t.audit);
    REQUIRE_EQ(trail.rows.size(), 7);
    REQUIRE_EQ(trail.checkpoints.size(), 2);
    CHECK_EQ(trail.checkpoints[0].count, 3);
    CHECK_EQ(trail.checkpoints[1].last, trail.rows[4].event.id);
    const AuditVerdict verdict = trail.verify();
    CHECK_EQ(verdict.fault, std::nullopt);
    CHECK_EQ(verdict.events, 7);
    CHECK_EQ(verdict.segments_closed, 2);
    CHECK_EQ(verdict.newest, t.audit.head()->hash);
    CHECK_EQ(t.audit.newest_checkpoint()->hash, trail.checkpoints[1].hash);
  });
}

TEST_CASE_TEMPLATE("an event says all that it was given, and stands behind those before it, whatever its id", Store,
                   InMemory, BySql) {
  Store{}.with([](Tables t) {
    AuditEvent full = event(1);
    full.client = ClientId{"c_shop"};
    full.user = "0011223344556677";
    full.family = FamilyId{stores::id(1).text()};
    full.token = stores::id(2);
    full.request = "r-1";
    full.done_by = "command line";
    t.audit.append(full);
    t.audit.append(event(0.5, "late"));  // of a clock that is behind, or of an actor that was held up
    t.audit.append(full);                // the same id once more
    const Trail trail = read(t.audit);
    REQUIRE_EQ(trail.rows.size(), 3);
    const AuditEvent& kept = trail.rows.front().event;
    CHECK_EQ(kept.client, full.client);
    CHECK_EQ(kept.user, full.user);
    CHECK_EQ(kept.family, full.family);
    CHECK_EQ(kept.token, full.token);
    CHECK_EQ(kept.request, full.request);
    CHECK_EQ(kept.done_by, full.done_by);
    CHECK_EQ(kept.reason, full.reason);
    CHECK_EQ(trail.rows[1].event.kind, "late");
    CHECK_EQ(trail.verify().fault, std::nullopt);
  });
}

TEST_CASE_TEMPLATE("events are found by each of what they say, and by all of it", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    AuditEvent full = event(1);
    full.client = ClientId{"c_shop"};
    full.user = "0011223344556677";
    full.family = FamilyId{stores::id(1).text()};
    full.token = stores::id(2);
    full.request = "r-1";
    t.audit.append(event(0));
    t.audit.append(full);
    t.audit.append(event(2, "other"));
    const auto count = [&](const AuditFilter& filter) { return t.audit.matching(filter, 10).size(); };
    CHECK_EQ(count({}), 3);
    CHECK_EQ(count({.kind = "other"}), 1);
    CHECK_EQ(count({.user = full.user}), 1);
    CHECK_EQ(count({.client = full.client}), 1);
    CHECK_EQ(count({.family = full.family}), 1);
    CHECK_EQ(count({.token = full.token}), 1);
    CHECK_EQ(count({.request = full.request}), 1);
    CHECK_EQ(count({.from = full.id}), 2);
    CHECK_EQ(count({.before = full.id}), 1);
    CHECK_EQ(count({.from = full.id, .kind = "other", .client = full.client}), 0);
    CHECK_EQ(t.audit.matching({}, 1).front().kind, "other");
  });
}

TEST_CASE_TEMPLATE("a reader is found where it was left", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    CHECK_FALSE(t.audit.reader("webhook").has_value());
    t.audit.put_reader("webhook", stores::id(1));
    t.audit.put_reader("webhook", stores::id(2));
    t.audit.put_reader("other", stores::id(3));
    CHECK_EQ(t.audit.reader("webhook"), stores::id(2));
  });
}

struct Tampering {
  const char* what;
  void (*deed)(Trail&);
  const char* told;
};

TEST_CASE("whatever is done to a row or checkpoint is found, and told by its place") {
  const Tampering tamperings[] = {
      {"a reason is changed", [](Trail& t) { t.rows[1].event.reason = "of another"; }, "its hash does not fit"},
      {"a client is added", [](Trail& t) { t.rows[1].event.client = ClientId{"c_x"}; }, "its hash does not fit"},
      {"a word moves to the next column",
       [](Trail& t) {
         t.rows[1].event.request = "b";
         t.rows[1].event.reason = "ecause";
       },
       "its hash does not fit"},
      {"a hash is changed", [](Trail& t) { t.rows[1].hash->bytes[5] ^= 1; }, "its hash does not fit"},
      {"a hash is taken away", [](Trail& t) { t.rows[1].hash.reset(); }, "its hash does not fit"},
      {"a row is removed", [](Trail& t) { t.rows.erase(t.rows.begin() + 1); }, "something is missing"},
      {"the first row is removed", [](Trail& t) { t.rows.erase(t.rows.begin()); }, "something is missing"},
      {"the last row of a segment is removed", [](Trail& t) { t.rows.erase(t.rows.begin() + 2); },
       "segment 1 ends after 2 events"},
      {"two rows change places", [](Trail& t) { std::swap(t.rows[0].event, t.rows[1].event); },
       "its hash does not fit"},
      {"two whole rows change places",
       [](Trail& t) {
         std::swap(t.rows[0], t.rows[1]);
         std::swap(t.rows[0].event.id, t.rows[1].event.id);
       },
       "something is missing"},
      {"a row is put in",
       [](Trail& t) {
         AuditRow row = t.rows[1];
         row.event.id = event(0.15).id;
         t.rows.insert(t.rows.begin() + 2, row);
       },
       "something is missing"},
      {"a row moves to another segment", [](Trail& t) { t.rows[4].segment = 3; }, "ends after 1 events"},
      {"a row is made older than the chain", [](Trail& t) { t.rows[1].segment = 0; }, "segment 0"},
      {"a count is changed", [](Trail& t) { ++t.checkpoints[0].count; }, "its checkpoint speaks of 4"},
      {"a checkpoint's hash is changed", [](Trail& t) { t.checkpoints[1].hash.bytes[0] ^= 1; },
       "checkpoint of segment 2 was changed"},
      {"a checkpoint is removed", [](Trail& t) { t.checkpoints.erase(t.checkpoints.begin()); },
       "checkpoint of segment 1 is missing"},
      {"the last checkpoint is removed", [](Trail& t) { t.checkpoints.pop_back(); },
       "checkpoint of segment 2 is missing"},
      {"a segment is forged with its checkpoint",
       [](Trail& t) {
         t.rows[3].event.reason = "forged";
         t.rows[3].hash = hash_of(t.rows[3], t.checkpoints[0].hash);
         t.rows[4].hash = hash_of(t.rows[4], *t.rows[3].hash);
         t.checkpoints[1].last_hash = *t.rows[4].hash;
         t.checkpoints[1].hash = hash_of(t.checkpoints[1], t.checkpoints[0].hash);
       },
       "its hash does not fit"},
      {"a segment is marked as removed, and its rows are gone",
       [](Trail& t) {
         t.checkpoints[0].is_removed = true;
         t.rows.erase(t.rows.begin(), t.rows.begin() + 3);
       },
       "the events of segment 1 are gone, and no event says"},
      {"a later segment is marked as removed", [](Trail& t) { t.checkpoints[1].is_removed = true; },
       "not the one before it"},
  };
  for (const Tampering& row : tamperings) {
    CAPTURE(row.what);
    Trail trail = whole_trail();
    REQUIRE_EQ(trail.verify().fault, std::nullopt);
    row.deed(trail);
    const auto fault = trail.verify().fault;
    REQUIRE(fault.has_value());
    CAPTURE(*fault);
    CHECK(fault->contains(row.told));
  }
}

TEST_CASE(
    "a tail that was cut off, or forged to its end, is shown by a hash that was kept elsewhere, and else by none") {
  const Trail trail = whole_trail();
  const crypto::Digest event_hash = *trail.rows.back().hash;
  const crypto::Digest checkpoint_hash = trail.checkpoints.back().hash;
  CHECK_EQ(trail.verify(event_hash).fault, std::nullopt);
  CHECK_EQ(trail.verify(checkpoint_hash).fault, std::nullopt);
  CHECK(trail.verify(crypto::sha256("another")).fault.has_value());

  Trail cut = trail;
  cut.rows.pop_back();
  CHECK_EQ(cut.verify().fault, std::nullopt);
  CHECK_EQ(cut.verify(checkpoint_hash).fault, std::nullopt);
  CHECK(cut.verify(event_hash).fault->contains("kept elsewhere"));

  MemoryAudit forged;  // the whole of it written anew
  for (const AuditRow& row : trail.rows) {
    AuditEvent each = row.event;
    each.reason = "forged";
    forged.append(each);
  }
  CHECK_EQ(read(forged).verify().fault, std::nullopt);
  CHECK(read(forged).verify(checkpoint_hash).fault.has_value());
}

TEST_CASE_TEMPLATE("old segments go step by step, and what is left is whole, back to the first checkpoint", Store,
                   InMemory, BySql) {
  Store{}.with([](Tables t) {
    fill(t.audit);
    const crypto::Digest first = read(t.audit).checkpoints[0].hash;
    const auto end = first_day + 24h * 2;  // both closed segments are older
    CHECK_EQ(t.audit.release_segment_before(first_day), std::nullopt);
    CHECK_EQ(t.audit.release_segment_before(end), 1);
    CHECK_EQ(t.audit.remove_released(end, 2), 2);  // a part of the segment
    CHECK(read(t.audit).verify().fault->contains("no event says"));
    t.audit.append({.id = event(2.2).id, .kind = std::string{audit_removal_kind}, .reason = audit_removal_reason(1)});
    CHECK_EQ(read(t.audit).verify(first).fault, std::nullopt);
    CHECK_EQ(t.audit.remove_released(end, 10), 1);
    CHECK_EQ(t.audit.remove_released(end, 10), 0);
    CHECK_EQ(t.audit.release_segment_before(end), 2);
    CHECK_EQ(t.audit.release_segment_before(end), std::nullopt);  // the open one stays
    t.audit.append({.id = event(2.3).id, .kind = std::string{audit_removal_kind}, .reason = audit_removal_reason(2)});
    CHECK_EQ(t.audit.remove_released(end, 10), 2);
    const AuditVerdict verdict = read(t.audit).verify(first);
    CHECK_EQ(verdict.fault, std::nullopt);
    CHECK_EQ(verdict.segments_removed, 2);
    CHECK_EQ(verdict.events, 4);
  });
}

/// Walks the table as it is at each call; behind the `nth` page of rows, from 1, `deed` is done before it is read.
AuditVerdict verify_during(MemoryAudit& table, int nth, const std::function<void()>& deed) {
  int pages = 0;
  return verify_audit(
      {.rows =
           [&](const std::optional<crypto::TokenId>& after, int count) {
             if (++pages == nth) deed();
             return table.readings_after(after, count);
           },
       .checkpoints = [&](std::int64_t after, int count) { return table.checkpoints_after(after, count); }});
}

/// Removes the oldest segment as the server does, and says so.
void remove_oldest(MemoryAudit& table) {
  const auto end = first_day + 24h * 30;
  const auto segment = table.release_segment_before(end);
  REQUIRE(segment.has_value());
  table.append(
      {.id = event(2.5).id, .kind = std::string{audit_removal_kind}, .reason = audit_removal_reason(*segment)});
  table.remove_released(end, 10'000);
}

TEST_CASE("a segment that closes while it is walked is whole, and so is what has come behind it") {
  for (const int page : {1, 2, 3}) {
    MemoryAudit table;
    for (int n = 0; n < 1500; ++n) table.append(event(0.1));
    const AuditVerdict verdict = verify_during(table, page, [&] {
      for (const double days : {1.0, 1.1, 2.0}) table.append(event(days));
    });
    CAPTURE(page);
    CHECK_EQ(verdict.fault, std::nullopt);
    CHECK_EQ(verdict.events, 1503);
    CHECK_EQ(verdict.segments_closed, 2);
    CHECK_EQ(verdict.newest, table.head()->hash);
  }
}

TEST_CASE("a segment that closes while it is walked is held to its checkpoint") {
  MemoryAudit table;
  for (const double days : {0.0, 0.1, 0.2}) table.append(event(days));
  Trail trail = read(table);
  table.append(event(1));
  Trail closed = read(table);
  ++closed.checkpoints[0].count;
  bool is_closed = false;
  const AuditVerdict verdict = verify_audit(
      {.rows =
           [&](const std::optional<crypto::TokenId>& after, int) {
             is_closed = true;
             return after ? std::vector<AuditReading>{}
                          : std::vector<AuditReading>(closed.rows.begin(), closed.rows.end());
           },
       .checkpoints = [&](std::int64_t after,
                          int) { return is_closed && after < 1 ? closed.checkpoints : trail.checkpoints; }});
  REQUIRE(verdict.fault.has_value());
  CHECK(verdict.fault->contains("its checkpoint speaks of 4"));
}

TEST_CASE("segments that are removed while they are walked, or behind the walk, are no fault") {
  for (const int page : {1, 2, 3}) {
    for (const int removed : {1, 2}) {
      MemoryAudit table;
      for (int n = 0; n < 1500; ++n) table.append(event(0.1));
      for (int n = 0; n < 600; ++n) table.append(event(1.1));
      table.append(event(2.1));
      const AuditVerdict verdict = verify_during(table, page, [&] {
        for (int n = 0; n < removed; ++n) remove_oldest(table);
      });
      CAPTURE(page);
      CAPTURE(removed);
      CHECK_EQ(verdict.fault, std::nullopt);
      CHECK_EQ(verdict.segments_closed, 2);
      CHECK_EQ(verdict.newest, table.head()->hash);
    }
  }
}

/// Four segments of 700 events each, and the open one, which a page of the walk does not hold at once.
MemoryAudit long_table() {
  MemoryAudit table;
  for (int day = 0; day < 4; ++day)
    for (int n = 0; n < 700; ++n) table.append(event(day + 0.1));
  table.append(event(4.1));
  return table;
}

TEST_CASE("segments whose rows go a few at a time while they are walked are no fault, wherever that begins and stops") {
  const MemoryAudit untouched = long_table();
  const auto end = first_day + 24h * 30;
  for (const int segments : {1, 2, 3}) {
    for (const int begin : {0, 1, 2, 3}) {
      for (const int step : {1, 250, 700, 1500}) {
        MemoryAudit table = untouched;
        int calls = 0;
        const auto go_on = [&] {
          if (calls++ == begin) {
            for (int n = 1; n <= segments; ++n) {
              REQUIRE_EQ(table.release_segment_before(end), n);
              table.append(
                  {.id = event(4.2).id, .kind = std::string{audit_removal_kind}, .reason = audit_removal_reason(n)});
            }
          }
          if (calls > begin) table.remove_released(end, step);
        };
        const AuditVerdict verdict = verify_audit(
            {.rows =
                 [&](const std::optional<crypto::TokenId>& after, int count) {
                   go_on();
                   return table.readings_after(after, count);
                 },
             .checkpoints = [&](std::int64_t after, int count) { return table.checkpoints_after(after, count); }});
        CAPTURE(segments);
        CAPTURE(begin);
        CAPTURE(step);
        CHECK_EQ(verdict.fault, std::nullopt);
        CHECK_EQ(verdict.segments_closed, 4);
        CHECK_EQ(verdict.newest, table.head()->hash);
      }
    }
  }
}

TEST_CASE("events that are older than the chain stand before it, and go by their age") {
  auto& server = store::test::PostgresServer::of_this_process();
  const std::unique_ptr<store::Session> sessions[] = {store::SqliteConnection::in_memory(),
                                                      server.session(server.make_database())};
  for (const auto& session : sessions) {
    store::migrate(*session, schema().first(5), stores::now);  // a database of the time before
    session->transact([](store::Transaction& transaction) {
      for (int n = 1; n <= 3; ++n) {
        const crypto::TokenId id = stores::id(n);
        transaction.run("INSERT INTO events (id, kind, reason) VALUES (?1, 'code_made', 'old')",
                        {store::Blob{id.view()}});
      }
    });
    store::migrate(*session, schema(), stores::now);
    session->transact([](store::Transaction& transaction) {
      SqlAudit audit{transaction};
      audit.append(event(1));
      audit.append(event(2));
      const AuditVerdict verdict = read(audit).verify();
      CHECK_EQ(verdict.fault, std::nullopt);
      CHECK_EQ(verdict.unchained, 3);
      CHECK_EQ(verdict.events, 2);
      CHECK_EQ(audit.remove_released(stores::at(3), 10), 2);
      CHECK_EQ(audit.remove_released(stores::now + 24h * 30, 10), 1);
      CHECK_EQ(audit.remove_released(stores::now + 24h * 30, 10), 0);
      CHECK_EQ(read(audit).verify().fault, std::nullopt);
    });
  }
}

}  // namespace
}  // namespace troupe::oauth
