// TrafficObserver: who is shown what a client says and hears, in its order: to record it, or to judge it.
#pragma once

#include <string_view>

#include "troupe/realtime/client/server_frame.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

class TrafficObserver {
 public:
  virtual ~TrafficObserver() = default;
  /// A frame of the client, which is JSON.
  virtual void sent(wire::Opcode opcode, std::string_view message) = 0;
  /// A frame of the server, as it came and as it was read.
  virtual void received(wire::Opcode opcode, std::string_view message, const ServerFrame& frame) = 0;
  /// The connection has ended.
  virtual void closed() = 0;
};

}  // namespace troupe::realtime
