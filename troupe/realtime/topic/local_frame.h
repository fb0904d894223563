// LocalFrame: one finished frame as all connections of one core share it, counted without
// atomics.
//
// A publication reaches a core as Bytes, which any core may hold; it is wrapped here once,
// and each outbox takes a FrameRef. The first connection that wants it compressed, or as an
// event, leaves the result here for the others. A FrameRef must not leave its core.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "troupe/actor/actor.h"
#include "troupe/base/bytes.h"
#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/priority.h"

namespace troupe::realtime {

struct LocalFrame;

/// By which kind of subscription a message has come: by a pattern it bears `shard` and `seq`.
enum class Came : std::uint8_t { by_name, by_pattern };

/// Where a message stands in the stream of the shard that it comes from; `seq` 0: nobody said.
struct StreamPlace {
  std::uint32_t shard = 0;  // the core that is its home
  std::uint64_t seq = 0;
};

class FrameRef {
 public:
  FrameRef() = default;
  FrameRef(const FrameRef& other) noexcept;
  FrameRef(FrameRef&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  FrameRef& operator=(FrameRef other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~FrameRef();

  /// A frame that belongs to no topic.
  static FrameRef control(base::Bytes bytes) { return message(std::move(bytes), {}, {}); }
  /// A message of a topic.
  static FrameRef message(base::Bytes bytes, std::string topic, Position position, Priority priority = Priority::normal,
                          Came came = Came::by_name, StreamPlace place = {});

  const LocalFrame& operator*() const noexcept { return *frame_; }
  const LocalFrame* operator->() const noexcept { return frame_; }
  explicit operator bool() const noexcept { return frame_ != nullptr; }
  /// Whether both are one and the same frame, not merely an equal one.
  bool is(const FrameRef& other) const noexcept { return frame_ == other.frame_; }

 private:
  LocalFrame* frame_ = nullptr;
};

struct LocalFrame : actor::CoreMemory {
  LocalFrame(base::Bytes its_bytes, std::string its_topic, Position its_position, Priority its_priority, Came has_come,
             StreamPlace its_place) noexcept
      : bytes(std::move(its_bytes)),
        topic(std::move(its_topic)),
        position(std::move(its_position)),
        place(its_place),
        priority(its_priority),
        came(has_come) {}

  base::Bytes bytes;
  std::string topic;  // empty for answers and other frames that belong to no topic
  Position position;
  StreamPlace place;
  Priority priority;
  Came came;

  /// The same without a context of earlier messages; connection/compression makes it once. Null when not yet, or when
  /// it would be no shorter.
  mutable FrameRef deflated;
  mutable bool deflate_tried = false;
  mutable base::Instant queued_at = base::Instant::never();  // when its router handed it out; never: nobody noted
  /// The same as the lines of an event, without an id; connection/event_coding makes it once. Null when not yet.
  mutable FrameRef event;

 private:
  friend class FrameRef;
  std::uint32_t references_ = 1;
};

inline FrameRef::FrameRef(const FrameRef& other) noexcept : frame_(other.frame_) {
  if (frame_ != nullptr) ++frame_->references_;
}

inline FrameRef::~FrameRef() {
  // The last reference owns the frame, for as long as it takes to end it.
  if (frame_ != nullptr && --frame_->references_ == 0) std::unique_ptr<LocalFrame>{frame_}.reset();
}

inline FrameRef FrameRef::message(base::Bytes bytes, std::string topic, Position position, Priority priority, Came came,
                                  StreamPlace place) {
  FrameRef made;
  made.frame_ =
      std::make_unique<LocalFrame>(std::move(bytes), std::move(topic), std::move(position), priority, came, place)
          .release();
  return made;
}

}  // namespace troupe::realtime
