// See logout_actor.h.
#include "troupe/oauth/actor/logout_actor.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/base/log.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr int looked_at = 200;                         // notices in one look
constexpr std::size_t at_once_max = logouts_busy_max;  // fewer than the Fetcher has threads: keys are fetched meanwhile
constexpr int at_once_of_client_max = 1;               // a slow one takes no place of others
constexpr auto told_within = 5s;                       // a fetch has its own, shorter time
constexpr base::Duration again_after = 5s;
constexpr int again_factor = 3;
constexpr int attempts_max = 9;  // the last one nearly five hours after the first
constexpr base::Duration told_until = 24h;

/// When to try again after so many failures: 5 s, 15 s, 45 s and so on.
base::Duration pause_after(int failures) {
  base::Duration pause = again_after;
  for (int i = 1; i < failures; ++i) pause *= again_factor;
  return pause;
}

}  // namespace

LogoutActor::LogoutActor(LogoutActorParts parts) : parts_(std::move(parts)) {}

actor::Task<void> LogoutActor::started(actor::Context& context) {
  actor::Topic<KeysChanged>{context, keys_topic}.subscribe(context, this);
  auto keys = co_await parts_.keys.ask(GetKeys{}, {.within = 30s});
  if (!keys) throw std::runtime_error("the Logout Actor has got no keys: " + keys.error().what);
  factory_.emplace(parts_.options.issuer, *keys);
}

void LogoutActor::handle(KeysChanged message) {
  if (factory_) factory_->use(std::move(message.keys));
}

bool LogoutActor::has_room_for(const ClientId& client) const {
  if (under_way_.size() >= at_once_max) return false;
  return std::ranges::count(under_way_, client, [](const auto& each) { return each.second; }) < at_once_of_client_max;
}

actor::Task<void> LogoutActor::handle(LogoutsDue, actor::Context& context) {
  if (!parts_.fetcher || is_looking_ || under_way_.size() >= at_once_max) co_return;
  const struct Looking {
    explicit Looking(bool& flag) : is_on(flag) { flag = true; }
    ~Looking() { is_on = false; }
    bool& is_on;
  } looking{is_looking_};
  over_since_look_.clear();
  // Again, where all that was seen belongs to those that are told already: others may stand behind them.
  for (bool may_be_more = true; may_be_more && under_way_.size() < at_once_max;) {
    std::set<ClientId> busy;
    for (const auto& [number, client] : under_way_) busy.insert(client);
    auto due = co_await parts_.storage.read(
        [now = context.wall(), busy](Tables& t) { return t.logouts.due(now, looked_at, busy); });
    if (due.empty() && under_way_.empty()) unrecorded_.clear();  // a record that was not known to be one was one
    const bool is_full = std::ssize(due) == looked_at;
    const bool any_begun = begin_telling(std::move(due), context);
    may_be_more = is_full && any_begun;
  }
}

/// Whether anything was begun.
bool LogoutActor::begin_telling(std::vector<LogoutNotice> due, actor::Context& context) {
  bool any = false;
  for (LogoutNotice& notice : due) {
    if (under_way_.contains(notice.number) || over_since_look_.contains(notice.number)) continue;
    if (!has_room_for(notice.client)) continue;
    any = true;
    under_way_.emplace(notice.number, notice.client);
    context.self(this).tell(TellClient{std::move(notice)});
  }
  return any;
}

