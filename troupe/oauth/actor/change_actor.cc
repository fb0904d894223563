// See change_actor.h.
#include "troupe/oauth/actor/change_actor.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 500ms;  // with what follows, a connection is closed within a second
constexpr int told_at_once = 500;

struct Seen {
  std::int64_t keys = 0;
  std::int64_t clients = 0;
  std::vector<EndingRecord> endings;
  std::optional<AuditHead> audit;
  bool are_logouts_due = false;
};

}  // namespace

void ChangeActor::started(actor::Context& context) { context.every(this, "look", look_every, Look{}); }

actor::Task<void> ChangeActor::handle(Look, actor::Context& context) {
  const bool has_listener = !parts_.audit.empty();
  auto seen = co_await parts_.storage.read([after = heard_, has_listener, now = context.wall()](Tables& t) {
    return Seen{t.keys.generation(), t.clients.generation(), t.grants.endings_after(after, told_at_once),
                has_listener ? t.audit.head() : std::nullopt, !t.logouts.due(now, 1).empty()};
  });
  for (const auto& each : parts_.audit) each.tell(AuditSeen{seen.audit ? seen.audit->id : crypto::TokenId{}});
  parts_.keys.tell(KeysSeen{seen.keys});
  parts_.clients.tell(ClientsSeen{seen.clients});
  if (seen.are_logouts_due && parts_.logouts) parts_.logouts.tell(LogoutsDue{});
  if (seen.endings.empty() || !parts_.watcher) co_return;
  GrantsEnded message;
  for (EndingRecord& each : seen.endings) message.endings.push_back(std::move(each.ending));
  // A watcher that is held up must not keep keys and clients from being looked at.
  auto heard = co_await parts_.watcher.ask(std::move(message), {.within = look_every});
  if (heard) heard_ = seen.endings.back().number;  // else it is told again at the next look
}

void ChangeActor::inspect(actor::Inspection& out) const { out.add("heard", heard_); }

}  // namespace troupe::oauth
