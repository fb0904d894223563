// See session_actor.h.
#include "troupe/oauth/actor/session_actor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/actor/browser_session.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration touch_every = 1min;  // how exactly "last seen" is kept; each touch is a write
constexpr int touches_an_idle_time = 10;      // at least: it ends too early by no more than the part between two
constexpr std::size_t ui_locales_bytes_max = 256;
constexpr std::size_t address_bytes_max = 2048;     // of a longer one the way back is not kept
constexpr base::Duration finished_kept_for = 1min;  // longer than anybody clicks on a page that he has sent
constexpr std::size_t finished_max = 1000;

/// 24 random bytes as text: for names of flows and tokens of pages.
std::string fresh_text(base::Random& random) {
  std::array<std::byte, 24> bytes;
  random.fill(bytes);
  return wire::to_base64url(bytes);
}

bool same(const CsrfToken& a, const CsrfToken& b) { return crypto::equal_in_constant_time(a.expose(), b.expose()); }

base::Duration touch_pause(const OauthOptions& options) {
  return std::min(touch_every, base::Duration{options.session_idle} / touches_an_idle_time);
}

}  // namespace

SessionActor::SessionActor(SessionActorParts parts) : parts_(std::move(parts)), places_(parts_.options->flows_max) {}

void SessionActor::tell_revoked(const std::vector<FamilyId>& families) const {
  if (!parts_.watcher) return;
  for (const FamilyId& family : families) parts_.watcher.tell(TokensRevoked{family, std::nullopt});
}

SessionActor::Kept* SessionActor::find(const FlowId& id, const BrowserToken& browser, base::UnixTime now) {
  const auto found = flows_.find(id);
  if (found == flows_.end()) return nullptr;
  const crypto::Digest hash = crypto::sha256(browser.expose());
  if (!crypto::equal_in_constant_time(found->second.browser.view(), hash.view())) return nullptr;
  if (found->second.flow.expires_at <= now) {
    forget(id);
    return nullptr;
  }
  return &found->second;
}

SessionActor::Kept* SessionActor::find_open(const FlowId& id, const BrowserToken& browser, base::UnixTime now) {
  Kept* kept = find(id, browser, now);
  return kept == nullptr || kept->is_finished ? nullptr : kept;
}

SessionActor::Kept* SessionActor::find_open(const FlowId& id, const BrowserToken& browser, const CsrfToken& csrf,
                                            base::UnixTime now) {
  Kept* kept = find_open(id, browser, now);
  return kept == nullptr || !same(kept->csrf, csrf) ? nullptr : kept;
}

actor::Task<std::expected<StartedSession, FlowError>> SessionActor::started_before(StartSession message,
                                                                                   base::UnixTime now) {
  const Kept* kept = find(message.flow, message.browser, now);
  if (kept == nullptr || !kept->login || !same(kept->login->form, message.csrf))
    co_return std::unexpected(FlowError::not_here);
  const auto& [form, session, cookie] = *kept->login;
  if (session.authentication.user != message.user) co_return std::unexpected(FlowError::not_here);
  StartedSession answer{session, cookie, {kept->flow, kept->csrf}};
  const bool is_alive =
      co_await parts_.storage.read([place = read_cookie(answer.token).value(), now, options = parts_.options](
                                       Tables& t) { return find_live(t, place, now, options).has_value(); });
  if (!is_alive) co_return std::unexpected(FlowError::not_here);
  co_return answer;
}

void SessionActor::finish(const FlowId& id, Kept& kept, base::UnixTime now) {
  if (std::exchange(kept.is_finished, true)) return;
  kept.flow.expires_at = std::min(kept.flow.expires_at, now + finished_kept_for);
  finished_.push_back(id);
  forget_finished(now);
}

void SessionActor::forget_finished(base::UnixTime now) {
  while (!finished_.empty() && (finished_.size() > finished_max || flows_.at(finished_.front()).flow.expires_at <= now))
    forget(FlowId{finished_.front()});
}

void SessionActor::forget(const FlowId& id) {
  const auto found = flows_.find(id);
  if (found->second.is_finished) std::erase(finished_, id);
  places_.leave(found->second.place);
  flows_.erase(found);
}

void SessionActor::make_room(const net::IpAddress& peer, std::size_t bytes, base::UnixTime now) {
  forget_finished(now);
  // All live equally long, so the oldest is the next to expire.
  for (const FlowId* oldest = places_.oldest(); oldest && flows_.at(*oldest).flow.expires_at <= now;
       oldest = places_.oldest())
    forget(FlowId{*oldest});
  while (const FlowId* flow = places_.in_the_way_of(peer, bytes)) forget(FlowId{*flow});
}

