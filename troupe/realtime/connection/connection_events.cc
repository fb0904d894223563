// Connection: what a stream of events has that a WebSocket has not: all that its client wants comes with the request,
// and where it was in the inbox, too.
#include <algorithm>

#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

void Connection::stream(EventStreamParts parts) {
  auto read = parts.cursor.inbox();
  if (read) inbox_last_ = *read;
  make_rare().events = std::make_unique<Events>(std::move(parts.subscribe), std::move(read),
                                                EventCoding{std::move(parts.cursor)}, std::move(parts.lost));
}

std::optional<Subscribe> Connection::take_wanted() {
  if (!is_stream()) return std::nullopt;
  auto& events = *rare().events;
  if (auto lost = std::exchange(events.lost, {}); !lost.empty())
    answer(finished(Unsubscribed{std::move(lost), "forbidden"}));
  return std::exchange(events.wanted, std::nullopt);
}

// What was spilled is read topic by topic, and so out of the order of its shard, in which a stream's patterns go on.
Overflow Connection::spill_or_drop() const {
  const bool has_patterns = is_stream() && !rare().events->coding.cursor().is_names();
  return has_patterns ? Overflow::drop_oldest : Overflow::spill;
}

void Connection::end_empty_stream() {
  if (!is_stream() || !is_open() || !session_.subscriptions.empty()) return;
  const auto may_have = [&](const TopicPattern& topic) { return session_.permissions.may_subscribe(topic); };
  if (std::ranges::any_of(rare().events->coding.cursor().topics(), may_have)) {
    close(wire::close_code::try_again_later, "the topics of this stream cannot be had now");
  } else {
    close(wire::close_code::policy_violation, "nothing of this stream can be told any more");
  }
}

// With the id of an event the client says `received` of all that it has of the inbox, if that is still the same.
void Connection::acknowledge_inbox(const Epoch& epoch) {
  auto read = is_stream() ? std::exchange(rare().events->read, std::nullopt) : std::nullopt;
  if (!read || read->epoch != epoch) return;
  const auto& user = session_.identity.user;
  site_->routing.home(inbox_topic(user)).tell(AcknowledgeInbox{user, read->offset, read->epoch});
}

}  // namespace troupe::realtime
