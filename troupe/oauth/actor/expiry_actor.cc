// See expiry_actor.h.
#include "troupe/oauth/actor/expiry_actor.h"

#include "troupe/oauth/actor/browser_session.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/storage/audit_verifier.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_every = 10s;
constexpr int step_rows = 500;        // about 5 ms of the writer's time
constexpr int step_sessions = 100;    // each with its tokens, clients and event
constexpr auto pause_min = 20ms;      // between full steps, that is 20 000 rows a second of each table at most
constexpr int pause_factor = 3;       // at least so many times what the step took: the rest is the clients'
constexpr auto ending_kept_for = 2h;  // whose tokens have all expired by then, and every look has found it
// An assertion is good again once a clock that was ahead is set right, and must not be taken twice (T77). Of everything
// else the row that is gone makes that what it was of is refused.
constexpr auto assertion_kept_for = 24h;
constexpr auto slack = 5min;  // for clocks that are set back a little; past it the token is unknown

/// Removes a step of the audit trail, and says in it which segment is to go: so that nobody else's removal passes for
/// it.
int remove_old_events(Tables& tables, base::UnixTime end, AuditEvent event) {
  if (const auto segment = tables.audit.release_segment_before(end)) {
    event.reason = audit_removal_reason(*segment);
    tables.audit.append(std::move(event));
  }
  return tables.audit.remove_released(end, step_rows);
}

/// Ends the session, unless somebody has used or ended it since it was found to be over; gives the families that have
/// ended. The sessions of who was removed are over without a word.
std::vector<FamilyId> end_if_over(Tables& tables, const SessionId& id, AuditEvent event, base::UnixTime now,
                                  const OauthOptions& options) {
  auto record = tables.users.find_session(id);
  const auto reason = record && !record->ended_at ? over_by(*record, now, options) : std::nullopt;
  if (!reason) return {};
  const UserId user = record->session.authentication.user;
  event.reason = *reason;
  if (tables.users.find(user)) tables.audit.append(about(std::move(event), user));
  return end_session(tables, *std::move(record), now, "session_expired");
}

}  // namespace

void ExpiryActor::started(actor::Context& context) { context.every(this, "sweep", sweep_every, Sweep{}); }

actor::Task<void> ExpiryActor::handle(Sweep, actor::Context& context) {
  const base::Instant begin = context.now();
  const Left sessions = co_await end_sessions(context);
  const Left rows = co_await remove_rows(context);
  if (sessions == Left::nothing && rows == Left::nothing) co_return;
  const base::Duration pause = std::max<base::Duration>(pause_min, pause_factor * (context.now() - begin));
  context.after(this, "again", pause, Sweep{});
}

actor::Task<ExpiryActor::Left> ExpiryActor::end_sessions(actor::Context& context) {
  const base::UnixTime now = context.wall();
  const SharedOptions options = parts_.options;
  auto over = co_await parts_.storage.read([now, unused_since = now - options->session_idle](Tables& t) {
    return t.users.sessions_over(now, unused_since, step_sessions);
  });
  if (over.empty()) co_return Left::nothing;
  std::vector<std::pair<SessionId, AuditEvent>> ends;
  for (const SessionRecord& record : over)
    ends.emplace_back(record.session.id, auditor_.event(context, {.by = "schedule"}, "session_ended"));
  auto families = co_await parts_.storage.write([ends = std::move(ends), now, options](Tables& t) {
    std::vector<FamilyId> ended;
    for (const auto& [id, event] : ends)
      std::ranges::move(end_if_over(t, id, event, now, options), std::back_inserter(ended));
    return ended;
  });
  for (const FamilyId& family : families)
    if (parts_.watcher) parts_.watcher.tell(TokensRevoked{family, std::nullopt});
  sessions_ended_ += std::ssize(over);
  co_return std::ssize(over) < step_sessions ? Left::nothing : Left::perhaps_more;
}

actor::Task<ExpiryActor::Left> ExpiryActor::remove_rows(actor::Context& context) {
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, {.by = "schedule"}, audit_removal_kind);
  const int removed = co_await parts_.storage.write([now, event, options = parts_.options](Tables& t) {
    const auto before = [now](base::Duration age) { return crypto::TokenId::first_at(now - age - slack); };
    const base::Duration refresh = std::max(options->refresh_absolute, options->refresh_absolute_public);
    // Its id is as old as its code, its refresh tokens begin when that is redeemed, and what the last of them has given
    // stands on it, too; it says of its code whether somebody has redeemed it; and of its session, whom to tell of the
    // end.
    const base::Duration session = session_name_max(options);
    const base::Duration family = std::max<base::Duration>(
        {options->code_ttl + refresh + access_token_ttl_max, options->code_tombstone, session});
    int full_steps = 0;
    int rows = 0;
    for (const int count : {t.grants.remove_codes_before(before(options->code_tombstone), step_rows),
                            t.grants.remove_access_expired(now - slack, step_rows),
                            t.grants.remove_refresh_before(before(refresh), step_rows),
                            t.grants.remove_families_before(before(family), step_rows),
                            t.users.remove_sessions_before(before(session), step_rows),
                            t.grants.remove_endings_before(now - ending_kept_for, step_rows),
                            t.clients.remove_assertions_expired(now - assertion_kept_for, step_rows),
                            remove_old_events(t, now - options->audit_retention, event)}) {
      rows += count;
      full_steps += count == step_rows ? 1 : 0;
    }
    return full_steps > 0 ? -rows : rows;  // negative: there may be more
  });
  removed_ += std::abs(removed);
  co_return removed < 0 ? Left::perhaps_more : Left::nothing;
}

void ExpiryActor::inspect(actor::Inspection& out) const {
  out.add("removed", removed_);
  out.add("sessions_ended", sessions_ended_);
}

}  // namespace troupe::oauth
