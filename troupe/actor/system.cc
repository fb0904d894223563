// See system.h.
#include "troupe/actor/system.h"

#include "troupe/actor/topic.h"

#include <fmt/format.h>
#include <sched.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "troupe/actor/shutdown_phases.h"
#include "troupe/base/check.h"
#include "troupe/base/log.h"
#include "troupe/base/metrics.h"

namespace troupe::actor {
namespace {

/// The parent of all; it does nothing but supervise.
struct Root {
  static constexpr std::string_view actor_type = "Root";
};

/// The parent of the services, which keep their references when it is restarted.
struct Services {
  static constexpr std::string_view actor_type = "Services";
  void started(Context& context) { lifecycle::keep_children(cell_of(context)); }
};

struct RunTask {
  Task<void> task;
};
/// A thread waits for it, and there are not so many of those that it need ever be refused.
struct RunAwaitedTask {
  static constexpr auto message_class = MessageClass::control;
  Task<void> task;
};

constexpr std::uint32_t guests_waiting_max = 65'536;

/// As good as never, and far from where sums of times overflow.
constexpr Duration a_year = std::chrono::hours{24 * 365};

/// Calls `missed` on a thread of its own unless it dies in time. Where no thread is to be had it never does, and says
/// so: what waits for an end is not to fail for that.
class Deadline {
 public:
  Deadline(Host& host, bool real, Duration within, std::function<void()> missed) {
    if (!real) return;
    try {
      thread_ = std::thread([this, within = std::min(within, a_year), missed = std::move(missed)] {
        std::unique_lock lock{mutex_};
        if (!met_changed_.wait_for(lock, within, [this] { return met_; })) missed();
      });
    } catch (const std::system_error& error) {
      host.report(fmt::format("no thread can be made that would bound the time of the end: {}", error.what()));
    }
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock{mutex_};
      met_ = true;
    }
    met_changed_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable met_changed_;
  bool met_ = false;
  std::thread thread_;
};

std::thread thread_of(Core& core) {
  return std::thread{[&core] {
    const base::MetricsShard shard;
    core.run_until_stopped();
  }};
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace

/// Runs tasks for threads that are no core's. One on the first core. What a task throws is no fault of this actor,
/// whose restart would end the tasks of all others.
struct System::Guest {
  static constexpr std::string_view actor_type = "Guest";
  static constexpr bool interleaves = true;
  Task<void> handle(RunTask run, Context& context) {
    std::exception_ptr error;
    try {
      co_await std::move(run.task);
    } catch (...) {
      error = std::current_exception();
    }
    if (error) context.system().report("a task that was run as a guest threw: " + lifecycle::describe(error));
  }
  Task<void> handle(RunAwaitedTask run) { co_await std::move(run.task); }
};

System::System(SystemOptions options) : options_(std::move(options)), has_stopped_(stopped_.get_future()) {
  Environment* simulated = options_.environment;
  const int count = options_.cores > 0 ? options_.cores : usable_cores();
  INVARIANT(count <= 255, "an address has room for 255 cores");
  for (int i = 0; i < count; ++i) {
    CoreOptions core{.index = i,
                     .cores = count,
                     .clock = simulated != nullptr ? &simulated->clock() : &base::system_clock(),
                     .random = simulated != nullptr ? simulated->random(i) : base::secure_random(),
                     .poller = simulated != nullptr ? simulated->poller() : epoll_poller(),
                     .spin = count <= usable_cores() ? options_.spin : Duration::zero()};
    if (simulated != nullptr) simulated->adjust(core);
    cores_.push_back(std::make_unique<Core>(*this, std::move(core)));
  }
  topics_ = std::make_unique<TopicDirectory>(cores_.size(), options_.bus);
  offload_ = simulated != nullptr ? simulated->offload() : thread_offload(options_.offload);

  {
    Core& first = *cores_[0];
    const Core::Scope scope{first};
    root_ = &first.reserve({});
    lifecycle::spawn_root(first, *root_, detail::type_of<Root>, detail::make_body<Root>(),
                          {.supervision = options_.supervision});
    // The first child ends last: whoever uses a service may use it to its own end.
    service_parent_ = static_cast<Context&>(*root_)
                          .spawn<Services>({.name = "services", .supervision = options_.supervision})
                          .address();
    guest_ = static_cast<Context&>(*root_).spawn<Guest>(
        {.name = "guests", .mailbox = {.capacity = guests_waiting_max}, .in_flight_max = 1u << 20});
  }
  if (options_.bus) {
    options_.bus->join([this] { core(0).post_remotely([this](Core& first) { receive_from_bus(first); }); });
  }
  if (simulated != nullptr) return;
  threads_.reserve(cores_.size());
  try {
    for (auto& core : cores_) threads_.push_back(thread_of(*core));
    if (options_.stall_limit > Duration::zero()) watchdog_ = std::make_unique<Watchdog>(*this, options_.stall_limit);
  } catch (const std::system_error& error) {
    for (auto& core : cores_) core->request_stop();
    for (auto& thread : threads_) thread.join();
    tear_down();
    throw std::system_error{error.code(), fmt::format("the threads of {} cores cannot be made", cores_.size())};
  }
}

System::~System() { shutdown(); }

void System::adopt(lifecycle::SpawnPlan plan) {
  if (ends_.load(std::memory_order_acquire)) {  // or threads that keep spawning would keep the first core from its end
    plan.cell->owner->free_cell(*plan.cell);    // whose address nobody knows yet
    return;
  }
  core(0).post_remotely([this, plan = std::move(plan)](Core& first) mutable {
    const Address child = plan.cell->address();
    const bool running = root_->state == CellState::running;
    lifecycle::spawn(first, *root_, std::move(plan));
    if (!running) lifecycle::request_stop(&first, child);
  });
}

void System::publish_dead_letters() noexcept {
  hear_dead_letters([](Core& here, std::span<const DeadLetter> letters) {
    const Topic<DeadLetter> topic{static_cast<System&>(here.host()), dead_letter_topic};
    for (const DeadLetter& letter : letters) topic.publish(letter);
  });
}

void System::adopt_service(lifecycle::SpawnPlan plan) {
  core(0).post_remotely([this, plan = std::move(plan)](Core& first) mutable {
    Cell& parent = *service_parent_.cell;
    lifecycle::spawn(first, parent.is(service_parent_.generation) ? parent : *root_, std::move(plan));
  });
}

bool System::is_living(Address address) noexcept {
  return address && address.cell->generation.load(std::memory_order_relaxed) == address.generation;
}

Sent System::run_as_guest(Task<void> task) { return guest_.tell(RunTask{std::move(task)}); }

void System::run_awaited(Task<void> task) { guest_.tell(RunAwaitedTask{std::move(task)}); }

Task<std::vector<InspectedActor>> System::inspect() {
  std::vector<InspectedActor> all;
  for (std::size_t i = 0; i < core_count(); ++i) {
    auto some = co_await on_core(i, [](Core& there) { return inspect_core(there); });
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  co_return assemble(std::move(all));
}

Task<std::map<std::string, MailboxFigures>> System::mailboxes() {
  std::map<std::string, MailboxFigures> all;
  for (std::size_t i = 0; i < core_count(); ++i) {
    auto some = co_await on_core(i, [](Core& there) { return mailboxes_of(there); });
    for (const auto& [type, figures] : some) {
      MailboxFigures& sum = all[std::string{type}];
      sum.waiting += figures.waiting;
      sum.deepest = std::max(sum.deepest, figures.deepest);
    }
  }
  co_return all;
}

Task<bool> System::measure(std::string path, bool on) {
  auto actors = co_await inspect();
  const auto found = std::ranges::find(actors, path, &InspectedActor::path);
  if (found == actors.end()) co_return false;
  const bool there_still = co_await on_core(static_cast<std::size_t>(found->core), [id = found->id, on](Core& there) {
    bool done = false;
    there.for_each_cell([&](Cell& cell) {
      if (id_of(cell) != id || cell.type == nullptr) return;
      static_cast<Context&>(cell).measure(on);
      done = true;
    });
    return done;
  });
  co_return there_still;
}

Task<SpanBuffer> System::take_spans() {
  SpanBuffer all;
  for (std::size_t i = 0; i < core_count(); ++i) {
    auto some = co_await on_core(i, [](Core& there) { return there.take_spans(); });
    std::move(some.spans.begin(), some.spans.end(), std::back_inserter(all.spans));
    all.left_out += some.left_out;
  }
  co_return all;
}

bool System::shutdown() {
  INVARIANT(Core::current() == nullptr || options_.environment != nullptr,
            "shutdown() waits for every core, so a handler or the callback of on_failure must not call it: wake main, "
            "which does");
  const std::lock_guard lock{shutdown_mutex_};
  if (!std::exchange(down_, true)) {
    run_phases();
    stop_everything();
  }
  return !failed();
}

ShutdownPhases System::shutdown_phases() { return {*this, find_or_start<ShutdownSequence>({.name = "shutdown"})}; }

/// A phase that is given no time counts too: it runs, and is late at its first await.
void System::count_phase(Duration timeout) noexcept { phases_max_ += std::clamp(timeout, 1ns, a_year).count(); }

void System::run_phases() {
  const Duration longest{phases_max_.load()};
  if (longest == Duration::zero() || failed()) return;
  // Each phase has its timeout, which a handler that never returns does not notice; the process does.
  const Deadline deadline{*this, options_.environment == nullptr, longest + std::min(options_.shutdown_max, a_year),
                          [this] {
                            report("the shutdown phases did not end in time; the process ends");
                            std::_Exit(70);
                          }};
  std::promise<void> over;
  auto future = over.get_future();
  shutdown_phases().begin([&over] { over.set_value(); });
  wait_for([&] { return future.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }, future);
}

void System::stop_everything() {
  ends_.store(true, std::memory_order_release);
  for (auto& core : cores_) core->narrow_inbox(InboxLimit::Ending::stopping);
  core(0).post_remotely([this](Core& first) { lifecycle::request_stop(&first, root_->address()); });
  if (options_.environment != nullptr) {
    options_.environment->wait_for(
        [this] { return has_stopped_.wait_for(std::chrono::seconds{0}) == std::future_status::ready; });
  }
  // A handler or a blocking job that never returns cannot be ended; the process can.
  const Deadline deadline{*this, options_.environment == nullptr, options_.shutdown_max, [this] {
                            report("the system did not stop in time; the process ends");
                            std::_Exit(70);
                          }};
  has_stopped_.wait();
  for (auto& core : cores_) core->request_stop();
  for (auto& thread : threads_) thread.join();
  watchdog_.reset();
  tear_down();  // which waits for blocking jobs
}

void System::crash() noexcept {
  INVARIANT(options_.environment != nullptr, "only a simulated system can be cut off");
  const std::lock_guard lock{shutdown_mutex_};
  if (!std::exchange(down_, true)) tear_down();
}

void System::receive_from_bus(Core& first) {
  constexpr std::size_t at_once = 64;  // then the actors of the first core have their turn
  const auto arrivals = options_.bus->take(at_once);
  for (const auto& [message, missed] : arrivals) {
    if (missed > 0) Topic<BusGap>{*this, bus_gap_topic}.publish(BusGap{missed});
    if (message != nullptr) topics_->receive(*this, *message);
  }
  if (arrivals.size() == at_once) first.post([this](Core& again) { receive_from_bus(again); });
}

void System::tear_down() noexcept {
  if (options_.bus) options_.bus->leave();
  // A blocking job may wait for an actor (`block_on`): from here on it is told that there is none.
  for (auto& core : cores_) core->close_inbox();
  offload_.reset();
  for (auto& core : cores_) core->tear_down();
  for (auto& core : cores_) core->discard_all();
}

void System::on_failure(std::function<void()> callback) {
  const std::lock_guard lock{callback_mutex_};
  on_failure_ = std::move(callback);
  if (failed() && on_failure_) on_failure_();
}

void System::root_failed(const std::string& why) {
  report("the system gives up: " + why);
  const std::lock_guard lock{callback_mutex_};  // before it is known, or who registers now is called twice
  failed_.store(true, std::memory_order_release);
  lifecycle::request_stop(Core::current(), guest_.address());  // threads that wait here wait for nothing any more
  if (on_failure_) on_failure_();
}

void System::root_stopped() { stopped_.set_value(); }

void System::report(const std::string& what) {
  if (options_.report) {
    options_.report(what);
  } else {
    base::log::error("actor", what);
  }
}

}  // namespace troupe::actor
