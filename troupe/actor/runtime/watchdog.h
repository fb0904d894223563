// Watchdog: notices an actor that holds its core too long, and names it and the message it handles.
//
// One thread of a real system, owned by it. While any core is awake it looks at each of them
// four times within the limit; when all of them sleep it sleeps too, until one wakes. It reads
// what a core publishes by plain stores: its turn, the actor that runs, what that handles. A
// core that is still in the same turn with the same actor when the limit is over is reported
// at once, counted with the actor's type, and reported again, with the actor's place in the
// tree, when it is free. The simulator, where time moves by virtual cost, tells by itself.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

class Watchdog {
 public:
  /// The cores must outlive it.
  Watchdog(Host& host, Duration limit);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// Counts a stall with the class of the actor. By the watchdog's thread alone, or the simulator's.
  static void count(Core& core, const Doing& doing) noexcept;
  /// "Spinner(/spinner) held core 1 for 312 ms with Spin". On the core's thread.
  static std::string describe(Core& core, Address actor, const Doing& doing, Duration held);

 private:
  struct Watched {
    std::uint64_t turn = 0;
    Cell* cell = nullptr;
    Instant since{};
    bool told = false;
  };

  void run();
  void look_at(Core& core, Watched& seen, Instant now);
  void tell(Core& core, Cell& cell, const Doing& doing, Instant since);
  bool is_quiet() const noexcept;

  Host& host_;
  const Duration limit_;
  std::vector<Watched> seen_;
  std::mutex mutex_;
  std::condition_variable ends_changed_;
  std::atomic<bool> ends_{false};  // set under the mutex
  std::thread thread_;
};

}  // namespace troupe::actor
