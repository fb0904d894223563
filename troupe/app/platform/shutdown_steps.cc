// See shutdown_steps.h for the order.
#include "troupe/app/platform/shutdown_steps.h"

#include <algorithm>
#include <set>

#include "troupe/base/log.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using actor::Task;
using PartsPtr = std::shared_ptr<const RunningParts>;

constexpr auto refuse_within = 5s;
constexpr auto flush_within = 10s;      // beyond the time of a drain
constexpr auto answer_within = 5s;      // requests that are still at hand after it
constexpr auto stop_within = 10s;       // services that nobody asks any more
constexpr auto deliver_within = 15s;    // spans to a slow collector, rows to a slow disk
constexpr auto progress_each_min = 1s;  // lines of the log during a drain

struct StopServices {
  PartsPtr parts;
  using reply = void;
};

/// Stops the services one after the other, in the reverse order of their start.
class ServiceStopper {
 public:
  static constexpr std::string_view actor_type = "ServiceStopper";
  static constexpr bool interleaves = true;  // it is told of ends while it waits for them

  Task<void> handle(StopServices message, actor::Context& ctx) {
    const PartsPtr parts = message.parts;
    for (const auto& server : parts->servers) co_await stop(server, ctx);
    co_await stop(parts->realtime, ctx);
    co_await stop(parts->oauth, ctx);
    co_await stop(parts->bridge, ctx);
  }
  void handle(const actor::Terminated& message) { ended_.insert(message.id); }

 private:
  template <class A>
  Task<void> stop(actor::Ref<A> service, actor::Context& ctx) {
    const auto id = actor::lifecycle::id_of(service.address());
    ctx.watch(this, service);
    ctx.system().stop(service);
    while (!ended_.contains(id)) co_await ctx.sleep(5ms);
  }

  std::set<actor::ActorId> ended_;
};

Task<void> refuse(PartsPtr parts) {
  for (const auto& server : parts->servers) server.tell(web::Drain{});
  co_await parts->realtime.ask(realtime::RefuseConnections{}, {.within = refuse_within});
  for (const auto& server : parts->servers) co_await server.ask(web::GetConnections{}, {.within = refuse_within});
}

/// Says how many are still there, until `gone`.
Task<void> tell_progress(PartsPtr parts, base::Duration each, std::shared_ptr<const bool> gone) {
  while (true) {
    co_await actor::sleep(each);
    if (*gone) co_return;
    const auto left = co_await parts->realtime.ask(realtime::CountConnections{});
    if (*gone || !left) co_return;
    base::log::info("app", "connections are sent away", {{"left", *left}});
  }
}

Task<void> drain_connections(actor::System* system, PartsPtr parts, base::Duration over) {
  const auto gone = std::make_shared<bool>(false);
  system->run_as_guest(tell_progress(parts, std::max<base::Duration>(over / 10, progress_each_min), gone));
  const auto left = co_await parts->realtime.ask(realtime::DrainRealtime{over}, {.within = over + flush_within});
  *gone = true;
  if (left && *left > 0) base::log::warning("app", "some connections did not go", {{"connections", *left}});
}

/// All stop listening at once; then each is waited for.
Task<void> close_doors(PartsPtr parts, base::Duration within) {
  const auto clock = [] { return actor::Core::current()->now(); };
  const base::Instant until = clock() + within;
  for (const auto& server : parts->servers) server.tell(web::Close{within});
  for (const auto& server : parts->servers) {
    const auto rest = std::max(until - clock(), base::Duration{});
    const auto late = co_await server.ask(web::Close{rest}, {.within = rest + flush_within});
    if (late && *late > 0) base::log::warning("app", "some requests were not answered", {{"requests", *late}});
  }
}

Task<void> stop_services(actor::Ref<ServiceStopper> stopper, PartsPtr parts) {
  co_await stopper.ask(StopServices{parts}, {.within = stop_within});
}

Task<void> flush_traces(PartsPtr parts) {
  if (!parts->exporter) co_return;
  const auto sent = co_await parts->exporter.ask(FlushSpans{}, {.within = deliver_within});
  if (!sent) base::log::warning("app", "the last spans were not sent", {{"why", sent.error().what}});
}

/// The audit trail is written with the deeds, in order: when this is on the disk, so is all that came before.
Task<void> flush_store(PartsPtr parts) {
  co_await parts->database.write([](store::Transaction&) {});
}

}  // namespace

void add_shutdown_steps(Shutdown& shutdown, actor::System& system, RunningParts running, base::Duration drain_time) {
  const auto parts = std::make_shared<const RunningParts>(std::move(running));
  const auto stopper = system.spawn<ServiceStopper>({.name = "service_stopper"});
  shutdown.add({.phase = {.name = "refuse", .timeout = refuse_within}, .work = [parts] { return refuse(parts); }});
  shutdown.add({.phase = {.name = "drain-connections", .after = {"refuse"}, .timeout = drain_time + flush_within},
                .work = [parts, drain_time, &system] { return drain_connections(&system, parts, drain_time); },
                .hurry = [parts] { parts->realtime.tell(realtime::DrainRealtime{0s}); },
                .hurried_within = 1500ms});
  const auto answer = std::min<base::Duration>(drain_time, answer_within);
  shutdown.add({.phase = {.name = "close-doors", .after = {"drain-connections"}, .timeout = answer + 1s},
                .work = [parts, answer] { return close_doors(parts, answer); }});
  shutdown.add({.phase = {.name = "stop-services", .after = {"close-doors"}, .timeout = stop_within},
                .work = [stopper, parts] { return stop_services(stopper, parts); }});
  shutdown.add({.phase = {.name = "flush-traces", .after = {"stop-services"}, .timeout = deliver_within},
                .work = [parts] { return flush_traces(parts); }});
  shutdown.add({.phase = {.name = "flush-store", .after = {"stop-services"}, .timeout = deliver_within},
                .work = [parts] { return flush_store(parts); }});
}

}  // namespace troupe::app
