// MessageRouterActor: subscribers that do not keep up, where their publishers are to feel it: acks that wait for room,
// and topics to which nothing is published for now.
#include <utility>

#include "troupe/realtime/topic/message_router_actor.h"

namespace troupe::realtime {

// ---- on the core of the subscribers ----

void MessageRouterActor::await_room(const Deliver& message, const LocalReceivers::Counted& counted) {
  const auto& [epoch, offset] = message.position;
  unsettled_.insert_or_assign(DeliveryKey{message.topic.text(), epoch, offset},
                              Unsettled{message.home, message.ticket, counted.accepted, counted.queued, counted.over});
}

// Of a delivery that nobody counts there is nothing to be found.
void MessageRouterActor::handle(const DeliveriesSettled& message) {
  for (const auto& [topic, position, delivery] : message.deliveries) {
    const bool accepted = delivery == Delivery::accepted || delivery == Delivery::queued;
    ++(accepted ? figures_.delivered : figures_.dropped);
    auto found = unsettled_.find({topic, position.epoch, position.offset});
    if (found == unsettled_.end()) continue;
    auto& unsettled = found->second;
    unsettled.accepted += accepted ? 1 : 0;
    unsettled.queued += delivery == Delivery::queued ? 1 : 0;
    if (--unsettled.missing > 0) continue;
    router(unsettled.home).tell(Delivered{unsettled.ticket, unsettled.accepted, unsettled.queued});
    unsettled_.erase(found);
  }
}

// ---- at the home of the topics ----

bool MessageRouterActor::is_pushed_back(const TopicName& topic, base::Instant now) const {
  return pressed_.contains(topic.text(), now) && reaches_publishers(topics_->settings().of(topic).overflow);
}

void MessageRouterActor::handle(const TopicsPressed& message, actor::Context& ctx) {
  pressed_.press(message.core, message.topics, ctx.now() + pressure_believed);
}

void MessageRouterActor::handle(const TopicsRelieved& message) { pressed_.relieve(message.core, message.topics); }

}  // namespace troupe::realtime
