// See supervise.h.
#include "troupe/actor/supervise.h"

namespace troupe::actor {

detail::Declared::~Declared() {
  for (const auto& plan : plans) lifecycle::give_up_reserved(Core::current(), plan.cell->address());
}

Cell& Children::reserve(const ActorOptions& options) {
  const int core = options.core == any_core ? core_ : options.core;
  return host_.core(static_cast<std::size_t>(core)).reserve_remotely(options.mailbox);
}

Ref<Supervisor> Children::supervise(std::string name, Supervision supervision,
                                    const std::function<void(Children&)>& build) {
  return supervise({.name = std::move(name), .supervision = std::move(supervision)}, build);
}

Ref<Supervisor> Children::supervise(ActorOptions options, const std::function<void(Children&)>& build) {
  Children children{host_, options.core == any_core ? core_ : options.core};
  build(children);
  return child<Supervisor>(std::move(options), std::move(children.declared_));
}

// Only the first incarnation declares: its successors have inherited the children, which wait for their start.
void Supervisor::started(Context& context) {
  Cell& cell = cell_of(context);
  lifecycle::keep_children(cell);
  for (auto& plan : std::exchange(declared_->plans, {})) lifecycle::declare(*cell.owner, cell, std::move(plan));
}

Ref<Supervisor> supervise(System& system, ActorOptions options, const std::function<void(Children&)>& build) {
  Children children{system, options.core == any_core ? 0 : options.core};
  build(children);
  return system.spawn<Supervisor>(std::move(options), std::move(children.declared_));
}

Ref<Supervisor> supervise(Context& context, ActorOptions options, const std::function<void(Children&)>& build) {
  Children children{context.system(), options.core == any_core ? context.core().index() : options.core};
  build(children);
  return context.spawn<Supervisor>(std::move(options), std::move(children.declared_));
}

Ref<Supervisor> supervise(System& system, std::string name, Supervision supervision,
                          const std::function<void(Children&)>& build) {
  return supervise(system, {.name = std::move(name), .supervision = std::move(supervision)}, build);
}

Ref<Supervisor> supervise(Context& context, std::string name, Supervision supervision,
                          const std::function<void(Children&)>& build) {
  return supervise(context, {.name = std::move(name), .supervision = std::move(supervision)}, build);
}

}  // namespace troupe::actor
