// See asking.h.
#include "troupe/actor/runtime/asking.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/credit_book.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/actor/runtime/stream_source.h"

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

struct Withdrawn {
  ReplyTo ask;
};

constexpr Handler withdrawn_handler{
    .invoke = [](Core& core, Cell*, Envelope& envelope) { core.withdrawal_ended(envelope.message<Withdrawn>().ask); },
    .destroy = destroy_message<Withdrawn>,
    .message = "a withdrawal ended",
    .message_class = MessageClass::control,
    .runtime = true,
    .trivial = true,
};

/// The news has reached all that there was to reach.
void withdrawal_ended(Core& core, ReplyTo ask) {
  if (ask.core() == core.index()) return core.withdrawal_ended(ask);
  Core::submit(&core, core.host().core(static_cast<std::size_t>(ask.core())),
               core.make(withdrawn_handler, {}, Withdrawn{ask}));
}

struct Withdraw {
  static constexpr std::string_view name = "an ask withdrawn";
  ReplyTo reply;

  void apply(Core& core, Cell& cell) const {
    if (Activation* handler = answering(cell, reply)) {
      end(core, cell, *handler);
      return withdrawal_ended(core, reply);
    }
    Envelope* request = mailbox::take_out(core, cell, reply);
    if (request == nullptr) request = mailbox::take_stashed(cell, reply);
    if (request == nullptr) return go_on(core);
    request->reply = {};
    core.drop(request, &cell, request->deadline <= core.now() ? Drop::expired : Drop::unwanted);
    withdrawal_ended(core, reply);
  }
  void on_dead(Core& core) const { go_on(core); }

 private:
  void end(Core& core, Cell& cell, Activation& handler) const {
    handler.unwanted = true;
    if (handler.shields > 0) {  // its last shield sends this again; until then it may hand its duty on
      if (reply.core() != core.index()) core.trail().end(reply);
      return;
    }
    core.stats(*cell.type).cancelled.add();
    core.end(handler);
  }
  /// To where the request was passed on. An asker's own core has known that from the beginning.
  void go_on(Core& core) const {
    const Address to = reply.core() != core.index() ? core.trail().end(reply) : Address{};
    if (!to) return withdrawal_ended(core, reply);
    control::send(&core, to, Withdraw{reply});
  }
};

// ---- deadlocks ----

/// One wait of the path that a probe has come along.
struct Edge {
  ReplyTo ask;     // none: for room on the same core
  Address waiter;  // who waits
  Address callee;
  Instant deadline = Instant::never();
  bool streams = false;     // for the next item of a stream, of which so many have come
  std::uint16_t items = 0;  // modulo 2^16
  bool in_queue = false;    // at the callee, as a request that may still be taken out
  std::uint8_t passed_on = 0;
  std::string callee_name;  // once the probe has gone on from there
};

using Path = std::vector<Edge>;
constexpr std::size_t path_max = 64;
constexpr std::uint8_t probes_max = 20;
constexpr std::uint8_t passed_on_max = 64;  // of an ask that is answered meanwhile the probe may run after in circles

Edge edge_of(const AskState& ask, Address waiter) {
  return {.ask = ask.id,
          .waiter = waiter,
          .callee = ask.target,
          .deadline = ask.deadline,
          .streams = ask.streams,
          .items = ask.items};
}

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
  void on_dead(Core& core) { go_on(core); }

 private:
  void go_on(Core& core);
  void pass_through(Core& core, Cell& cell, const Activation& handler) const;
};

std::string name_of(const Cell& cell) { return fmt::format("{}({})", cell.type->name, lifecycle::path_of(cell)); }

