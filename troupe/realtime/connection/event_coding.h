// EventCoding: frames that leave by a stream of events: their lines, made once for all streams
// of the core, and the stream's own id behind them.
//
// It follows what leaves, so that each id says where the stream is once its event has been
// read. Until the subscriptions are confirmed there are no ids: a client that loses the
// stream before goes on from where it was. Owned by one connection.
#pragma once

#include "troupe/realtime/connection/frame_coding.h"
#include "troupe/realtime/protocol/stream_cursor.h"

namespace troupe::realtime {

class EventCoding final : public FrameCoding {
 public:
  /// `cursor`: from where the client wants to go on.
  explicit EventCoding(StreamCursor cursor) : cursor_(std::move(cursor)) {}

  FrameRef outgoing(FrameRef frame) override;

  const StreamCursor& cursor() const noexcept { return cursor_; }

 private:
  void follow_server(std::string_view event, std::string_view frame);
  void go_on(std::string_view positions);
  void reach_inbox(const LocalFrame& frame);

  StreamCursor cursor_;
  bool begun_ = false;      // the subscriptions are confirmed
  bool inbox_cut_ = false;  // the client has missed something of its inbox that still waits there
};

}  // namespace troupe::realtime
