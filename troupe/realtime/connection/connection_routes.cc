// Connection: its registration with the router of its core: the inbox that comes with it, and what it does when the
// router has lost it.
#include <algorithm>

#include "troupe/realtime/command/subscriptions.h"
#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/connection/websocket_actor.h"

namespace troupe::realtime {

namespace {

constexpr base::Duration restore_within = std::chrono::seconds{2};  // an answer of another core, which is busy at worst

}  // namespace

// Direct messages wait until open_inbox() has said where they go on.
void Connection::hold_inbox() {
  if (!std::exchange(inbox_held_, true)) make_rare().held.hold(inbox_topic(session_.identity.user), held_limits());
}

// What it has from an earlier registration is not sent again. In another epoch there may have been more.
void Connection::open_inbox(const InboxContents& contents) {
  if (state_ >= State::closing) return;
  auto topic = inbox_topic(session_.identity.user);
  const auto& epoch = contents.top.epoch;
  const bool goes_on = epoch == inbox_last_.epoch;
  if (!goes_on && !inbox_last_.epoch.value().empty()) {
    auto before = contents.waiting.empty() ? contents.top.offset : contents.waiting.front().offset - 1;
    confirm(finished(Restarted{{{topic, {epoch, before}, false, {}}}}));
  }
  const Offset known = goes_on ? inbox_last_.offset : 0;
  if (contents.lost && contents.lost->to > known) {
    const auto from = std::max(contents.lost->from, known + 1);
    pushed(open_outbox().push_gap({topic, epoch.value(), from, contents.lost->to, GapReason::expired}));
  }
  for (const auto& waiting : contents.waiting) {
    if (waiting.offset <= known) continue;
    open_outbox().push_recovered(FrameRef::message(waiting.frame, topic, {epoch, waiting.offset}));
  }
  inbox_last_ = contents.top;
  acknowledge_inbox(epoch);
  take_turn();
  if (!std::exchange(inbox_held_, false)) return;
  auto held = make_rare().held.release(topic, {{topic, inbox_last_}}, HeldTopics::Holes::told);
  for (const auto& message : held.messages) {
    if (message.frame->topic != topic) continue;
    const Position& position = message.frame->position;
    inbox_last_ = {position.epoch, std::max(position.offset, message.missed_to)};
  }
  let_go(std::move(held));
  forget_rare();
}

void Connection::routes_lost(RoutesCut cut) {
  if (state_ >= State::closing) return;
  auto& lost = make_rare().lost;
  if (!lost) {
    lost = std::make_unique<LostRoutes>(std::move(cut));
  } else if (lost->cut != cut) {
    lost->again = std::move(cut);
  }
  ++commands_waiting_;
  actor_.tell(RestoreRoutes{});
}

// It registers anew, and its subscriptions go on after the older of the two cuts: see registered().
actor::Task<bool> Connection::restore() {
  if (review_due_) end_forbidden_subscriptions();
  const auto& router = site_->routing.local();
  router.tell(Unregister{session_.receiver});  // of a try that came half way
  hold_inbox();
  auto receiver = co_await router.within(restore_within).ask(Register{ReceiverRef{*this}});
  if (!receiver || state_ >= State::closing) co_return false;
  std::vector<WantedTopic> wanted;
  session_.subscriptions.for_each([&](const TopicPattern& topic, const SubscriptionOptions& options) {
    wanted.push_back({topic, {}, policy_of(topic, options, *this)});
  });
  auto results = co_await realtime::attach(*this, std::move(wanted), rare().lost->cut);
  if (!results || state_ >= State::closing) co_return false;
  if (review_due_) {  // it may less by now, and what it has lost with that must not come
    discard();
    co_return false;
  }
  auto& lost = make_rare().lost;
  lost->cut = std::exchange(lost->again, nullptr);
  if (!lost->cut) lost.reset();
  Restarted restarted;
  std::size_t messages = 0, bytes = 0;
  for (const auto& result : *results) {
    if (!result.topic.recovered) restarted.topics.push_back(result.topic);
    messages += result.recovered.size();
    for (const auto& one : result.recovered) bytes += one.message.message.frame.size();
  }
  if (!has_room_to_recover(messages, bytes)) {
    constexpr std::uint16_t service_restart = 1012;
    close(service_restart, "too much was missed while the routing tables were built anew");
    co_return true;
  }
  if (!restarted.topics.empty()) confirm(finished(restarted));
  go_live(*std::move(results), *this, Begin::where_it_is);
  co_return true;
}

}  // namespace troupe::realtime
