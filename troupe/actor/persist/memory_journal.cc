// See memory_journal.h.
#include "troupe/actor/persist/memory_journal.h"

#include "troupe/actor/context.h"

namespace troupe::actor {
namespace {

using namespace std::chrono_literals;

/// What `use` gives, done by the table's owner.
template <class F>
Task<std::invoke_result_t<F&, JournalTable&>> ask_table(Ref<MemoryJournalActor> owner, bool writes, F use) {
  // Shared with the owner, which may run it after this has been given up.
  auto result = std::make_shared<std::optional<std::invoke_result_t<F&, JournalTable&>>>();
  auto done = co_await owner.ask(
      UseTable{[result, use = std::move(use)](JournalTable& table) mutable { result->emplace(use(table)); }, writes},
      {.within = 10s});
  if (!done) throw JournalFailed("the memory journal: " + done.error().domain.value_or(done.error().what));
  co_return std::move(**result);
}

Duration some_of(Duration most, base::Random& random) {
  if (most <= Duration::zero()) return {};
  return Duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most.count())))};
}

/// What the disk says where it refuses; the table stays as it was, so its owner goes on.
template <class F>
std::optional<std::string> done_by_disk(F use) {
  try {
    use();
  } catch (const DiskError& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace

Task<Head> MemoryJournal::activate(PersistenceId entity) {
  return ask_table(owner_, true, [entity = std::move(entity)](JournalTable& t) { return t.activate(entity); });
}

Task<std::optional<Head>> MemoryJournal::find(PersistenceId entity) {
  return ask_table(owner_, false, [entity = std::move(entity)](JournalTable& t) { return t.find(entity); });
}

Task<std::expected<Sequence, Refusal>> MemoryJournal::append(PersistenceId entity, Head head,
                                                             std::vector<Record> events) {
  return ask_table(owner_, true, [=, events = std::move(events)](JournalTable& t) mutable {
    return t.append(entity, head, std::move(events));
  });
}

Task<std::vector<StoredEvent>> MemoryJournal::read(PersistenceId entity, Sequence after, std::size_t count_max) {
  return ask_table(owner_, false, [=](JournalTable& t) { return t.read(entity, after, count_max); });
}

Task<std::expected<void, Refusal>> MemoryJournal::save(PersistenceId entity, Head head, Record state,
                                                       std::size_t keep) {
  return ask_table(owner_, true, [=, state = std::move(state)](JournalTable& t) mutable {
    return t.save(entity, head, std::move(state), keep);
  });
}

Task<std::optional<Snapshot>> MemoryJournal::load(PersistenceId entity, Sequence at_most) {
  return ask_table(owner_, false, [=](JournalTable& t) { return t.load(entity, at_most); });
}

Task<std::expected<std::size_t, Refusal>> MemoryJournal::trim(PersistenceId entity, Head head, Sequence up_to,
                                                              std::size_t count_max) {
  return ask_table(owner_, true, [=](JournalTable& t) { return t.trim(entity, head, up_to, count_max); });
}

Task<std::vector<PersistenceId>> MemoryJournal::entities(PersistenceId after, std::size_t count_max) {
  return ask_table(owner_, false, [=](JournalTable& t) { return t.entities(after, count_max); });
}

MemoryJournalActor::MemoryJournalActor(MemoryJournalOptions options)
    : faults_(std::move(options.faults)), table_(options.disk.open("journal")) {}

Task<std::expected<void, std::string>> MemoryJournalActor::handle(UseTable message, Context& context) {
  const JournalFaults faults = *faults_;
  base::Random& random = context.random();
  co_await sleep(some_of(faults.delay_max, random));
  if (faults.fails_before.hit(random)) co_return std::unexpected("it failed");
  if (auto refused = done_by_disk([&] { message.use(table_); })) co_return std::unexpected(std::move(*refused));
  co_await sleep(some_of(faults.delay_max, random));
  if (message.writes) {
    if (auto refused = done_by_disk([&] { table_.sync(); })) co_return std::unexpected(std::move(*refused));
  }
  if (faults.fails_after.hit(random)) co_return std::unexpected("it failed after it was done");
  co_return std::expected<void, std::string>{};
}

}  // namespace troupe::actor
