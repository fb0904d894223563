// See sql_journal.h.
#include "troupe/store/sql_journal.h"

namespace troupe::store {
namespace {

using actor::Head;
using actor::PersistenceId;
using actor::Record;
using actor::Refusal;
using actor::Sequence;
using actor::Snapshot;
using actor::StoredEvent;
using actor::Task;

constexpr std::int64_t page_bytes = 1024 * 1024;

constexpr std::string_view first_tables = R"sql(
CREATE TABLE journal_entities (
  number   INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  epoch    INTEGER NOT NULL,
  sequence INTEGER NOT NULL
) STRICT;
CREATE TABLE journal_events (
  position    INTEGER PRIMARY KEY,
  entity      INTEGER NOT NULL REFERENCES journal_entities,
  sequence    INTEGER NOT NULL,
  name        TEXT NOT NULL,
  version     INTEGER NOT NULL,
  bytes       BLOB NOT NULL,
  recorded_at INTEGER NOT NULL,
  UNIQUE (entity, sequence)
) STRICT;
CREATE TABLE journal_snapshots (
  entity   INTEGER NOT NULL REFERENCES journal_entities,
  sequence INTEGER NOT NULL,
  name     TEXT NOT NULL,
  version  INTEGER NOT NULL,
  bytes    BLOB NOT NULL,
  saved_at INTEGER NOT NULL,
  UNIQUE (entity, sequence)
) STRICT;
)sql";

constexpr Migration migrations[] = {{1, "journal", first_tables}};

struct Entity {
  std::int64_t number = 0;
  std::optional<Head> head;  // none: nobody has activated it
};

Entity find(Transaction& t, const PersistenceId& id) {
  auto found = t.first("SELECT number, epoch, sequence FROM journal_entities WHERE id = ?1", {id.value()},
                       [](const Row& row) { return Entity{row.integer(0), Head{row.integer(1), row.integer(2)}}; });
  return found.value_or(Entity{});
}

Head activate_in(Transaction& t, const PersistenceId& id) {
  return t
      .first(
          "INSERT INTO journal_entities (id, epoch, sequence) VALUES (?1, 1, 0) "
          "ON CONFLICT (id) DO UPDATE SET epoch = journal_entities.epoch + 1 RETURNING epoch, sequence",
          {id.value()}, [](const Row& row) { return Head{row.integer(0), row.integer(1)}; })
      .value();
}

std::expected<Sequence, Refusal> append_in(Transaction& t, const PersistenceId& id, Head head,
                                           const std::vector<Record>& events, base::UnixTime now) {
  const Entity entity = find(t, id);
  if (auto refusal = refusal_of(head, entity.head)) return std::unexpected(std::move(*refusal));
  for (const Record& event : events) {
    t.send(
        "INSERT INTO journal_events (entity, sequence, name, version, bytes, recorded_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        {entity.number, ++head.sequence, event.name, event.version, Blob{event.bytes}, now.milliseconds});
  }
  t.send("UPDATE journal_entities SET sequence = ?2 WHERE number = ?1", {entity.number, head.sequence});
  return head.sequence;
}

std::expected<void, Refusal> save_in(Transaction& t, const PersistenceId& id, Head head, const Record& state,
                                     std::size_t keep, base::UnixTime now) {
  const Entity entity = find(t, id);
  if (auto refusal = refusal_of(head, entity.head)) return std::unexpected(std::move(*refusal));
  t.send(
      "INSERT INTO journal_snapshots (entity, sequence, name, version, bytes, saved_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (entity, sequence) DO UPDATE SET "
      "name = excluded.name, version = excluded.version, bytes = excluded.bytes, saved_at = excluded.saved_at",
      {entity.number, head.sequence, state.name, state.version, Blob{state.bytes}, now.milliseconds});
  t.send(
      "DELETE FROM journal_snapshots WHERE entity = ?1 AND sequence <= "
      "(SELECT sequence FROM journal_snapshots WHERE entity = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)",
      {entity.number, static_cast<std::int64_t>(keep)});
  return {};
}

/// The last event of the page that begins after `after`, bounded before any bytes are read.
Sequence end_of_page(Transaction& t, std::int64_t entity, Sequence after, std::size_t count_max) {
  Sequence last = after;
  std::int64_t bytes = 0;
  t.each(
      "SELECT sequence, length(bytes) FROM journal_events WHERE entity = ?1 AND sequence > ?2 "
      "ORDER BY sequence LIMIT ?3",
      {entity, after, static_cast<std::int64_t>(count_max)}, [&](const Row& row) {
        bytes += row.integer(1);
        if (last == after || bytes <= page_bytes) last = row.integer(0);
      });
  return last;
}

std::vector<StoredEvent> read_in(Transaction& t, const PersistenceId& id, Sequence after, std::size_t count_max) {
  const std::int64_t entity = find(t, id).number;
  std::vector<StoredEvent> page;
  t.each(
      "SELECT sequence, name, version, bytes FROM journal_events "
      "WHERE entity = ?1 AND sequence > ?2 AND sequence <= ?3 ORDER BY sequence",
      {entity, after, end_of_page(t, entity, after, count_max)}, [&](const Row& row) {
        page.push_back({row.integer(0), {row.text(1), static_cast<std::int32_t>(row.integer(2)), row.blob(3)}});
      });
  return page;
}

std::optional<Snapshot> load_in(Transaction& t, const PersistenceId& id, Sequence at_most) {
  return t.first(
      "SELECT sequence, name, version, bytes FROM journal_snapshots "
      "WHERE entity = (SELECT number FROM journal_entities WHERE id = ?1) AND sequence <= ?2 "
      "ORDER BY sequence DESC LIMIT 1",
      {id.value(), at_most}, [](const Row& row) {
        return Snapshot{row.integer(0), {row.text(1), static_cast<std::int32_t>(row.integer(2)), row.blob(3)}};
      });
}

std::expected<std::size_t, Refusal> trim_in(Transaction& t, const PersistenceId& id, Head head, Sequence up_to,
                                            std::size_t count_max) {
  const Entity entity = find(t, id);
  if (auto refusal = refusal_of(head, entity.head)) return std::unexpected(std::move(*refusal));
  return static_cast<std::size_t>(
      t.run("DELETE FROM journal_events WHERE position IN (SELECT position FROM journal_events "
            "WHERE entity = ?1 AND sequence <= ?2 ORDER BY sequence LIMIT ?3)",
            {entity.number, up_to, static_cast<std::int64_t>(count_max)}));
}

std::vector<PersistenceId> entities_in(Transaction& t, const PersistenceId& after, std::size_t count_max) {
  std::vector<PersistenceId> names;
  t.each("SELECT id FROM journal_entities WHERE id > ?1 ORDER BY id LIMIT ?2",
         {after.value(), static_cast<std::int64_t>(count_max)},
         [&](const Row& row) { names.emplace_back(row.text(0)); });
  return names;
}

base::UnixTime now() { return actor::Core::current()->wall(); }

class SqlJournal final : public actor::Journal {
 public:
  explicit SqlJournal(Database database) : database_(std::move(database)) {}

  Task<Head> activate(PersistenceId id) override {
    return write([id = std::move(id)](Transaction& t) { return activate_in(t, id); });
  }

  Task<std::optional<Head>> find(PersistenceId id) override {
    return query([id = std::move(id)](Transaction& t) { return store::find(t, id).head; });
  }

  Task<std::expected<Sequence, Refusal>> append(PersistenceId id, Head head, std::vector<Record> events) override {
    if (auto refusal = actor::refusal_of(events)) co_return std::unexpected(std::move(*refusal));
    auto appended = co_await write([id = std::move(id), head, events = std::move(events), at = now()](Transaction& t) {
      return append_in(t, id, head, events, at);
    });
    co_return appended;
  }

  Task<std::vector<StoredEvent>> read(PersistenceId id, Sequence after, std::size_t count_max) override {
    return query([=](Transaction& t) { return read_in(t, id, after, count_max); });
  }

  Task<std::expected<void, Refusal>> save(PersistenceId id, Head head, Record state, std::size_t keep) override {
    if (auto refusal = actor::refusal_of(state)) co_return std::unexpected(std::move(*refusal));
    auto saved = co_await write([id = std::move(id), head, state = std::move(state), keep, at = now()](Transaction& t) {
      return save_in(t, id, head, state, keep, at);
    });
    co_return saved;
  }

  Task<std::optional<Snapshot>> load(PersistenceId id, Sequence at_most) override {
    return query([=](Transaction& t) { return load_in(t, id, at_most); });
  }

  Task<std::expected<std::size_t, Refusal>> trim(PersistenceId id, Head head, Sequence up_to,
                                                 std::size_t count_max) override {
    return write([=](Transaction& t) { return trim_in(t, id, head, up_to, count_max); });
  }

  Task<std::vector<PersistenceId>> entities(PersistenceId after, std::size_t count_max) override {
    return query([=](Transaction& t) { return entities_in(t, after, count_max); });
  }

 private:
  template <class F>
  Task<Database::Result<F>> write(F work) const {
    return translated(database_.write(std::move(work)));
  }
  /// A Database counts its readers through on its own, so each call has a copy: this object is used on many cores.
  template <class F>
  Task<Database::Result<F>> query(F work) const {
    return translated(Database{database_}.read(std::move(work)));
  }

  template <class R>
  static Task<R> translated(Task<R> task) {
    try {
      R result = co_await std::move(task);
      co_return std::move(result);
    } catch (const Error& error) {
      throw actor::JournalFailed(error.what());
    }
  }

  const Database database_;
};

}  // namespace

std::span<const Migration> sql_journal_migrations() { return migrations; }

std::shared_ptr<actor::Journal> sql_journal(Database database) {
  return std::make_shared<SqlJournal>(std::move(database));
}

std::shared_ptr<Engine> sql_journal_engine(std::shared_ptr<Engine> engine) {
  const auto session = engine->open();
  migrate(*session, migrations, base::system_clock().wall());
  return engine;
}

std::shared_ptr<Engine> sql_journal_engine(const SqliteOptions& file) {
  return sql_journal_engine(sqlite_engine(file));
}

}  // namespace troupe::store
