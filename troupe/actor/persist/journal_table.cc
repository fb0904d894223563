// See journal_table.h.
#include "troupe/actor/persist/journal_table.h"

#include <algorithm>

#include "troupe/actor/codec.h"

namespace troupe::actor {
namespace {

constexpr std::size_t page_bytes = 1024 * 1024;
constexpr std::size_t header_bytes = 12;  // length of the content, and its checksum

/// FNV-1a: tells a torn record from a whole one.
std::uint64_t checksum_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string header_of(std::string_view content) {
  return encode(std::pair{static_cast<std::uint32_t>(content.size()), checksum_of(content)});
}

}  // namespace

struct JournalTable::Change {
  PersistenceId entity;
  bool activates = false;  // the epoch rises by one
  std::vector<Record> events;
  std::optional<Record> state;
  std::uint64_t keep = 0;   // snapshots
  std::uint64_t trims = 0;  // events
};

JournalTable::JournalTable(SimulatedFile log) : log_(std::move(log)) {
  const std::string all = log_.read_all();
  std::size_t whole = 0;
  for (std::string_view rest = all; rest.size() >= header_bytes;) {
    const auto [length, checksum] = decode<std::pair<std::uint32_t, std::uint64_t>>(rest.substr(0, header_bytes));
    if (rest.size() - header_bytes < length) break;
    const std::string_view content = rest.substr(header_bytes, length);
    if (checksum_of(content) != checksum) break;
    apply(decode<Change>(content));
    rest.remove_prefix(header_bytes + length);
    whole += header_bytes + length;
  }
  if (whole == all.size()) return;
  log_.truncate(whole);
  log_.sync();  // or the next crash might bring back what was cut off, behind what is written now
}

void JournalTable::apply(Change change) {
  Entity& entity = entities_[change.entity];
  if (change.activates) ++entity.epoch;
  for (Record& event : change.events) entity.events.push_back(std::move(event));
  for (std::uint64_t left = change.trims; left > 0; --left) entity.events.pop_front();
  entity.trimmed += static_cast<Sequence>(change.trims);
  if (change.state) entity.snapshots[entity.head().sequence] = std::move(*change.state);
  while (change.keep > 0 && entity.snapshots.size() > change.keep) entity.snapshots.erase(entity.snapshots.begin());
}

void JournalTable::commit(Change change) {
  const std::string content = encode(change);
  write(header_of(content) + content);
  apply(std::move(change));
}

void JournalTable::write(std::string_view record) {
  const std::uint64_t end = log_.size();
  try {
    log_.append(record);
  } catch (const DiskError&) {
    log_.truncate(end);  // so that the next record stands behind the last whole one
    throw;
  }
}

std::optional<Head> JournalTable::find(const PersistenceId& id) const {
  const auto at = entities_.find(id);
  if (at == entities_.end()) return std::nullopt;
  return at->second.head();
}

Head JournalTable::activate(const PersistenceId& id) {
  commit({.entity = id, .activates = true});
  return entities_.at(id).head();
}

std::expected<Sequence, Refusal> JournalTable::append(const PersistenceId& id, Head head, std::vector<Record> events) {
  if (auto refusal = refusal_of(events)) return std::unexpected(std::move(*refusal));
  if (auto refusal = refusal_of(head, find(id))) return std::unexpected(std::move(*refusal));
  commit({.entity = id, .events = std::move(events)});
  return entities_.at(id).head().sequence;
}

std::expected<void, Refusal> JournalTable::save(const PersistenceId& id, Head head, Record state, std::size_t keep) {
  if (auto refusal = refusal_of(state)) return std::unexpected(std::move(*refusal));
  if (auto refusal = refusal_of(head, find(id))) return std::unexpected(std::move(*refusal));
  commit({.entity = id, .state = std::move(state), .keep = keep});
  return {};
}

std::vector<StoredEvent> JournalTable::read(const PersistenceId& id, Sequence after, std::size_t count_max) const {
  std::vector<StoredEvent> page;
  const auto at = entities_.find(id);
  if (at == entities_.end()) return page;
  const auto& [epoch, events, trimmed, snapshots] = at->second;
  std::size_t bytes = 0;
  for (auto i = static_cast<std::size_t>(std::max(after - trimmed, Sequence{0}));
       i < events.size() && page.size() < count_max; ++i) {
    bytes += events[i].bytes.size();
    if (!page.empty() && bytes > page_bytes) break;
    page.push_back({trimmed + static_cast<Sequence>(i + 1), events[i]});
  }
  return page;
}

std::expected<std::size_t, Refusal> JournalTable::trim(const PersistenceId& id, Head head, Sequence up_to,
                                                       std::size_t count_max) {
  if (auto refusal = refusal_of(head, find(id))) return std::unexpected(std::move(*refusal));
  const Entity& entity = entities_.at(id);
  const auto wanted = std::clamp<Sequence>(up_to - entity.trimmed, 0, std::ssize(entity.events));
  const auto count = std::min(static_cast<std::size_t>(wanted), count_max);
  if (count > 0) commit({.entity = id, .trims = count});
  return count;
}

std::vector<PersistenceId> JournalTable::entities(const PersistenceId& after, std::size_t count_max) const {
  std::vector<PersistenceId> names;
  for (auto at = entities_.upper_bound(after); at != entities_.end() && names.size() < count_max; ++at) {
    names.push_back(at->first);
  }
  return names;
}

std::optional<Snapshot> JournalTable::load(const PersistenceId& id, Sequence at_most) const {
  const auto at = entities_.find(id);
  if (at == entities_.end()) return std::nullopt;
  const auto& snapshots = at->second.snapshots;
  const auto after = snapshots.upper_bound(at_most);
  if (after == snapshots.begin()) return std::nullopt;
  return Snapshot{std::prev(after)->first, std::prev(after)->second};
}

}  // namespace troupe::actor
