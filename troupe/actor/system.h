// System: the cores, the root of the tree of actors, and the door for threads that are no core's.
//
// Owned by main (or a test's World). Construction starts the cores; `shutdown` stops the
// top-level actors in the reverse order of their start, each within its own time, then the
// cores. A fault that the root cannot mend ends the system as a failure.
#pragma once

#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "troupe/actor/context.h"
#include "troupe/actor/offload/offload.h"
#include "troupe/actor/runtime/topic_directory.h"
#include "troupe/actor/runtime/watchdog.h"

namespace troupe::actor {

/// What a system is made of where it is not the real thing: the simulator's parts.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual base::Clock& clock() = 0;
  virtual std::unique_ptr<base::Random> random(int core) = 0;
  virtual std::unique_ptr<Poller> poller() = 0;
  virtual std::unique_ptr<Offload> offload() = 0;
  /// What else it changes about a core before it is made: who observes it, how narrow its lanes are.
  virtual void adjust(CoreOptions&) {}
  /// Waits until `ready` is true, by whatever makes it so.
  virtual void wait_for(const std::function<bool()>& ready) = 0;
};

struct SystemOptions {
  int cores = 0;  // 0: as many as this process may use
  OffloadOptions offload{};
  Supervision supervision{};     // of the top-level actors
  Duration stall_limit = 100ms;  // an actor that holds its core longer is reported; zero: nobody looks
  Duration spin = 20us;          // so long a core that talks with others looks for their answer before it sleeps; each
                                 // sleep and wake-up costs about as much. Not where cores outnumber processors
  Duration shutdown_max = 30s;   // a shutdown that takes longer ends the process with status 70
  std::function<void(const std::string&)> report{};  // faults, decisions, a line each; empty: to the log. Any thread
  std::shared_ptr<Bus> bus{};                        // to other nodes, for topics; null: this is the only one
  Environment* environment = nullptr;                // null: threads, epoll, the machine's clock and random numbers
};

/// Each drop in the system is published here, as Topic<DeadLetter>, while somebody has named it.
inline constexpr std::string_view dead_letter_topic = "system.dead_letters";

/// Some publications of other nodes have not come: this one did not take them fast enough.
struct BusGap {
  std::uint64_t missed = 0;
};
/// Where that is published, as Topic<BusGap>, before what came after the gap.
inline constexpr std::string_view bus_gap_topic = "system.bus_gaps";

/// Thrown by `block_on` where the system ended, or gave up, before the task did.
class SystemEnded : public std::runtime_error {
 public:
  SystemEnded() : std::runtime_error("the system ended, or gave up, before the task did") {}
};

namespace detail {

/// A thread waits for this promise: it is kept, however the task that holds it ends.
template <class Result>
class Told {
 public:
  explicit Told(std::promise<Result> promise) noexcept : promise_(std::move(promise)) {}
  Told(Told&& other) noexcept : promise_(std::move(other.promise_)), due_(std::exchange(other.due_, false)) {}
  Told& operator=(Told&&) = delete;
  ~Told() {
    if (!due_) return;
    if constexpr (requires {
                    typename Result::error_type;
                    requires is_failure<typename Result::error_type>;
                  }) {
      promise_.set_value(std::unexpected(typename Result::error_type{Outcome::unknown, {}, SystemEnded{}.what()}));
    } else {
      promise_.set_exception(std::make_exception_ptr(SystemEnded{}));
    }
  }
  std::promise<Result>& take() noexcept {
    due_ = false;
    return promise_;
  }

 private:
  template <class T>
  static constexpr bool is_failure = false;
  template <class E>
  static constexpr bool is_failure<Failure<E>> = true;

  std::promise<Result> promise_;
  bool due_ = true;
};

}  // namespace detail

class System final : public Host {
 public:
  /// Throws std::system_error where a thread, or what a core waits on, is not to be had.
  explicit System(SystemOptions options = {});
  System(const System&) = delete;
  System& operator=(const System&) = delete;
  /// Shuts down if nobody has.
  ~System() override;

  /// Starts a top-level actor. Any thread. The reference may be used at once; where the system is ending it is stale.
  template <class A, class... Args>
  Ref<A> spawn(ActorOptions options, Args... args) {
    Cell& cell =
        core(options.core == any_core ? 0 : static_cast<std::size_t>(options.core)).reserve_remotely(options.mailbox);
    const Ref<A> ref{cell.address()};
    adopt({.cell = &cell,
           .type = &detail::type_of<A>,
           .body = detail::make_body<A>(std::move(args)...),
           .options = std::move(options)});
    return ref;
  }

  /// Stops or drains any actor, as `Context::stop` and `Context::drain` do. Any thread.
  template <class A>
  void stop(Ref<A> actor) noexcept {
    if (actor) lifecycle::request_stop(detail::sender_to(actor.address()), actor.address());
  }
  template <class A>
  void drain(Ref<A> actor) noexcept {
    if (actor) lifecycle::request_drain(detail::sender_to(actor.address()), actor.address());
  }