BegunFlow SessionActor::handle(BeginFlow message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  const FlowId id{fresh_text(context.random())};
  if (message.address.size() > address_bytes_max) message.address.clear();
  const BrowserToken browser = message.browser ? *message.browser : BrowserToken{fresh_text(context.random())};
  Kept kept{.flow = {.id = id,
                     .goal = message.goal,
                     .request = std::move(message.request),
                     .ui_locales = message.ui_locales.substr(0, ui_locales_bytes_max),
                     .signed_in = std::nullopt,
                     .expires_at = now + parts_.options->flow_ttl},
            .browser = crypto::sha256(browser.expose()),
            .csrf = CsrfToken{fresh_text(context.random())},
            .address = std::move(message.address)};
  const std::size_t bytes = bytes_of(kept.flow.request) + kept.flow.ui_locales.size() + kept.address.size();
  make_room(message.peer, bytes, now);
  kept.place = places_.enter(id, message.peer, bytes);
  flows_.emplace(id, kept);
  return {{kept.flow, kept.csrf}, browser};
}

std::expected<FlowTicket, FlowError> SessionActor::handle(GetFlow message, actor::Context& context) {
  const Kept* kept = find_open(message.flow, message.browser, context.wall());
  if (kept == nullptr) return std::unexpected(FlowError::not_here);
  return FlowTicket{kept->flow, kept->csrf};
}

std::expected<Flow, FlowError> SessionActor::handle(CheckFlow message, actor::Context& context) {
  const Kept* kept = find_open(message.flow, message.browser, message.csrf, context.wall());
  if (kept == nullptr) return std::unexpected(FlowError::not_here);
  return kept->flow;
}

std::optional<WayOn> SessionActor::handle(GetWayOn message, actor::Context& context) {
  const Kept* kept = find(message.flow, message.browser, context.wall());
  if (kept == nullptr) return std::nullopt;
  if (kept->is_finished)
    return kept->address.empty() ? std::nullopt : std::optional{WayOn{FlowStep::nothing, kept->address}};
  const bool asks_for_consent = kept->flow.goal == FlowGoal::code && kept->flow.signed_in;
  return WayOn{asks_for_consent ? FlowStep::consent : FlowStep::login, {}};
}

actor::Task<std::expected<StartedSession, FlowError>> SessionActor::handle(StartSession message,
                                                                           actor::Context& context) {
  const base::UnixTime now = context.wall();
  if (find_open(message.flow, message.browser, message.csrf, now) == nullptr)
    co_return co_await started_before(std::move(message), now);

  std::optional<SessionCookie> before = message.previous ? read_cookie(*message.previous) : std::nullopt;
  SessionId fresh{ids_.next(now, context.random()).text()};
  SessionToken cookie = fresh_cookie(fresh, context.random());
  std::optional<SessionToken> renewed_cookie;
  if (before) renewed_cookie = fresh_cookie(before->id, context.random());
  AuditEvent event = about(auditor_.event(context, message.cause, "session_started"), message.user);
  AuditEvent replaced = auditor_.event(context, message.cause, "session_ended", "another_user_signed_in");
  AuditEvent crowded = about(auditor_.event(context, message.cause, "sessions_ended", "too_many"), message.user);

  struct Started {
    SessionRecord record;
    SessionToken cookie;
    std::vector<FamilyId> ended;  // of the session before, which was somebody else's, and of the user's oldest
  };
  auto begun =
      co_await parts_.storage.write([=, user = message.user, since = message.password_since, place = message.place,
                                     options = parts_.options](Tables& t) -> std::optional<Started> {
        const auto present = t.users.find(user);
        // A password that was changed since it was found right, or a user who was disabled, ends all that began before.
        const bool may_enter = present && present->user.state == UserState::enabled;
        if (!may_enter || present->password_changed_at != since) return std::nullopt;
        t.audit.append(event);
        // A clock that was set back since: who has just shown the password has signed in with it, not before it.
        const base::UnixTime signed_in = std::max(now, present->password_changed_at);
        auto previous = before ? find_live(t, *before, now, options) : std::nullopt;
        const bool is_same_user = previous && previous->session.authentication.user == user;
        if (is_same_user && now - previous->session.created_at < session_name_kept_for) {
          // The same person again: the session keeps its name and nothing else (T29, session fixation).
          SessionRecord renewed = new_session(before->id, *renewed_cookie, user, place, now, options);
          renewed.session.created_at = previous->session.created_at;
          renewed.session.authentication.time = signed_in;
          t.users.update_session(renewed);
          return Started{renewed, *renewed_cookie, {}};
        }
        Started made{new_session(fresh, cookie, user, place, now, options), cookie, {}};
        made.record.session.authentication.time = signed_in;
        if (is_same_user) {
          previous->expires_at = now;  // its name is too old to go on, so it ends by its age
          t.users.update_session(*previous);
        } else if (previous) {
          made.ended = end_session(t, *previous, now, "another_user_signed_in");
          t.audit.append(about(replaced, previous->session.authentication.user));
        }
        t.users.insert_session(made.record);
        std::ranges::move(end_surplus(t, made.record.session, now, options, crowded), std::back_inserter(made.ended));
        return made;
      });
  if (!begun) co_return std::unexpected(FlowError::not_here);
  Started& started = *begun;
  tell_revoked(started.ended);

  Kept* kept = find_open(message.flow, message.browser, message.csrf, now);  // nothing else was handled meanwhile
  if (kept == nullptr) co_return std::unexpected(FlowError::not_here);
  kept->flow.signed_in = started.record.session.authentication;
  kept->login.emplace(message.csrf, started.record.session, started.cookie);
  kept->csrf = CsrfToken{fresh_text(context.random())};
  co_return StartedSession{started.record.session, started.cookie, {kept->flow, kept->csrf}};
}

