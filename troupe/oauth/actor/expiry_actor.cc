// See expiry_actor.h.
#include "troupe/oauth/actor/expiry_actor.h"

#include "troupe/oauth/storage/audit_verifier.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_every = 10s;
constexpr int step_rows = 500;               // about 5 ms of the writer's time
constexpr auto pause_min = 20ms;             // between full steps, that is 20 000 rows a second of each table at most
constexpr int pause_factor = 3;              // at least so many times what the step took: the rest is the clients'
constexpr auto session_name_max = 30 * 24h;  // a session that is renewed keeps its name, and with it its row's key
constexpr auto ending_kept_for = 2h;         // whose tokens have all expired by then, and every look has found it
constexpr auto slack = 5min;                 // for clocks that are set back a little; past it the token is unknown

/// Removes a step of the audit trail, and says in it which segment is to go: so that nobody else's removal passes for
/// it.
int remove_old_events(Tables& tables, base::UnixTime end, AuditEvent event) {
  if (const auto segment = tables.audit.release_segment_before(end)) {
    event.reason = audit_removal_reason(*segment);
    tables.audit.append(std::move(event));
  }
  return tables.audit.remove_released(end, step_rows);
}

}  // namespace

ExpiryActor::ExpiryActor(Storage storage, OauthOptions options)
    : storage_(std::move(storage)), options_(std::move(options)) {}

void ExpiryActor::started(actor::Context& context) { context.every(this, "sweep", sweep_every, Sweep{}); }

actor::Task<void> ExpiryActor::handle(Sweep, actor::Context& context) {
  const base::UnixTime now = context.wall();
  const base::Instant begin = context.now();
  const AuditEvent event = auditor_.event(context, {.by = "schedule"}, audit_removal_kind);
  const int removed = co_await storage_.write([now, event, options = options_](Tables& t) {
    const auto before = [now](base::Duration age) { return crypto::TokenId::first_at(now - age - slack); };
    const base::Duration family = std::max(options.refresh_absolute, options.refresh_absolute_public);
    int full_steps = 0;
    int rows = 0;
    for (const int count : {t.grants.remove_codes_before(before(options.code_tombstone), step_rows),
                            t.grants.remove_access_expired(now - slack, step_rows),
                            t.grants.remove_refresh_before(before(family), step_rows),
                            t.grants.remove_families_before(before(family), step_rows),
                            t.users.remove_sessions_before(before(session_name_max), step_rows),
                            t.grants.remove_endings_before(now - ending_kept_for, step_rows),
                            t.clients.remove_assertions_expired(now - slack, step_rows),
                            remove_old_events(t, now - options.audit_retention, event)}) {
      rows += count;
      full_steps += count == step_rows ? 1 : 0;
    }
    return full_steps > 0 ? -rows : rows;  // negative: there may be more
  });
  removed_ += std::abs(removed);
  const base::Duration pause = std::max<base::Duration>(pause_min, pause_factor * (context.now() - begin));
  if (removed < 0) context.after(this, "again", pause, Sweep{});
}

void ExpiryActor::inspect(actor::Inspection& out) const { out.add("removed", removed_); }

}  // namespace troupe::oauth
