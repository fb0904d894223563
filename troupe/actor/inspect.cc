// See inspect.h.
#include "troupe/actor/inspect.h"

#include <fmt/format.h>

#include <map>

namespace troupe::actor {
namespace {

std::string_view state_of(const Cell& cell) {
  switch (cell.state) {
    case CellState::free:
      return "free";
    case CellState::reserved:
    case CellState::starting:
      return "starting";
    case CellState::running:
      return cell.in_flight > 0 ? "waiting" : "running";
    case CellState::failed:
      return "failed";
    case CellState::restarting:
    case CellState::halted:
      return "restarting";
    case CellState::stopping:
      return "stopping";
  }
  return "";
}

InspectedActor inspect_cell(Core& core, const Cell& cell) {
  InspectedActor out;
  out.id = id_of(cell);
  if (cell.parent) out.parent = lifecycle::id_of(cell.parent);
  out.path = cell.extras ? cell.extras->name : std::string{};
  out.type = cell.type != nullptr ? cell.type->name : std::string_view{"(to come)"};
  out.state = state_of(cell);
  out.core = core.index();
  out.mailbox_depth = cell.depth;
  out.mailbox_capacity = cell.capacity;
  out.in_flight = cell.in_flight;
  out.handled = cell.handled;
  if (cell.extras) {
    out.errors = cell.extras->errors;
    out.restarts = cell.extras->times_restarted;
    out.last_failure = cell.extras->last_failure;
    if (cell.extras->handling_time) out.handling_time = *cell.extras->handling_time;
  }
  out.idle = core.now() - cell.last_activity;
  if (cell.object != nullptr && cell.type->inspect != nullptr) {
    Inspection details;
    try {
      cell.type->inspect(cell.object, details);
    } catch (...) {  // one that cannot be seen does not hide the others
      details.add("inspect", "failed: " + lifecycle::describe(std::current_exception()));
    }
    out.details = details.entries();
  }
  return out;
}

}  // namespace

std::vector<InspectedActor> inspect_core(Core& core) {
  // An actor's own code is called without the lock by which cells are found: it may take one that a thread holds which
  // sends here. What has been spawned is this core's alone.
  std::vector<const Cell*> cells;
  core.for_each_cell([&cells](const Cell& cell) {
    if (cell.state != CellState::reserved) cells.push_back(&cell);
  });
  std::vector<InspectedActor> actors;
  actors.reserve(cells.size());
  for (const Cell* cell : cells) actors.push_back(inspect_cell(core, *cell));
  return actors;
}

std::map<std::string_view, MailboxFigures> mailboxes_of(Core& core) {
  std::map<std::string_view, MailboxFigures> by_type;
  core.for_each_cell([&](Cell& cell) {
    if (cell.type == nullptr) return;
    MailboxFigures& figures = by_type[cell.type->name];
    figures.waiting += cell.depth;
    figures.deepest = std::max<std::uint32_t>(figures.deepest, cell.depth);
  });
  return by_type;
}

std::vector<InspectedActor> assemble(std::vector<InspectedActor> actors) {
  std::map<ActorId, std::size_t> by_id;
  for (std::size_t i = 0; i < actors.size(); ++i) {
    by_id[actors[i].id] = i;
    if (actors[i].path.empty()) {
      actors[i].path = fmt::format("{}-{}.{}", actors[i].type, actors[i].core, actors[i].id.value >> 32 & 0xffffff);
    }
  }
  std::vector<std::string> paths(actors.size());
  for (std::size_t i = 0; i < actors.size(); ++i) {
    std::string path;
    // An actor's parent may have ended between two cores' looks; its path then begins at itself.
    for (auto at = by_id.find(actors[i].id); at != by_id.end(); at = by_id.find(actors[at->second].parent)) {
      if (actors[at->second].parent.value == 0) break;
      path = "/" + actors[at->second].path + path;
    }
    paths[i] = path.empty() ? "/" : path;
  }
  for (std::size_t i = 0; i < actors.size(); ++i) actors[i].path = std::move(paths[i]);
  std::sort(actors.begin(), actors.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return actors;
}

std::vector<TypeFigures> figures_of(Host& host) {
  std::vector<TypeFigures> all;
  const auto types = known_types();
  for (std::uint32_t index = 0; index < types.size(); ++index) {
    TypeFigures sum{.type = types[index]->name};
    for (std::size_t c = 0; c < host.core_count(); ++c) {
      const TypeStats* stats = host.core(c).stats_of(index);
      if (stats == nullptr) continue;
      sum.spawned += stats->spawned.value();
      sum.stopped += stats->stopped.value();
      sum.handled += stats->handled.value();
      sum.failed += stats->failed.value();
      sum.restarted += stats->restarted.value();
      sum.stalled += stats->stalled.value();
      sum.cancelled += stats->cancelled.value();
      for (std::size_t i = 0; i < drop_reasons; ++i) sum.dropped[i] += stats->dropped[i].value();
      HandlingTime time{.nanoseconds = stats->handling_nanoseconds.value()};
      for (std::size_t i = 0; i < time_buckets; ++i) time.buckets[i] = stats->handling_time[i].value();
      if (time.count() > 0) sum.handling_time.emplace(static_cast<int>(c), time);
    }
    all.push_back(sum);
  }
  return all;
}

}  // namespace troupe::actor