actor::Task<std::optional<Session>> SessionActor::handle(GetSession message, actor::Context& context) {
  const auto cookie = read_cookie(message.token);
  if (!cookie) co_return std::nullopt;
  const base::UnixTime now = context.wall();
  auto record = co_await parts_.storage.read(
      [cookie = *cookie, now, options = parts_.options](Tables& t) { return find_live(t, cookie, now, options); });
  if (!record) co_return std::nullopt;
  if (now - record->session.seen_at >= touch_pause(parts_.options)) {
    co_await parts_.storage.write([cookie = *cookie, now, options = parts_.options](Tables& t) {
      auto present = find_live(t, cookie, now, options);
      if (!present) return;
      present->session.seen_at = now;
      t.users.update_session(*present);
    });
  }
  record->session.seen_at = now;  // whatever is written: max_age is judged by it, to the second
  co_return std::move(record->session);
}

std::expected<Flow, FlowError> SessionActor::handle(FinishFlow message, actor::Context& context) {
  Kept* kept = find(message.flow, message.browser, context.wall());
  if (kept == nullptr || !same(kept->csrf, message.csrf)) return std::unexpected(FlowError::not_here);
  if (kept->is_finished && message.by == FinishedBy::page) return std::unexpected(FlowError::not_here);
  Flow flow = kept->flow;
  finish(message.flow, *kept, context.wall());
  return flow;
}

actor::Task<std::optional<Session>> SessionActor::handle(EndSession message, actor::Context& context) {
  const auto cookie = read_cookie(message.token);
  if (!cookie) co_return std::nullopt;
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, message.cause, "session_ended", "logout");
  struct Ended {
    std::optional<Session> session;
    std::vector<FamilyId> families;
  };
  auto ended = co_await parts_.storage.write([cookie = *cookie, now, event, options = parts_.options](Tables& t) {
    const auto record = find_live(t, cookie, now, options);
    if (!record) return Ended{};
    t.audit.append(about(event, record->session.authentication.user));
    return Ended{record->session, end_session(t, *record, now, "logout")};
  });
  tell_revoked(ended.families);
  co_return std::move(ended.session);
}

actor::Task<std::vector<Session>> SessionActor::handle(ListSessions message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  auto sessions = co_await parts_.storage.read([user = message.user, now, options = parts_.options](Tables& t) {
    std::vector<Session> alive;
    const auto owner = t.users.find(user);
    if (!owner) return alive;
    for (SessionRecord& record : t.users.open_sessions_of(user))
      if (is_alive(record, *owner, now, options)) alive.push_back(std::move(record.session));
    return alive;
  });
  std::ranges::sort(sessions, std::ranges::greater{},
                    [](const Session& each) { return std::pair{each.seen_at, each.id}; });
  co_return sessions;
}

actor::Task<SessionsEnded> SessionActor::handle(EndOtherSessions message, actor::Context& context) {
  const auto cookie = read_cookie(message.token);
  if (!cookie) co_return SessionsEnded{};
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, message.cause, "sessions_ended", "by_their_user");
  struct Ended {
    SessionsEnded sessions;
    std::vector<FamilyId> families;
  };
  auto ended =
      co_await parts_.storage.write([=, only = message.only, cookie = *cookie, options = parts_.options](Tables& t) {
        Ended done;
        const auto present = find_live(t, cookie, now, options);
        if (!present) return done;
        const UserId& user = present->session.authentication.user;
        for (const SessionRecord& record : t.users.open_sessions_of(user)) {
          const bool is_meant = only ? record.session.id == *only : true;
          if (!is_meant || record.session.id == present->session.id) continue;
          for (FamilyId& family : end_session(t, record, now, "session_ended"))
            done.families.push_back(std::move(family));
          ++done.sessions.count;
        }
        if (done.sessions.count > 0) t.audit.append(about(event, user));
        return done;
      });
  tell_revoked(ended.families);
  co_return ended.sessions;
}

actor::Task<SessionsEnded> SessionActor::handle(EndNamedSession message, actor::Context& context) {
  if (!crypto::TokenId::parse(message.id.value())) co_return SessionsEnded{};
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, message.cause, "session_ended");
  using Families = std::optional<std::vector<FamilyId>>;
  auto ended = co_await parts_.storage.write([id = message.id, now, event](Tables& t) -> Families {
    const auto record = t.users.find_session(id);
    if (!record || record->ended_at) return std::nullopt;
    t.audit.append(about(event, record->session.authentication.user));
    return end_session(t, *record, now, "session_ended");
  });
  if (!ended) co_return SessionsEnded{};
  tell_revoked(*ended);
  co_return SessionsEnded{1};
}

void SessionActor::inspect(actor::Inspection& out) const { out.add("flows", static_cast<std::int64_t>(flows_.size())); }

}  // namespace troupe::oauth
