// See session_actor.h.
#include "troupe/oauth/actor/session_actor.h"

#include "troupe/crypto/digest.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto touch_every = 1min;        // how exactly "last seen" is kept; each touch is a write
constexpr auto name_kept_for = 24h * 28;  // rows are removed by the age of their name, after 30 days

/// 24 random bytes as text: for names of flows, tokens of pages and cookies.
std::string fresh_text(base::Random& random) {
  std::array<std::byte, 24> bytes;
  random.fill(bytes);
  return wire::to_base64url(bytes);
}

/// The cookie of a session is its name and a secret; the name finds the row, the hash proves the secret.
SessionToken cookie_of(const SessionId& id, base::Random& random) {
  return SessionToken{id.value() + "." + fresh_text(random)};
}

struct ReadCookie {
  SessionId id;
  crypto::Digest hash;
};

std::optional<ReadCookie> read_cookie(const SessionToken& cookie) {
  const std::string& text = cookie.expose();
  const auto dot = text.find('.');
  if (dot == std::string::npos || !crypto::TokenId::parse(text.substr(0, dot))) return std::nullopt;
  return ReadCookie{SessionId{text.substr(0, dot)}, crypto::sha256(text)};
}

/// The session of a cookie, if it is alive at `now`.
std::optional<SessionRecord> find_live(Tables& tables, const ReadCookie& cookie, base::UnixTime now,
                                       const OauthOptions& options) {
  auto record = tables.users.find_session(cookie.id);
  if (!record || !crypto::equal_in_constant_time(record->hash.view(), cookie.hash.view())) return std::nullopt;
  if (record->ended_at || record->expires_at <= now) return std::nullopt;
  if (record->session.seen_at + options.session_idle <= now) return std::nullopt;
  const auto user = tables.users.find(record->session.authentication.user);
  if (!user || user->user.state == UserState::disabled) return std::nullopt;
  if (user->password_changed_at > record->session.authentication.time) return std::nullopt;
  return record;
}

}  // namespace

SessionActor::SessionActor(Storage storage, OauthOptions options)
    : storage_(std::move(storage)), options_(std::move(options)) {}

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

SessionActor::Kept* SessionActor::find(const FlowId& id, const BrowserToken& browser, const CsrfToken& csrf,
                                       base::UnixTime now) {
  Kept* kept = find(id, browser, now);
  if (kept == nullptr || !crypto::equal_in_constant_time(kept->csrf.expose(), csrf.expose())) return nullptr;
  return kept;
}

void SessionActor::forget(const FlowId& id) { flows_.erase(id); }

void SessionActor::make_room(base::UnixTime now) {
  // All live equally long, so the oldest is the next to expire; names of finished ones are skipped.
  while (!flows_by_age_.empty()) {
    const auto oldest = flows_.find(flows_by_age_.front());
    const bool is_gone = oldest == flows_.end();
    if (!is_gone && oldest->second.flow.expires_at > now && flows_.size() < options_.flows_max) return;
    if (!is_gone) flows_.erase(oldest);
    flows_by_age_.pop_front();
  }
}

BegunFlow SessionActor::handle(BeginFlow message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  make_room(now);
  const FlowId id{fresh_text(context.random())};
  const BrowserToken browser = message.browser ? *message.browser : BrowserToken{fresh_text(context.random())};
  const Kept kept{.flow = {.id = id,
                           .request = std::move(message.request),
                           .signed_in = std::nullopt,
                           .expires_at = now + options_.flow_ttl},
                  .browser = crypto::sha256(browser.expose()),
                  .csrf = CsrfToken{fresh_text(context.random())}};
  flows_.emplace(id, kept);
  flows_by_age_.push_back(id);
  return {{kept.flow, kept.csrf}, browser};
}

std::expected<FlowTicket, FlowError> SessionActor::handle(GetFlow message, actor::Context& context) {
  const Kept* kept = find(message.flow, message.browser, context.wall());
  if (kept == nullptr) return std::unexpected(FlowError::not_here);
  return FlowTicket{kept->flow, kept->csrf};
}

std::expected<Flow, FlowError> SessionActor::handle(CheckFlow message, actor::Context& context) {
  const Kept* kept = find(message.flow, message.browser, message.csrf, context.wall());
  if (kept == nullptr) return std::unexpected(FlowError::not_here);
  return kept->flow;
}

