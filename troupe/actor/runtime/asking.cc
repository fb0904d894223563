// See asking.h.
#include "troupe/actor/runtime/asking.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/credit_book.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor::asking {
namespace {

/// The suspended handler that is to answer; null: it is not here.
Activation* answering(const Cell& cell, ReplyTo reply) noexcept {
  for (Activation* at = cell.activations.first; at != nullptr; at = at->next) {
    if (at->reply == reply) return at;
  }
  return nullptr;
}

// ---- withdrawal ----

struct Withdraw {
  static constexpr std::string_view name = "an ask withdrawn";
  ReplyTo reply;

  void apply(Core& core, Cell& cell) const {
    if (Activation* handler = answering(cell, reply)) {
      handler->unwanted = true;
      if (handler->shields > 0) return;  // its last shield sends this again
      core.stats(*cell.type).cancelled.add();
      core.end(*handler);
      return;
    }
    Envelope* request = mailbox::take_out(core, cell, reply);
    if (request == nullptr) request = mailbox::take_stashed(cell, reply);
    if (request == nullptr) return;
    request->reply = {};
    core.drop(request, &cell, request->deadline <= core.now() ? Drop::expired : Drop::unwanted);
  }
};

// ---- deadlocks ----

/// One wait of the path that a probe has come along.
struct Edge {
  ReplyTo ask;     // none: for room on the same core
  Address waiter;  // who waits
  Address callee;
  Instant deadline = Instant::never();
  bool in_queue = false;    // at the callee, as a request that may still be taken out
  std::string callee_name;  // once the probe has gone on from there
};

using Path = std::vector<Edge>;
constexpr std::size_t path_max = 64;

/// Takes the request out of the queue if it still stands there; then it has not been executed for certain.
struct BreakCycle {
  static constexpr std::string_view name = "a deadlock broken";
  ReplyTo ask;
  std::string what;

  void apply(Core& core, Cell& cell) {
    Envelope* request = mailbox::take_out(core, cell, ask);
    if (request == nullptr) return;
    core.host().report(what);
    core.fail_ask(std::exchange(request->reply, {}), Outcome::not_executed, std::move(what));
    core.drop(request, &cell, Drop::deadlock);
  }
};

struct Probe {
  static constexpr std::string_view name = "a look for a deadlock";
  Path path;

  void apply(Core& core, Cell& cell);
};

std::string name_of(const Cell& cell) { return fmt::format("{}({})", cell.type->name, lifecycle::path_of(cell)); }

/// The path of a cycle as seen by the core of its first waiter, whose cell this is.
void break_cycle(Core& core, const Cell& first, const Path& path) {
  const Edge* victim = nullptr;
  const auto order = [](const Edge& e) { return std::tuple{e.deadline, e.ask.core(), e.ask.slot()}; };
  for (const Edge& edge : path) {
    if (edge.in_queue && (victim == nullptr || order(edge) > order(*victim))) victim = &edge;
  }
  if (victim == nullptr) return;
  // The path is told from who asked in vain, round to it again.
  const auto at = static_cast<std::size_t>(victim - path.data());
  const auto waiter_name = [&](std::size_t i) -> std::string {
    return i == 0 ? name_of(first) : path[i - 1].callee_name;
  };
  std::string what = "deadlock: " + waiter_name(at);
  for (std::size_t i = 1; i <= path.size(); ++i) what += " -> " + waiter_name((at + i) % path.size());
  control::send(&core, victim->callee, BreakCycle{victim->ask, std::move(what)});
}

/// Whether the sender's wait for room in this mailbox still stands.
bool awaits_room(const Cell& cell, Address sender) noexcept {
  if (!cell.extras) return false;
  for (const Waiter* at = cell.extras->waiters.first; at != nullptr; at = at->next) {
    // Another core waits here for the sender, among others; what it waits for there was looked at there.
    if (at->claimant != nullptr && sender.cell->owner != cell.owner) return true;
    if (at->send != nullptr && at->send->activation->cell == sender.cell) return true;
    if (at->parked_for == sender.cell && at->parked_generation == sender.generation) return true;
  }
  return false;
}

/// Goes on along one wait of the actor, or has come full circle.
void follow(Core& core, Cell& cell, const Path& path, Edge next) {
  if (next.ask && next.ask == path.front().ask) {
    break_cycle(core, cell, path);
    return;
  }
  const auto seen = [&](const Edge& edge) { return edge.callee == next.callee; };
  // A cycle further on, which does not lead back to the first waiter, is found by the asks in it.
  if (path.size() == path_max || std::ranges::any_of(path, seen)) return;
  Probe probe{path};
  probe.path.back().callee_name = name_of(cell);
  probe.path.push_back(std::move(next));
  const Address to = probe.path.back().callee;
  control::send(&core, to, std::move(probe));
}

/// Goes on along what a suspended handler waits for, if that is another actor.
void follow_handler(Core& core, Cell& cell, const Path& path, const Activation& handler) {
  if (handler.sending != nullptr) {
    follow(core, cell, path, {.waiter = cell.address(), .callee = handler.sending->waiter->target->address()});
  } else if (const AskState* ask = core.ask_of(handler)) {
    follow(core, cell, path,
           {.ask = ask->id, .waiter = cell.address(), .callee = ask->target, .deadline = ask->deadline});
  }
}

/// Goes on along the messages of this actor that are parked outside of full mailboxes.
void follow_parked(Core& core, Cell& cell, const Path& path) {
  core.for_each_cell([&](Cell& full) {
    if (awaits_room(full, cell.address())) {
      follow(core, cell, path, {.waiter = cell.address(), .callee = full.address()});
    }
  });
  core.credits().for_each_parked(
      cell.address(), [&](Address full) { follow(core, cell, path, {.waiter = cell.address(), .callee = full}); });
}

void Probe::apply(Core& core, Cell& cell) {
  if (cell.state != CellState::running) return;
  Edge& edge = path.back();
  if (const Activation* handler = edge.ask ? answering(cell, edge.ask) : nullptr) {
    // A request that is being handled is no reason to look; it is only passed through.
    if (path.size() > 1) follow_handler(core, cell, path, *handler);
    return;
  }
  if (cell.may_handle()) return;
  if (edge.ask) {
    const Envelope* request = mailbox::find(cell, edge.ask);
    if (request == nullptr || request->deadline <= core.now()) return;
    edge.in_queue = request->awaits_room == 0;
  } else if (!awaits_room(cell, edge.waiter)) {
    return;
  }
  for (Activation *at = cell.activations.first, *next = nullptr; at != nullptr; at = next) {
    next = at->next;
    if (at->exclusive || !at->interleaves) follow_handler(core, cell, path, *at);
  }
  if ((cell.held & hold_parked) != 0) follow_parked(core, cell, path);
}

}  // namespace

void withdraw(Core& core, Address callee, ReplyTo reply) noexcept {
  if (core.is_torn_down() || !reply || !callee) return;  // an end of a stream has its own ways to tell
  control::send(&core, callee, Withdraw{reply});
}

void look_for_deadlock(AskState& ask) noexcept {
  Core& core = *ask.core;
  const Duration pause = probe_first * (1 << std::min<int>(++ask.probes, 20));
  core.timers().arm(ask, std::min(ask.deadline, core.now() + pause));
  if (ask.entered || ask.for_room) return;
  Probe probe;
  probe.path.push_back(
      {.ask = ask.id, .waiter = ask.activation->cell->address(), .callee = ask.target, .deadline = ask.deadline});
  control::send(&core, ask.target, std::move(probe));
}

}  // namespace troupe::actor::asking
