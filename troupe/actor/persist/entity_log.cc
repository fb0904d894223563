// See entity_log.h.
#include "troupe/actor/persist/entity_log.h"

#include <fmt/format.h>

#include "troupe/actor/unhurried.h"

namespace troupe::actor {
namespace {

constexpr std::size_t page_events = 256;  // a replay holds one page in memory and lets others run between two

/// The actor whose handler this is, where it is now.
Cell& own_cell() { return *detail::awaiting().cell; }

}  // namespace

Task<void> EntityLog::activate(Context& context, PersistenceId id) {
  id_ = std::move(id);
  journal_ = context.core().host().provided<Journal>();
  INVARIANT(journal_ != nullptr,
            fmt::format("{} needs a journal: system.provide<Journal>(...) before it is spawned", id_.value()).c_str());
  head_ = co_await journal_->activate(id_);
}

Task<std::optional<Snapshot>> EntityLog::snapshot_before(Sequence sequence) {
  auto found = co_await journal_->load(id_, std::min(sequence - 1, head_.sequence));
  co_return found;
}

Task<std::vector<StoredEvent>> EntityLog::events_after(Sequence sequence) {
  std::vector<StoredEvent> page;
  if (sequence == head_.sequence) co_return page;
  page = co_await journal_->read(id_, sequence, page_events);
  // What stands after the head was written by a later activation, which has fenced this one.
  std::erase_if(page, [this](const StoredEvent& stored) { return stored.sequence > head_.sequence; });
  if (page.empty()) throw missing(sequence + 1);
  for (const StoredEvent& stored : page) {
    if (stored.sequence != ++sequence) throw missing(sequence);
  }
  co_return page;
}

JournalFailed EntityLog::missing(Sequence sequence) const {
  return JournalFailed{fmt::format("{}: its event {} of {} is missing", id_.value(), sequence, head_.sequence)};
}

void EntityLog::begin_write() {
  INVARIANT(journal_ != nullptr,
            "state is kept after the start, which this actor's own `started` hides: call it "
            "`recovered`");
  INVARIANT(!detail::awaiting().interleaves, "a handler that lets others be handled meanwhile cannot keep state");
  if (in_doubt_) {
    throw JournalFailed(fmt::format("{}: what is recorded is unknown until it is restarted", id_.value()));
  }
  in_doubt_ = true;  // until the journal has answered; a second write meanwhile would be wrong as well
}

Task<EntityLog::Written> EntityLog::append(std::vector<Record> events) {
  begin_write();
  const Unhurried unhurried;
  auto appended = co_await journal_->append(id_, head_, std::move(events));
  in_doubt_ = false;
  if (!appended) {
    auto result = co_await refused(std::move(appended.error()));
    co_return result;
  }
  head_.sequence = *appended;
  co_return Written{};
}

Task<EntityLog::Written> EntityLog::save(Record state) {
  begin_write();
  const Unhurried unhurried;
  auto saved = co_await journal_->save(id_, head_, std::move(state), 1);
  in_doubt_ = false;
  if (!saved) {
    auto result = co_await refused(std::move(saved.error()));
    co_return result;
  }
  co_return Written{};
}

Task<void> EntityLog::save_snapshot(Record state, std::size_t keep) {
  const Unhurried unhurried;
  std::string problem;
  try {
    auto saved = co_await journal_->save(id_, head_, std::move(state), keep);
    if (!saved) problem = saved.error().what;  // who was fenced finds out at the next event
  } catch (const JournalFailed& failed) {
    problem = failed.what();
  }
  if (!problem.empty()) report("has no snapshot at event " + std::to_string(head_.sequence) + ": " + problem);
}

Task<EntityLog::Written> EntityLog::refused(Refusal refusal) {
  switch (refusal.why) {
    case Refused::rejected:
      co_return std::unexpected(Rejected{std::move(refusal.what)});
    case Refused::conflict:
      distrust();
      throw JournalFailed(fmt::format("{}: {}", id_.value(), refusal.what));
    case Refused::fenced:
      break;
  }
  // The newer activation is the right one. Failing would restart this one, which would fence the other in its turn; and
  // so would stopping by itself, where the actor is to run always.
  report("stops, because another activation has taken over: " + refusal.what);
  distrust();
  lifecycle::request_stop(nullptr, own_cell().address());
  co_await std::suspend_always{};
  INVARIANT(false, "a handler of an actor that stops is not resumed");
}

void EntityLog::report(std::string_view what) const {
  const Cell& cell = own_cell();
  cell.owner->host().report(fmt::format("{} ({}) {}", lifecycle::path_of(cell), id_.value(), what));
}

}  // namespace troupe::actor
