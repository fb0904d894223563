// InboxShard: find or make the box; forget it when nothing waits and nobody is there.
#include "troupe/realtime/topic/inbox_shard.h"

#include <fmt/format.h>

#include <utility>

#include "troupe/base/check.h"

namespace troupe::realtime {

std::expected<DirectPublication, DirectError> InboxShard::send(const SendDirect& direct, const Moment& moment) {
  now_ = moment.now;
  if (!may_begin(direct.from, direct.direct.user)) return std::unexpected(DirectError::too_many_inboxes);
  const Position top = top_of(direct.direct.user, moment.random);
  const Position position{top.epoch, top.offset + 1};
  // Time first, so that ids sort as they were made; the rest keeps them apart and unguessable.
  MessageId id{fmt::format("{:012x}{:016x}", moment.wall.milliseconds, moment.random.next())};
  auto frame = encode_direct({direct.from, id, position, moment.wall, direct.direct.payload}).frame;
  if (frame.size() > options_.limits.bytes_max) return std::unexpected(DirectError::too_large);
  if (const auto error = no_room_for(direct.from, frame.size())) return std::unexpected(*error);
  Box* box = find(direct.direct.user);
  if (box == nullptr && boxes_.size() >= options_.inboxes_max) return std::unexpected(DirectError::overloaded);
  if (box == nullptr) box = &make(direct.direct.user, top);  // now, so that what is refused makes none
  if (!box->mail) {
    box->mail = std::make_unique<Mail>(box->begins, options_.limits, ledger_);
    if (box->cores.empty()) ++(*(box->mail->begun_by = senders_.try_emplace(direct.from).first))->second;
  }
  box->mail->append(moment.now, direct.from, frame);
  if (!box->mail->due) box->mail->due = due_.emplace(box->mail->next_expiry(), direct.direct.user);
  return DirectPublication{std::move(id), box->top(), std::move(frame), box->cores.listed()};
}

InboxContents InboxShard::open(const UserId& user, CoreIndex core, const Moment& moment) {
  now_ = moment.now;
  Box* box = find(user);
  if (box == nullptr) box = &make(user, top_of(user, moment.random));  // whoever is here: as many as have a connection
  box->cores.insert(core);
  if (!box->mail) return {box->begins, {}, {}};
  release_sender(*box);
  box->mail->expire(moment.now);
  const auto& waiting = box->mail->waiting();
  return {box->mail->top(), box->mail->lost(), {waiting.begin(), waiting.end()}};
}

bool InboxShard::may_begin(const UserId& sender, const UserId& user) const {
  const auto place = boxes_.find(user);
  if (place != boxes_.end() && (place->second.mail || !place->second.cores.empty())) return true;
  const auto begun = senders_.find(sender);
  return begun == senders_.end() || begun->second < options_.by_sender_max;
}

// His own share first: who has filled it is told of that, and to others it is the server that is full.
std::optional<DirectError> InboxShard::no_room_for(const UserId& sender, std::size_t bytes) const {
  if (ledger_.bytes_of(sender) + bytes > options_.bytes_by_sender_max) return DirectError::too_many_inboxes;
  if (ledger_.bytes() + bytes > options_.bytes_of_all_max) return DirectError::overloaded;
  return std::nullopt;
}

void InboxShard::release_sender(Box& box) {
  if (!box.mail || !box.mail->begun_by) return;
  const auto sender = *std::exchange(box.mail->begun_by, std::nullopt);
  if (--sender->second == 0) senders_.erase(sender);
}

void InboxShard::close(const UserId& user, CoreIndex core) {
  auto place = boxes_.find(user);
  if (place == boxes_.end()) return;
  place->second.cores.erase(core);
  forget_if_idle(place);
}

// What is idle now is forgotten with the next expire(), if its user does not come back before.
void InboxShard::close_all(CoreIndex core) {
  for (auto& [user, box] : boxes_) {
    box.cores.erase(core);
    if (box.is_idle()) left_alone_.push_back(user);
  }
}

void InboxShard::received(const UserId& user, Offset offset, const std::optional<Epoch>& epoch) {
  auto place = boxes_.find(user);
  if (place == boxes_.end() || !place->second.mail) return;
  if (epoch && *epoch != place->second.mail->top().epoch) return;
  place->second.mail->received(offset);
  forget_if_idle(place);
}

void InboxShard::expire(base::Instant now) {
  now_ = now;
  past_.expire(now - options_.limits.age_max);
  for (const UserId& user : std::exchange(left_alone_, {})) {
    if (const auto place = boxes_.find(user); place != boxes_.end()) forget_if_idle(place);
  }
  while (!due_.empty() && due_.begin()->first <= now) {
    const UserId user = std::move(due_.extract(due_.begin()).mapped());
    const auto place = boxes_.find(user);
    INVARIANT(place != boxes_.end() && place->second.mail, "an inbox that is forgotten is due no more");
    Mail& mail = *place->second.mail;
    mail.due.reset();
    mail.expire(now);
    if (!mail.is_idle()) mail.due = due_.emplace(mail.next_expiry(), user);
    forget_if_idle(place);
  }
}

InboxShard::Box* InboxShard::find(const UserId& user) {
  const auto place = boxes_.find(user);
  return place == boxes_.end() ? nullptr : &place->second;
}

InboxShard::Box& InboxShard::make(const UserId& user, Position begins) {
  past_.forget(user);
  return boxes_.emplace(user, Box{std::move(begins), {}, nullptr}).first->second;
}

Position InboxShard::top_of(const UserId& user, base::Random& random) const {
  if (const auto place = boxes_.find(user); place != boxes_.end()) return place->second.top();
  if (const Position* past = past_.find(user)) return *past;
  return {make_epoch(random), 0};
}

void InboxShard::forget_if_idle(Boxes::iterator place) {
  if (!place->second.is_idle()) return;
  release_sender(place->second);
  const auto& [user, box] = *place;
  if (box.mail && box.mail->due) due_.erase(*box.mail->due);
  if (box.top().offset > 0) past_.add(user, box.top(), now_);  // nobody can have been anywhere else
  boxes_.erase(place);
}

}  // namespace troupe::realtime
