// InboxShard: find or make the box; forget it when nothing waits and nobody is there.
#include "troupe/realtime/topic/inbox_shard.h"

#include <fmt/format.h>

namespace troupe::realtime {

std::expected<DirectPublication, DirectError> InboxShard::send(const SendDirect& direct, const Moment& moment) {
  Box* box = find_or_make(direct.direct.user, moment);
  if (box == nullptr) return std::unexpected(DirectError::overloaded);
  if (!box->inbox) box->inbox = std::make_unique<Inbox>(box->epoch, options_.limits);
  Position position{box->epoch, box->inbox->top().offset + 1};
  // Time first, so that ids sort as they were made; the rest keeps them apart and unguessable.
  MessageId id{fmt::format("{:012x}{:016x}", moment.wall.milliseconds, moment.random.next())};
  auto frame = encode_direct({direct.from, id, position.offset, moment.wall, direct.direct.payload}).frame;
  box->inbox->append(moment.now, frame);
  return DirectPublication{std::move(id), std::move(position), std::move(frame), box->cores.listed()};
}

InboxContents InboxShard::open(const UserId& user, CoreIndex core, const Moment& moment) {
  Box* box = find_or_make(user, moment);
  if (box == nullptr) return {};
  box->cores.insert(core);
  if (!box->inbox) return {{box->epoch, 0}, {}, {}};
  box->inbox->expire(moment.now);
  const auto& waiting = box->inbox->waiting();
  return {box->inbox->top(), box->inbox->lost(), {waiting.begin(), waiting.end()}};
}

void InboxShard::close(const UserId& user, CoreIndex core) {
  auto place = boxes_.find(user);
  if (place == boxes_.end()) return;
  place->second.cores.erase(core);
  forget_if_idle(place);
}

// What is idle now is forgotten with the next expire(), if its user does not come back before.
void InboxShard::close_all(CoreIndex core) {
  for (auto& [user, box] : boxes_) box.cores.erase(core);
}

void InboxShard::received(const UserId& user, Offset offset) {
  auto place = boxes_.find(user);
  if (place == boxes_.end() || !place->second.inbox) return;
  place->second.inbox->received(offset);
  forget_if_idle(place);
}

void InboxShard::expire(base::Instant now) {
  for (auto place = boxes_.begin(); place != boxes_.end();) {
    auto next = std::next(place);
    if (place->second.inbox) place->second.inbox->expire(now);
    forget_if_idle(place);
    place = next;
  }
}

InboxShard::Box* InboxShard::find_or_make(const UserId& user, const Moment& moment) {
  auto place = boxes_.find(user);
  if (place != boxes_.end()) return &place->second;
  if (boxes_.size() >= options_.inboxes_max) return nullptr;
  return &boxes_.emplace(user, Box{make_epoch(moment.random), {}, nullptr}).first->second;
}

void InboxShard::forget_if_idle(Boxes::iterator place) {
  if (place->second.is_idle()) boxes_.erase(place);
}

}  // namespace troupe::realtime
