// MemoryBus: a Bus between systems of one process, for tests of what is to run on several nodes.
//
//   MemoryBus bus;
//   System one{{.bus = bus.node()}}, other{{.bus = bus.node()}};
//
// Each node has a queue of its own, bounded by number. Between simulated worlds nothing moves by
// itself: what one has published waits until the other runs. Any thread.
#pragma once

#include <memory>

#include "troupe/actor/runtime/bus.h"

namespace troupe::actor {

struct MemoryBusOptions {
  std::size_t waiting_max = 1024;  // publications that wait for one node; about as many as a mailbox takes
};

class MemoryBus {
 public:
  explicit MemoryBus(MemoryBusOptions options = {});
  /// A further node, for one system. It may outlive this object.
  std::shared_ptr<Bus> node();

 private:
  struct Shared;
  class Node;
  std::shared_ptr<Shared> shared_;
};

}  // namespace troupe::actor
