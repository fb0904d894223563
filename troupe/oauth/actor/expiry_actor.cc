// See expiry_actor.h.
#include "troupe/oauth/actor/expiry_actor.h"

#include "troupe/oauth/model/client.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_every = 1min;
constexpr auto sweep_again = 1s;             // while a step was full; the writes of clients go in between
constexpr int step_rows = 500;               // about 5 ms of the writer's time
constexpr auto session_name_max = 30 * 24h;  // a session that is renewed keeps its name, and with it its row's key
constexpr auto ending_kept_for = 2h;         // whose tokens have all expired by then, and every look has found it
constexpr auto slack = 1h;                   // for clocks that are set back

}  // namespace

ExpiryActor::ExpiryActor(Storage storage, OauthOptions options)
    : storage_(std::move(storage)), options_(std::move(options)) {}

void ExpiryActor::started(actor::Context& context) { context.every(this, "sweep", sweep_every, Sweep{}); }

actor::Task<void> ExpiryActor::handle(Sweep, actor::Context& context) {
  const base::UnixTime now = context.wall();
  const int removed = co_await storage_.write([now, options = options_](Tables& t) {
    const auto before = [now](base::Duration age) { return crypto::TokenId::first_at(now - age - slack); };
    const base::Duration family = std::max(options.refresh_absolute, options.refresh_absolute_public);
    int full_steps = 0;
    int rows = 0;
    for (const int count : {t.grants.remove_codes_before(before(options.code_tombstone), step_rows),
                            t.grants.remove_access_before(before(access_token_ttl_max), step_rows),
                            t.grants.remove_refresh_before(before(family), step_rows),
                            t.grants.remove_families_before(before(family), step_rows),
                            t.users.remove_sessions_before(before(session_name_max), step_rows),
                            t.grants.remove_endings_before(now - ending_kept_for, step_rows)}) {
      rows += count;
      full_steps += count == step_rows ? 1 : 0;
    }
    return full_steps > 0 ? -rows : rows;  // negative: there may be more
  });
  removed_ += std::abs(removed);
  if (removed < 0) context.after(this, "again", sweep_again, Sweep{});
}

void ExpiryActor::inspect(actor::Inspection& out) const { out.add("removed", removed_); }

}  // namespace troupe::oauth