  /// See service.h.
  template <class A, class... Args>
  Ref<A> find_or_start(ActorOptions options, Args... args) {
    const std::lock_guard lock{services_mutex_};
    Address& entry = services_[{index_of(detail::type_of<A>), options.name}];
    if (!is_living(entry)) {
      Cell& cell =
          core(options.core == any_core ? 0 : static_cast<std::size_t>(options.core)).reserve_remotely(options.mailbox);
      entry = cell.address();
      if (options.name.empty()) options.name = detail::type_of<A>.name;
      adopt_service({.cell = &cell,
                     .type = &detail::type_of<A>,
                     .body = detail::make_body<A>(std::move(args)...),
                     .options = std::move(options)});
    }
    return Ref<A>{entry};
  }

  /// Runs an ask or a task on the first core and waits for what it gives. On a foreign thread, never on a core's. Where
  /// the system ends first, or gives up, an ask has failed with `unknown`, and anything else throws SystemEnded; so it
  /// is for whoever begins later.
  template <class Awaitable>
  auto block_on(Awaitable awaitable) {
    using Result = decltype(result_of_await(std::declval<Awaitable&>()));
    std::promise<Result> promise;
    auto future = promise.get_future();
    // The awaitable comes last among the arguments, so it dies first: on its core, before anybody is told.
    run_awaited([](detail::Told<Result> told, Awaitable what) -> Task<void> {
      try {
        if constexpr (std::is_void_v<Result>) {
          co_await std::move(what);
          told.take().set_value();
        } else {
          auto result = co_await std::move(what);
          told.take().set_value(std::move(result));
        }
      } catch (...) {
        told.take().set_exception(std::current_exception());
      }
    }(detail::Told<Result>{std::move(promise)}, std::move(awaitable)));
    wait_for([&] { return future.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }, future);
    return future.get();
  }

  /// Runs a task on its own, on the first core. Any thread. What it throws is reported. Not `sent`: it never runs,
  /// because the system ends (`dead`) or 65 536 wait to begin (`full`).
  Sent run_as_guest(Task<void> task);

  /// The tree as it is now. Awaited inside an actor.
  Task<std::vector<InspectedActor>> inspect();

  /// What waits in mailboxes, by class of actor, on all cores. Awaited inside an actor.
  Task<std::map<std::string, MailboxFigures>> mailboxes();
  /// Begins or ends the histogram of one actor (Context::measure). False: there is none at that path of the tree.
  /// Awaited inside an actor.
  Task<bool> measure(std::string path, bool on = true);

  /// The finished spans of all cores (span.h), which are gone from them then. Awaited inside an actor.
  Task<SpanBuffer> take_spans();

  /// The named steps that `shutdown` takes before it stops the actors: shutdown_phases.h. Any thread.
  class ShutdownPhases shutdown_phases();
  /// Goes through the phases, stops everything, in order, and waits; so do calls meanwhile, later ones do nothing.
  /// Foreign threads only: on a core's it stops the process with the reason. False: the system had failed.
  bool shutdown();
  /// Ends a simulated system as a power cut would: no actor is asked, and what was under way is lost.
  void crash() noexcept;
  /// Whether the root gave up; the reason is in the report.
  bool failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  /// Called once when the root gives up, on a core's thread as a rule; it only wakes the owner, who then shuts down.
  void on_failure(std::function<void()> callback);

  TopicDirectory& topics() noexcept override { return *topics_; }
  /// From now on each drop is published to the topic of dead letters. Any thread; Topic<DeadLetter> sees to it.
  void publish_dead_letters() noexcept;

  void root_failed(const std::string& why) override;
  void root_stopped() override;
  void report(const std::string& what) override;
  bool threads_may_wait() const noexcept override { return options_.environment == nullptr; }

 private:
  friend class ShutdownPhases;
  struct Guest;

  template <class A>
  static decltype(auto) result_of_await(A& awaitable) {
    if constexpr (requires { static_cast<A&&>(awaitable).operator co_await(); }) {
      return static_cast<A&&>(awaitable).operator co_await().await_resume();
    } else {
      return awaitable.await_resume();
    }
  }
  template <class Future>
  void wait_for(const std::function<bool()>& ready, Future& future) {
    if (options_.environment != nullptr) {
      options_.environment->wait_for(ready);
    } else {
      INVARIANT(Core::current() == nullptr,
                "block_on on a core's thread could wait for itself: a handler says co_await");
      future.wait();
    }
  }
  /// As `run_as_guest`, but never refused because others wait.
  void run_awaited(Task<void> task);
  void adopt(lifecycle::SpawnPlan plan);
  void adopt_service(lifecycle::SpawnPlan plan);
  static bool is_living(Address address) noexcept;
  void count_phase(Duration timeout) noexcept;
  void run_phases();
  void stop_everything();
  void receive_from_bus(Core& first);
  void tear_down() noexcept;

  SystemOptions options_;
  std::unique_ptr<TopicDirectory> topics_;
  Cell* root_ = nullptr;
  Address service_parent_;
  Ref<Guest> guest_;
  std::promise<void> stopped_;
  std::future<void> has_stopped_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> ends_{false};  // no top-level actor starts any more
  std::mutex callback_mutex_;
  std::function<void()> on_failure_;
  std::mutex shutdown_mutex_;
  bool down_ = false;
  std::atomic<std::int64_t> phases_max_{0};  // the time of all shutdown phases one after the other; 0: there are none
  std::mutex services_mutex_;
  std::map<std::pair<std::uint32_t, std::string>, Address> services_;  // by type and name
  std::vector<std::thread> threads_;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace troupe::actor