actor::Task<void> LogoutActor::handle(TellClient message, actor::Context& context) {
  const struct UnderWay {
    ~UnderWay() {
      me.under_way_.erase(number);
      if (me.is_looking_) me.over_since_look_.insert(number);
    }
    LogoutActor& me;
    std::int64_t number;
  } under_way{*this, message.notice.number};
  auto row = co_await parts_.storage.read([id = message.notice.client](Tables& t) { return t.clients.find_row(id); });
  if (row && !*row) {
    co_await conclude(std::move(message.notice), Taken{Taken::How::not_now, "its row is damaged"}, context);
    co_return;
  }
  const bool wants_it =
      row && (*row)->state == ClientState::enabled && !(*row)->metadata.backchannel_logout_uri.empty();
  if (!wants_it) {
    co_await parts_.storage.write([number = message.notice.number](Tables& t) { t.logouts.remove(number); });
    co_return;
  }
  auto taken = co_await tell_once(std::make_shared<const Client>(**std::move(row)), message.notice, context);
  co_await conclude(message.notice, std::move(taken), context);
  unrecorded_.erase({message.notice.number, message.notice.attempts});
  context.self(this).tell(LogoutsDue{});  // there may be more
}

/// A database that takes no writes would otherwise have each look, twice a second, tell the client anew.
actor::Task<LogoutActor::Taken> LogoutActor::tell_once(ClientPtr client, LogoutNotice notice, actor::Context& context) {
  const Telling telling{notice.number, notice.attempts};
  const auto known = unrecorded_.find(telling);
  if (known != unrecorded_.end()) co_return known->second;
  auto taken = co_await tell(std::move(client), std::move(notice), context);
  unrecorded_.insert_or_assign(telling, taken);
  co_return taken;
}

actor::Task<LogoutActor::Taken> LogoutActor::tell(ClientPtr client, LogoutNotice notice, actor::Context& context) {
  if (!factory_->can_sign(client->metadata.id_token_alg)) co_return Taken{Taken::How::not_now, "there is no key yet"};
  const TokenText token = factory_->logout_token(*client, notice, context.wall());
  const wire::Form form{{"logout_token", token.expose()}};
  auto answer = co_await parts_.fetcher.ask(web::Fetch{.url = client->metadata.backchannel_logout_uri,
                                                       .content_type = "application/x-www-form-urlencoded",
                                                       .body = wire::write_form(form)},
                                            {.within = told_within});
  if (!answer) {
    const auto fault = answer.error().domain;
    co_return Taken{Taken::How::not_now, fault ? std::string{web::text(*fault)} : "busy"};
  }
  if (answer->status >= 200 && answer->status < 300) co_return Taken{Taken::How::told, ""};
  // 400 says that the client has read it and does not believe it (section 2.8); it would not the next time either.
  const auto how = answer->status == 400 ? Taken::How::refused : Taken::How::not_now;
  co_return Taken{how, fmt::format("answered {}", answer->status)};
}

actor::Task<void> LogoutActor::conclude(LogoutNotice notice, Taken taken, actor::Context& context) {
  const int failures = notice.attempts + 1;
  // Of a client that takes nothing more may come than is given up by so many attempts.
  const bool is_old = context.wall() - notice.made_at > told_until;
  const bool comes_again = taken.how == Taken::How::not_now && failures < attempts_max && !is_old;
  if (comes_again) {
    const base::UnixTime next = context.wall() + pause_after(failures);
    co_await parts_.storage.write(
        [notice, failures, next](Tables& t) { t.logouts.postpone(notice.number, failures, next); });
    co_return;
  }
  const bool is_told = taken.how == Taken::How::told;
  ++(is_told ? told_ : failed_);
  if (!is_told)
    base::log::warning("oauth", "a client was not told of a sign-out", {{"client", notice.client}, {"why", taken.why}});
  AuditEvent event = auditor_.event(context, is_told ? "logout_told" : "logout_failed", taken.why);
  event = about(about(std::move(event), notice.client), notice.user);
  co_await parts_.storage.write([notice, event](Tables& t) {
    if (t.logouts.remove(notice.number)) t.audit.append(event);
  });
}

void LogoutActor::inspect(actor::Inspection& out) const {
  out.add("under_way", static_cast<std::int64_t>(under_way_.size()));
  out.add("told", told_);
  out.add("failed", failed_);
}

}  // namespace troupe::oauth
