// See ending_actor.h.
#include "troupe/oauth/actor/ending_actor.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 500ms;  // with what follows, a connection is closed within a second
constexpr int told_at_once = 500;

}  // namespace

void EndingActor::started(actor::Context& context) { context.every(this, "look", look_every, Look{}); }

actor::Task<void> EndingActor::handle(Look) {
  auto found =
      co_await storage_.read([after = heard_](Tables& t) { return t.grants.endings_after(after, told_at_once); });
  if (found.empty()) co_return;
  GrantsEnded message;
  for (EndingRecord& each : found) message.endings.push_back(std::move(each.ending));
  auto heard = co_await watcher_.ask(std::move(message));
  if (heard) heard_ = found.back().number;  // else it is told again at the next look
}

void EndingActor::inspect(actor::Inspection& out) const { out.add("heard", heard_); }

}  // namespace troupe::oauth
