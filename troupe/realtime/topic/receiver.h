// Receiver: one connection as the router of its core sees it: where messages are put.
//
// Called by the router as a plain object on their common core, so a delivery passes no
// mailbox. The router holds it until it is unregistered; a receiver whose connection has
// ended takes what comes and drops it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/local_ref.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/topic/inbox.h"
#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

class Receiver;
using ReceiverRef = base::LocalRef<Receiver>;
using ReceiverNumber = std::uint64_t;  // of one registration; never used again on its core

/// A place in the stream of one home. Its numbers mean nothing to the home's next incarnation.
struct ShardPlace {
  std::uint32_t incarnation = 0;
  std::uint64_t seq = 0;

  friend bool operator==(const ShardPlace&, const ShardPlace&) = default;
};

/// How far the streams of all homes had been brought to a receiver, by home, when the tables that knew it were lost.
using RoutesCut = std::shared_ptr<const std::vector<ShardPlace>>;

enum class Delivery : std::uint8_t {
  accepted,  // it leaves with this turn's write
  queued,    // it waits until the socket takes more
  dropped,   // it became part of a gap, or the connection has ended
  spilled,   // it will be read again from history
  over,      // it waits for room over the limits; DeliveriesSettled will tell
};

/// What waited for a user when a connection of theirs came.
struct InboxContents {
  Position top;
  std::optional<LostRange> lost;
  std::vector<KeptDirect> waiting;
};

class Receiver : public base::LocallyOwned {
 public:
  virtual ~Receiver() = default;

  /// Who it is; both stay as they are for as long as it is registered.
  virtual const ConnectionId& connection() const noexcept = 0;
  virtual const UserId& user() const noexcept = 0;

  /// The router knows the receiver by this number from now on. A receiver that has ended meanwhile unregisters.
  virtual void registered(ReceiverNumber number) = 0;
  /// Puts a message into the outbox. Does not throw but for want of memory.
  virtual Delivery deliver(const FrameRef& frame, Overflow overflow) = 0;
  /// Whether a message for those with this scope is for this one.
  virtual bool has_scope(const std::string& scope) const = 0;
  /// A message that is for others.
  virtual void withheld(std::string_view topic, const Position& position, const StreamPlace& place) = 0;
  /// One of its own that it did not want to have back.
  virtual void left_out(std::string_view topic, const Position& position) = 0;
  /// The messages `from`..`to` of a topic could not be brought to this core; none of them stands behind `last`.
  virtual void missed(std::string_view topic, const Epoch& epoch, Offset from, Offset to, Overflow overflow,
                      const StreamPlace& last) = 0;
  /// The answer to the registration; direct messages go on from here. After another registration the contents may be
  /// what it has already.
  virtual void open_inbox(const InboxContents& contents) = 0;
  /// The router has begun its tables anew and knows it no more: it registers again, and its subscriptions after `cut`.
  virtual void routes_lost(RoutesCut cut) = 0;
};

}  // namespace troupe::realtime
