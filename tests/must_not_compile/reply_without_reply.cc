// A handler takes a Reply where its message declares one.
// expect: handler_that_takes_a_reply_is_for_messages_that_declare_one<Broker, Order>
#include "troupe/actor/actor.h"

struct Order {};
struct Broker {
  void handle(Order, troupe::actor::Reply<void>) {}
};

void tell(troupe::actor::Ref<Broker> broker) { broker.tell(Order{}); }
