// What somebody has put into the audit trail where nothing is looked for: the verifier finds it and says where.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "troupe/oauth/storage/testing/trail.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using stores::event;
using stores::fill;
using stores::first_day;
using stores::read;
using stores::Trail;

/// The trail of a table whose first segment was removed, and the event says so. Of its three rows the first `gone` are.
Trail cut_trail(int gone) {
  MemoryAudit table;
  fill(table);
  REQUIRE_EQ(table.release_segment_before(first_day + 24h), 1);
  table.append({.id = event(2.2).id, .kind = std::string{audit_removal_kind}, .reason = audit_removal_reason(1)});
  Trail trail = read(table);
  if (gone > 0) trail.checkpoints.front().gone_to = trail.rows[static_cast<std::size_t>(gone) - 1].hash;
  trail.rows.erase(trail.rows.begin(), trail.rows.begin() + gone);
  REQUIRE_EQ(trail.verify().fault, std::nullopt);
  REQUIRE_EQ(trail.verify().leaving, 3 - gone);
  return trail;
}

/// Puts a row at its place among the others.
void plant(Trail& trail, AuditRow row) {
  const auto behind =
      std::ranges::find_if(trail.rows, [&](const AuditRow& each) { return each.event.id > row.event.id; });
  trail.rows.insert(behind, std::move(row));
}