actor::Task<std::expected<StartedSession, FlowError>> SessionActor::handle(StartSession message,
                                                                           actor::Context& context) {
  const base::UnixTime now = context.wall();
  if (find(message.flow, message.browser, message.csrf, now) == nullptr) co_return std::unexpected(FlowError::not_here);

  const std::optional<ReadCookie> before = message.previous ? read_cookie(*message.previous) : std::nullopt;
  const SessionId fresh{ids_.next(now, context.random()).text()};
  const SessionToken fresh_cookie = cookie_of(fresh, context.random());
  const AuditEvent event = about(auditor_.event(context, "session_started"), message.user);
  const std::string renewed_secret = fresh_text(context.random());

  struct Started {
    SessionRecord record;
    SessionToken cookie;
  };
  auto started = co_await storage_.write([=, user = message.user, options = options_](Tables& t) {
    const SessionRecord made{.session = {.id = fresh,
                                         .authentication = {.user = user, .session = fresh, .time = now},
                                         .created_at = now,
                                         .seen_at = now},
                             .hash = crypto::sha256(fresh_cookie.expose()),
                             .expires_at = now + options.session_absolute,
                             .ended_at = std::nullopt};
    t.keys.append_event(event);
    auto previous = before ? find_live(t, *before, now, options) : std::nullopt;
    const bool is_same_user = previous && previous->session.authentication.user == user;
    if (is_same_user && now - previous->session.created_at < name_kept_for) {
      // The same person again: the session keeps its name and nothing else (T29, session fixation).
      const SessionToken cookie{previous->session.id.value() + "." + renewed_secret};
      previous->session.authentication.time = now;
      previous->session.seen_at = now;
      previous->hash = crypto::sha256(cookie.expose());
      previous->expires_at = now + options.session_absolute;
      t.users.update_session(*previous);
      return Started{*previous, cookie};
    }
    if (previous) {
      previous->ended_at = now;
      t.users.update_session(*previous);
    }
    t.users.insert_session(made);
    return Started{made, fresh_cookie};
  });

  Kept* kept = find(message.flow, message.browser, message.csrf, now);  // nothing else was handled meanwhile
  if (kept == nullptr) co_return std::unexpected(FlowError::not_here);
  kept->flow.signed_in = started.record.session.authentication;
  kept->csrf = CsrfToken{fresh_text(context.random())};
  co_return StartedSession{started.record.session, started.cookie, {kept->flow, kept->csrf}};
}

actor::Task<std::optional<Session>> SessionActor::handle(GetSession message, actor::Context& context) {
  const auto cookie = read_cookie(message.token);
  if (!cookie) co_return std::nullopt;
  const base::UnixTime now = context.wall();
  auto record = co_await storage_.read(
      [cookie = *cookie, now, options = options_](Tables& t) { return find_live(t, cookie, now, options); });
  if (!record) co_return std::nullopt;
  if (now - record->session.seen_at >= touch_every) {
    co_await storage_.write([cookie = *cookie, now, options = options_](Tables& t) {
      auto present = find_live(t, cookie, now, options);
      if (!present) return;
      present->session.seen_at = now;
      t.users.update_session(*present);
    });
    record->session.seen_at = now;
  }
  co_return std::move(record->session);
}

std::expected<Flow, FlowError> SessionActor::handle(FinishFlow message, actor::Context& context) {
  Kept* kept = find(message.flow, message.browser, message.csrf, context.wall());
  if (kept == nullptr) return std::unexpected(FlowError::not_here);
  Flow flow = std::move(kept->flow);
  forget(message.flow);
  return flow;
}

actor::Task<std::optional<Session>> SessionActor::handle(EndSession message, actor::Context& context) {
  const auto cookie = read_cookie(message.token);
  if (!cookie) co_return std::nullopt;
  const base::UnixTime now = context.wall();
  const AuditEvent event = auditor_.event(context, "session_ended");
  auto ended = co_await storage_.write([cookie = *cookie, now, event, options = options_](Tables& t) {
    auto record = find_live(t, cookie, now, options);
    if (!record) return std::optional<Session>{};
    record->ended_at = now;
    t.users.update_session(*record);
    t.keys.append_event(about(event, record->session.authentication.user));
    return std::optional{record->session};
  });
  co_return ended;
}

void SessionActor::inspect(actor::Inspection& out) const { out.add("flows", static_cast<std::int64_t>(flows_.size())); }

}  // namespace troupe::oauth