/// The path of a cycle as seen by the core of its first waiter, whose cell this is.
void break_cycle(Core& core, const Cell& first, const Path& path) {
  const Edge* victim = nullptr;
  const auto order = [](const Edge& e) { return std::tuple{e.deadline, e.ask.core(), e.ask.slot()}; };
  for (const Edge& edge : path) {
    if (edge.in_queue && (victim == nullptr || order(edge) > order(*victim))) victim = &edge;
  }
  // Of streams alone that have all begun, the one breaks whose reader looked.
  if (victim == nullptr && !path.front().streams) return;
  // The path is told from who asked in vain, round to it again.
  const std::size_t at = victim != nullptr ? static_cast<std::size_t>(victim - path.data()) : 0;
  const auto waiter_name = [&](std::size_t i) -> std::string {
    return i == 0 ? name_of(first) : path[i - 1].callee_name;
  };
  std::string what = "deadlock: " + waiter_name(at);
  for (std::size_t i = 1; i <= path.size(); ++i) what += " -> " + waiter_name((at + i) % path.size());
  if (victim != nullptr) {
    control::send(&core, victim->callee, BreakCycle{victim->ask, std::move(what)});
  } else {
    core.host().report(what);
    core.fail_ask(path.front().ask, Outcome::unknown, std::move(what));
  }
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
    if (next.items != path.front().items) return;  // another wait for the same stream
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
  if (handler.ready) return;  // it waits no more
  if (handler.sending != nullptr) {
    follow(core, cell, path, {.waiter = cell.address(), .callee = handler.sending->waiter->target->address()});
  } else if (const AskState* ask = core.ask_of(handler)) {
    follow(core, cell, path, edge_of(*ask, cell.address()));
  }
}

/// Goes on along what the handlers wait for that let nothing else be handled.
void follow_suspended(Core& core, Cell& cell, const Path& path) {
  for (Activation *at = cell.activations.first, *next = nullptr; at != nullptr; at = next) {
    next = at->next;
    if (at->exclusive || !at->interleaves) follow_handler(core, cell, path, *at);
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

/// To where the request was passed on.
void Probe::go_on(Core& core) {
  Edge& edge = path.back();
  if (!edge.ask || ++edge.passed_on > passed_on_max) return;
  Address to;
  if (edge.ask.core() != core.index()) {
    to = core.trail().find(edge.ask);
  } else if (const AskState* ask = core.find_ask(edge.ask)) {
    to = ask->target;
  }
  if (!to || to == edge.callee) return;
  edge.callee = to;
  control::send(&core, to, Probe{std::move(path)});
}

/// Goes on along what the handler waits for that is to answer.
void Probe::pass_through(Core& core, Cell& cell, const Activation& handler) const {
  const Edge& edge = path.back();
  if (edge.streams) {
    const auto* source = static_cast<StreamSource*>(core.source_of(handler));
    if (source == nullptr || source->yielded() != edge.items) return;  // what is under way ends the wait
  } else if (path.size() == 1) {
    return;  // a request that is being handled is no reason to look; it is only passed through
  }
  if (!handler.at_yield) {
    follow_handler(core, cell, path, handler);
  } else if (handler.postponed) {  // it has credit, but another handler lets it not go on
    follow_suspended(core, cell, path);
  }
}

void Probe::apply(Core& core, Cell& cell) {
  if (cell.state != CellState::running) return;
  Edge& edge = path.back();
  if (edge.ask) {
    if (const Activation* handler = answering(cell, edge.ask)) return pass_through(core, cell, *handler);
    const Envelope* request = mailbox::find(cell, edge.ask);
    if (request == nullptr) return go_on(core);
    if (cell.may_handle() || request->deadline <= core.now()) return;
    edge.in_queue = request->awaits_room == 0;
  } else if (cell.may_handle() || !awaits_room(cell, edge.waiter)) {
    return;
  }
  follow_suspended(core, cell, path);
  if ((cell.held & hold_parked) != 0) follow_parked(core, cell, path);
}

}  // namespace

void withdraw(Core& core, Address callee, ReplyTo reply) noexcept {
  if (core.is_torn_down() || !reply || !callee) return;  // an end of a stream has its own ways to tell
  control::send(&core, callee, Withdraw{reply});
}

void look_for_deadlock(AskState& ask) noexcept {
  Core& core = *ask.core;
  // Who may wait for ever is looked at for two days.
  Instant next = ask.deadline;
  if (ask.probes < probes_max) next = std::min(next, core.now() + probe_first * (1 << ++ask.probes));
  if (next != Instant::never()) core.timers().arm(ask, next);
  if ((ask.entered && !ask.streams) || ask.for_room) return;
  Probe probe;
  probe.path.push_back(edge_of(ask, ask.activation->cell->address()));
  control::send(&core, ask.target, std::move(probe));
}

}  // namespace troupe::actor::asking
