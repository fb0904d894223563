// Connection: `block` and `backpressure`, under which publishers feel that it is slow.
//
// Under `block` a message that finds no room waits for it over the limits, and its publisher's
// ack with it. Homes are told of topics with which this connection does not keep up: under
// `backpressure` while the outbox is rather full than empty, under `block` while too much waits.
#include <algorithm>
#include <functional>

#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/connection/connection_supervisor.h"

namespace troupe::realtime {

// The namespace of the topic decides alone, not that of a pattern that reaches into it.
Outbox::Pushed Connection::push_or_press(const FrameRef& frame, Overflow overflow) {
  const auto& space = site_->settings->of(frame->topic);
  if (space.overflow != overflow) return open_outbox().push(frame, Overflow::drop_oldest);
  auto result = open_outbox().push(frame, overflow);
  if (result == Outbox::Pushed::over) {
    auto& [over, give_up_at, pressed] = felt();
    over.push_back({.frame = frame, .until = core_.now() + space.block_time});
    if (over.back().until < give_up_at) {
      give_up_at = over.back().until;
      reschedule();
    }
  }
  auto is_much = [&] { return overflow == Overflow::block ? outbox().is_over_by(2) : outbox().is_full_to(2); };
  if (is_much() && !socket_full_) write_some();  // much in one turn is no slow reader
  if (is_much()) press(frame->topic, overflow);
  return result;
}

FeltByPublishers& Connection::felt() {
  auto& felt = make_rare().felt;
  if (felt == nullptr) felt = std::make_unique<FeltByPublishers>();
  return *felt;
}

void Connection::press(const std::string& topic, Overflow overflow) {
  if (!felt().pressed.try_emplace(topic, overflow).second) return;
  if (site_->pressure.empty()) site_->supervisor.tell(PressureBegins{});
  if (site_->pressure.add(topic) == TopicPressure::Added::further) return;
  site_->routing.home(topic).tell(TopicsPressed{site_->routing.here, {topic}});
}

// There may be room again.
void Connection::ease() {
  if (!rare().felt->over.empty()) {
    std::vector<FrameRef> settled;
    open_outbox().admit(settled);
    settle(settled, socket_full_ ? Delivery::queued : Delivery::accepted);
  }
  relieve([&](const std::string&, Overflow overflow) {
    return overflow == Overflow::block ? !outbox().is_over_by(4) : !outbox().is_full_to(4);
  });
}

// Those for which `relieved` holds do not press any longer.
void Connection::relieve(const std::function<bool(const std::string&, Overflow)>& relieved) {
  if (rare().felt == nullptr) return;
  std::erase_if(rare().felt->pressed, [&](const auto& entry) {
    const auto& [topic, overflow] = entry;
    if (!relieved(topic, overflow)) return false;
    if (site_->pressure.remove(topic) == TopicPressure::Removed::last) {
      site_->routing.home(topic).tell(TopicsRelieved{site_->routing.here, {topic}});
    }
    return true;
  });
}

// What became of messages that waited for room, where a publisher waits as well; of those that do not wait any more
// nobody wants to know.
void Connection::settle(const std::vector<FrameRef>& frames, Delivery delivery) {
  DeliveriesSettled told;
  auto& over = rare().felt->over;
  for (const auto& frame : frames) {
    bool is_awaited = false;
    auto same = [&](const OverDelivery& one) {
      if (&*one.frame != &*frame) return false;
      is_awaited = one.is_awaited;
      return true;
    };
    if (over.empty()) break;
    same(over.front()) ? over.drop_front() : over.erase_if(same);
    if (is_awaited) told.deliveries.push_back({frame->topic, frame->position, delivery});
  }
  if (!told.deliveries.empty()) site_->routing.local().tell(std::move(told));
}

// A publisher has waited long enough: its message becomes a gap, unless it is being written.
void Connection::give_up(base::Instant now) {
  std::vector<FrameRef> dropped, written;
  base::Instant next = base::Instant::never();
  for (const auto& [frame, until, is_awaited] : rare().felt->over) {
    if (until > now) {
      next = std::min(next, until);
    } else if (open_outbox().give_up(frame)) {
      dropped.push_back(frame);
    } else {
      written.push_back(frame);
    }
  }
  rare().felt->give_up_at = next;
  settle(written, Delivery::queued);
  settle(dropped, Delivery::dropped);
  if (dropped.empty()) return;
  ease();
  pushed(outbox().is_overrun() ? Outbox::Pushed::overrun : Outbox::Pushed::dropped);
}

// It ends: nobody waits for it any longer.
void Connection::release_publishers() {
  if (rare().felt == nullptr) return;
  std::vector<FrameRef> left;
  for (const auto& one : rare().felt->over) left.push_back(one.frame);
  settle(left, Delivery::dropped);
  relieve([](const std::string&, Overflow) { return true; });
}

}  // namespace troupe::realtime
