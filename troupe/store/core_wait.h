// CoreWait: runs a function on a core as if it waited for sockets, and gives the core to others meanwhile.
//
// Owned by an actor; all calls are on its core. The function runs on a fiber: `wait` registers the socket with the
// core's poller, pauses, and goes on when the socket is ready. The socket stays registered from one wait to the next,
// and leaves when it has something to say that nobody waits for.
#pragma once

#include <functional>

#include "troupe/actor/runtime/timers.h"
#include "troupe/store/fiber.h"
#include "troupe/store/socket_wait.h"

namespace troupe::actor {
class Core;
}

namespace troupe::store {

class CoreWait final : public SocketWait, private actor::IoHandler, private actor::TimerNode {
 public:
  CoreWait() : TimerNode(&CoreWait::on_time) {}
  CoreWait(const CoreWait&) = delete;
  CoreWait& operator=(const CoreWait&) = delete;
  ~CoreWait() override;

  /// Begins `function`, which must not throw; `ended` is called on the core when it is over, perhaps at once.
  void run(std::move_only_function<void()> function, std::move_only_function<void()> ended);
  /// Ends what runs: each of its waits is cancelled. `ended` is not called.
  void cancel() noexcept;

  /// Inside the function.
  Waited wait(int socket, actor::IoEvents interest, base::Duration at_most) override;
  void forget(int socket) noexcept override;

 private:
  static void on_time(actor::TimerNode& node) noexcept;
  void on_io(actor::IoEvents events) override;
  void go_on(Waited what);
  void register_for(int socket, actor::IoEvents interest);
  void tell_end();

  Fiber fiber_;
  actor::Core* core_ = nullptr;  // of the function that runs, or the last one
  std::move_only_function<void()> ended_;
  int registered_ = -1;
  actor::IoEvents interest_;
  bool is_waiting_ = false;
  bool is_cancelled_ = false;
  Waited outcome_ = Waited::ready;
};

}  // namespace troupe::store
