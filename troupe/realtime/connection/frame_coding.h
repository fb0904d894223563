// FrameCoding: what becomes of a frame when it leaves: compressed, or an event of another
// protocol.
//
// One for each connection that wants it. The outbox asks it for each frame, once, in the
// order in which they leave; what it has been given then leaves.
#pragma once

#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

class FrameCoding {
 public:
  virtual ~FrameCoding() = default;

  /// The frame as it leaves; it may be the same.
  virtual FrameRef outgoing(FrameRef frame) = 0;
};

}  // namespace troupe::realtime
