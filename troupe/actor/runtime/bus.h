// Bus: by which what is published on a topic reaches the other nodes of a cluster.
//
// A system that was given one (SystemOptions::bus) hands it each publication whose type has a
// name for it (topic.h), and publishes what comes from others to its own subscribers; actors
// see no difference. An implementation joins two or more nodes by whatever carries bytes. It
// keeps the order of each node, delivers at most once, and bounds what it holds for a node
// that does not take it: what is lost is counted, and told where it is missing. Its twin
// within one process is MemoryBus (memory_bus.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/runtime/ask_state.h"
#include "troupe/base/bytes.h"
#include "troupe/base/topic_name.h"
#include "troupe/base/trace_context.h"

namespace troupe::actor {

/// One publication, as it travels.
struct BusMessage {
  std::string topic;
  std::string type;  // what its value is, by name and version: another node may run another program
  base::TopicName name;
  base::Bytes value;  // in the form of codec.h
  std::optional<base::TraceContext> trace;
};

class Bus {
 public:
  virtual ~Bus() = default;

  /// From now on `wake` is called when something has come after `take` has found nothing more. On any thread; it must
  /// not call back. A node that joins again begins with what is published from then on.
  virtual void join(std::function<void()> wake) = 0;
  /// Nothing comes any more, and once this returns `wake` is not called.
  virtual void leave() noexcept = 0;

  /// Hands it to all other nodes; never blocks. `full`: at least one of them misses it, and is told. Any thread.
  virtual Sent publish(BusMessage message) = 0;

  struct Arrival {
    std::shared_ptr<const BusMessage> message;  // null: none came after what is missing
    std::uint64_t missed = 0;                   // publications that are missing before it
  };
  /// What has come, oldest first; fewer than `most`: that was all. One thread at a time.
  virtual std::vector<Arrival> take(std::size_t most) = 0;
};

}  // namespace troupe::actor