TEST_CASE("what is put in, or changed, where a segment was removed is found as well, and told by its place") {
  struct Row {
    const char* what;
    int gone;
    void (*deed)(Trail&);
    const char* told;
  };
  const AuditRow forged{.event = event(0.05, "forged"), .segment = 1, .place = 2, .hash = crypto::sha256("any")};
  static AuditRow planted;
  planted = forged;
  const Row rows[] = {
      {"an event where none is left", 3, [](Trail& t) { plant(t, planted); }, "(forged) was changed, or what says"},
      {"one that claims to be the first, and fits", 3,
       [](Trail& t) {
         planted.place = 1;
         planted.hash = hash_of(planted, audit_root);
         plant(t, planted);
       },
       "segment 1 was removed, and event"},
      {"one of a later segment", 3,
       [](Trail& t) {
         planted.segment = 2;
         plant(t, planted);
       },
       "says that it is of segment 2, and stands in 1"},
      {"one from outside of the chain", 3,
       [](Trail& t) {
         planted.segment = 0;
         planted.hash.reset();
         plant(t, planted);
       },
       "segment 1 was removed, and event"},
      {"one before what is left", 1, [](Trail& t) { plant(t, planted); }, "(forged) was changed, or what says"},
      {"one behind what is left", 1,
       [](Trail& t) {
         planted.event.id = event(0.5).id;
         plant(t, planted);
       },
       "says that it is of segment 1, and stands in 2"},
      {"a change of what is left", 1, [](Trail& t) { t.rows[1].event.reason = "forged"; }, "its hash does not fit"},
      {"a change of the first that is left", 1, [](Trail& t) { t.rows[0].event.reason = "forged"; },
       "its hash does not fit"},
      {"a change of the first, of which all is left", 0, [](Trail& t) { t.rows[0].event.reason = "forged"; },
       "its hash does not fit"},
      {"the end of what is left is removed", 0, [](Trail& t) { t.rows.erase(t.rows.begin() + 2); },
       "segment 1 was removed, and event"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Trail trail = cut_trail(row.gone);
    planted = forged;
    row.deed(trail);
    const auto fault = trail.verify().fault;
    REQUIRE(fault.has_value());
    CAPTURE(*fault);
    CHECK(fault->contains(row.told));
  }
}

TEST_CASE("rows that a database holds and the server never wrote are told by where they stand") {
  auto& server = store::test::PostgresServer::of_this_process();
  const std::unique_ptr<store::Session> sessions[] = {store::SqliteConnection::in_memory(),
                                                      server.session(server.make_database())};
  struct Row {
    const char* what;
    std::string id;
    std::string hash;
    std::string told;
  };
  const std::string zeros(16, '\0');
  const std::string hash(32, 'h');
  const std::string between = event(0.05).id.text();
  const std::string bytes{crypto::TokenId::parse(between)->view()};
  const Row rows[] = {
      {"an id of zeros", zeros, hash,
       "at the beginning stands an event whose id, 16 bytes (" + crypto::hex(zeros) + ")"},
      {"no id at all", "", hash, "at the beginning stands an event whose id, 0 bytes ()"},
      {"an id that is too long", bytes + "x", hash,
       "stands an event whose id, 17 bytes (" + crypto::hex(bytes) + "78)"},
      {"a hash that is none", bytes, "short", "stands event " + between + ", which cannot be read"},
      {"an id behind all", std::string(16, '\xff'), hash, "stands an event whose id, 16 bytes (ffff"},
  };
  for (const auto& session : sessions) {
    store::migrate(*session, schema(), stores::now);
    session->transact([](store::Transaction& transaction) {
      SqlAudit audit{transaction};
      fill(audit);
    });
    for (const Row& row : rows) {
      CAPTURE(row.what);
      session->transact([&](store::Transaction& transaction) {
        SqlAudit audit{transaction};
        const auto whole = audit.page_after(std::nullopt, 100);
        const std::string first = whole.rows.front().event.id.text();
        transaction.run(
            "INSERT INTO events (id, kind, reason, segment, place, hash) VALUES (?1, 'forged', '', 1, 2, ?2)",
            {store::Blob{row.id}, store::Blob{row.hash}});
        const auto verdict = verify_audit(
            {.rows = [&](const auto& after, int count) { return audit.readings_after(after, count); },
             .checkpoints = [&](std::int64_t after, int count) { return audit.checkpoints_after(after, count); }});
        REQUIRE(verdict.fault.has_value());
        CAPTURE(*verdict.fault);
        CHECK(verdict.fault->contains(row.told));
        if (row.id == bytes || row.id.size() == 17) CHECK(verdict.fault->contains("behind event " + first));
        CHECK_EQ(SqlAudit{transaction}.head()->id, whole.rows.back().event.id);  // what the next event goes on from
        for (const int count : {1, 2, 100}) {  // who goes along with the trail passes over it, and is told so
          std::optional<crypto::TokenId> after;
          std::int64_t strangers = 0;
          std::size_t rows = 0;
          for (AuditPage page = audit.page_after(after, count); !page.rows.empty();
               page = audit.page_after(after, count)) {
            after = page.rows.back().event.id;
            rows += page.rows.size();
            strangers += page.strangers;
            if (page.strangers > 0) CHECK(row.told.contains(page.first_stranger.substr(0, 20)));
          }
          CHECK_EQ(rows, whole.rows.size());
          const bool is_last = row.id.starts_with('\xff');  // and is met only by who looks behind the newest event
          CHECK_EQ(strangers, is_last && count == 1 ? 0 : 1);
          CHECK_EQ(audit.events(std::nullopt, count).size(),
                   std::min<std::size_t>(rows, static_cast<std::size_t>(count)));
        }
        transaction.run("DELETE FROM events WHERE kind = 'forged'");
      });
    }
  }
}

TEST_CASE("the newest event is found before thousands of rows that are none") {
  auto& server = store::test::PostgresServer::of_this_process();
  const std::unique_ptr<store::Session> sessions[] = {store::SqliteConnection::in_memory(),
                                                      server.session(server.make_database())};
  for (const auto& session : sessions) {
    store::migrate(*session, schema(), stores::now);
    session->transact([](store::Transaction& transaction) {
      SqlAudit audit{transaction};
      fill(audit);
      const auto newest = audit.head()->id;
      for (int n = 0; n < 2500; ++n) {
        const std::string id = fmt::format("\xff{:04}", n);
        transaction.run(
            "INSERT INTO events (id, kind, reason, segment, place, hash) VALUES (?1, 'forged', '', 1, 2, ?1)",
            {store::Blob{id}});
      }
      CHECK_EQ(SqlAudit{transaction}.head()->id, newest);
      transaction.run("DELETE FROM events WHERE kind <> 'forged'", {});
      CHECK_FALSE(SqlAudit{transaction}.head());
    });
  }
}

TEST_CASE(
    "before a trail that began with nothing before it nothing can be put, and before one that did not it is told") {
  MemoryAudit table;
  fill(table);
  Trail trail = read(table);
  plant(trail, {.event = event(-1, "forged")});
  CHECK(trail.verify().fault->contains("1 events stand before event"));

  Trail older = read(table);  // as trails were written before they said so
  std::erase_if(older.rows, [](const AuditRow& row) { return row.segment > 1; });
  older.checkpoints.clear();
  crypto::Digest before = audit_root;
  for (AuditRow& row : older.rows) row.hash = before = hash_of(row, before);
  CHECK_EQ(older.verify().fault, std::nullopt);
  plant(older, {.event = event(-1, "forged")});
  CHECK_EQ(older.verify().fault, std::nullopt);
  CHECK_EQ(older.verify().unchained, 1);
}

TEST_CASE_TEMPLATE("what is left of a removed segment is vouched for from its first event on", Store, stores::InMemory,
                   stores::BySql) {
  Store{}.with([](Tables t) {
    fill(t.audit);
    REQUIRE_EQ(t.audit.release_segment_before(first_day + 24h), 1);
    t.audit.append({.id = event(2.2).id, .kind = std::string{audit_removal_kind}, .reason = audit_removal_reason(1)});
    for (const int gone : {0, 1, 1}) {
      REQUIRE_EQ(t.audit.remove_released(first_day + 24h, gone), gone);
      const Trail trail = read(t.audit);
      REQUIRE_EQ(trail.verify().fault, std::nullopt);
      REQUIRE_GT(trail.verify().leaving, 0);
      Trail changed = trail;
      changed.rows.front().event.reason = "forged";
      CHECK(changed.verify().fault->contains("its hash does not fit"));
      if (trail.verify().leaving == 3) continue;
      Trail silent = trail;
      silent.checkpoints.front().gone_to.reset();
      CHECK(silent.verify().fault->contains("its hash does not fit"));
    }
    REQUIRE_EQ(t.audit.remove_released(first_day + 24h, 1), 1);
    CHECK_EQ(read(t.audit).verify().fault, std::nullopt);
    CHECK_EQ(read(t.audit).verify().leaving, 0);
  });
}

TEST_CASE("a checkpoint before the first is told by its number") {
  MemoryAudit table;
  fill(table);
  Trail trail = read(table);
  for (const std::int64_t segment : {0, -7}) {
    AuditCheckpoint planted = trail.checkpoints.front();
    planted.segment = segment;
    Trail spoilt = trail;
    spoilt.checkpoints.insert(spoilt.checkpoints.begin(), planted);
    CHECK(spoilt.verify().fault->contains(fmt::format("a checkpoint of segment {}", segment)));
  }
}

}  // namespace
}  // namespace troupe::oauth
