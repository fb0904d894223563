// Session Actor: a flow belongs to one browser and each page's token is good once; a session
// changes its cookie at each sign-in and ends on time.
#include "troupe/oauth/actor/session_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

const UserId alice = fixture::alice().user.id;

BegunFlow begin(ActorWorld& oauth, std::optional<BrowserToken> browser = std::nullopt,
                const std::string& peer = "192.0.2.1") {
  return oauth.world
      .block_on(oauth.sessions.ask(BeginFlow{.request = {.state = "s"},
                                             .browser = std::move(browser),
                                             .address = "/oauth/authorize?once=more",
                                             .peer = net::IpAddress::parse(peer).value()}))
      .value();
}

auto sign_in(ActorWorld& oauth, const BegunFlow& flow, const UserId& user = alice,
             std::optional<SessionToken> previous = std::nullopt) {
  return oauth.world.block_on(oauth.sessions.ask(StartSession{flow.ticket.flow.id, flow.browser, flow.ticket.csrf, user,
                                                              oauth.password_since(user), std::move(previous)}));
}

std::optional<Session> session_of(ActorWorld& oauth, const SessionToken& token) {
  return oauth.world.block_on(oauth.sessions.ask(GetSession{token})).value();
}

TEST_CASE("a flow is there for the browser that began it, and for no other") {
  ActorWorld oauth{1};
  const BegunFlow mine = begin(oauth);
  const BegunFlow other = begin(oauth);
  const FlowId id = mine.ticket.flow.id;
  const auto get = [&](const BrowserToken& browser) {
    return oauth.world.block_on(oauth.sessions.ask(GetFlow{id, browser}));
  };
  CHECK_EQ(get(mine.browser)->flow.request.state, "s");
  CHECK_EQ(get(mine.browser)->csrf.expose(), mine.ticket.csrf.expose());  // a page may be loaded again
  CHECK_EQ(get(other.browser).error().domain, FlowError::not_here);
  CHECK_EQ(get(BrowserToken{""}).error().domain, FlowError::not_here);
}

TEST_CASE("two flows of one browser do not take each other's forms") {
  ActorWorld oauth{2};
  const BegunFlow one = begin(oauth);
  const BegunFlow two = begin(oauth, one.browser);
  CHECK_EQ(one.browser.expose(), two.browser.expose());
  const auto check = [&](const FlowId& flow, const CsrfToken& csrf) {
    return oauth.world.block_on(oauth.sessions.ask(CheckFlow{flow, one.browser, csrf})).has_value();
  };
  CHECK(check(one.ticket.flow.id, one.ticket.csrf));
  CHECK(check(two.ticket.flow.id, two.ticket.csrf));
  CHECK_FALSE(check(one.ticket.flow.id, two.ticket.csrf));
  CHECK_FALSE(check(one.ticket.flow.id, CsrfToken{""}));
}

TEST_CASE("a page's token is spent by signing in, a flow by finishing it") {
  ActorWorld oauth{3};
  const BegunFlow flow = begin(oauth);
  const auto started = sign_in(oauth, flow);
  REQUIRE(started.has_value());
  CHECK_EQ(started->next.flow.signed_in->user, alice);
  const CheckFlow form{flow.ticket.flow.id, flow.browser, flow.ticket.csrf};
  CHECK_EQ(oauth.world.block_on(oauth.sessions.ask(form)).error().domain, FlowError::not_here);  // the login form again
  const auto finish = [&](const CsrfToken& csrf) {
    return oauth.world.block_on(oauth.sessions.ask(FinishFlow{flow.ticket.flow.id, flow.browser, csrf}));
  };
  CHECK_FALSE(finish(flow.ticket.csrf).has_value());
  CHECK(finish(started->next.csrf).has_value());
  CHECK_FALSE(finish(started->next.csrf).has_value());
}

TEST_CASE("a login form that came twice at once is answered alike both times, with one session") {
  ActorWorld oauth{14};
  const BegunFlow flow = begin(oauth);
  const auto finish = [&](const CsrfToken& csrf, FinishedBy by) {
    const FinishFlow message{flow.ticket.flow.id, flow.browser, csrf, by};
    return oauth.world.block_on(oauth.sessions.ask(message)).has_value();
  };
  const auto first = sign_in(oauth, flow);  // both have passed CheckFlow
  CHECK(finish(first->next.csrf, FinishedBy::login));
  CHECK_EQ(sign_in(oauth, flow, UserId{"somebody"}).error().domain, FlowError::not_here);
  const auto second = sign_in(oauth, flow);
  REQUIRE(second);
  CHECK_EQ(second->token.expose(), first->token.expose());
  CHECK(session_of(oauth, second->token));
  CHECK_FALSE(finish(second->next.csrf, FinishedBy::page));
  CHECK(finish(second->next.csrf, FinishedBy::login));
  oauth.world.advance(1min);
  CHECK_EQ(sign_in(oauth, flow).error().domain, FlowError::not_here);
}

TEST_CASE("a login form that came twice is given no session that has ended since") {
  ActorWorld oauth{16};
  const BegunFlow flow = begin(oauth);
  const auto first = sign_in(oauth, flow);
  REQUIRE(first);
  REQUIRE(oauth.world.block_on(oauth.sessions.ask(EndSession{first->token})).value());
  CHECK_EQ(sign_in(oauth, flow).error().domain, FlowError::not_here);
}

TEST_CASE("whoever comes back to a flow is told where it goes on, and nobody else") {
  ActorWorld oauth{15};
  const BegunFlow flow = begin(oauth);
  const auto way_on = [&](const BrowserToken& browser) {
    return oauth.world.block_on(oauth.sessions.ask(GetWayOn{flow.ticket.flow.id, browser})).value();
  };
  CHECK(way_on(flow.browser)->step == FlowStep::login);
  const auto started = sign_in(oauth, flow);
  CHECK(way_on(flow.browser)->step == FlowStep::consent);
  CHECK(oauth.world.block_on(oauth.sessions.ask(FinishFlow{flow.ticket.flow.id, flow.browser, started->next.csrf})));
  CHECK(way_on(flow.browser)->step == FlowStep::nothing);
  CHECK_EQ(way_on(flow.browser)->address, "/oauth/authorize?once=more");
  CHECK_FALSE(way_on(begin(oauth).browser));
  oauth.world.advance(1min);
  CHECK_FALSE(way_on(flow.browser));
}

TEST_CASE("a session is as old as it is, to the second, whatever of that is written (T70)") {
  ActorWorld oauth{12};
  const auto started = sign_in(oauth, begin(oauth));
  REQUIRE(started.has_value());
  for (int i = 0; i < 5; ++i) {
    oauth.world.advance(20s);
    const auto session = session_of(oauth, started->token);
    REQUIRE(session.has_value());
    CHECK_EQ((session->seen_at - session->authentication.time) / 1s, 20 * (i + 1));
  }
}

TEST_CASE("a flow ends after ten minutes, and the oldest goes when there are too many") {
  ActorWorld oauth{4};
  oauth.options.flows_max = 6;
  oauth.sessions =
      oauth.world.spawn<SessionActor>({.name = "few"}, SessionActorParts{oauth.storage, oauth.watcher, oauth.options});
  std::vector<BegunFlow> flows;
  for (int i = 0; i < 4; ++i) flows.push_back(begin(oauth));
  const auto is_there = [&](const BegunFlow& flow) {
    return oauth.world.block_on(oauth.sessions.ask(GetFlow{flow.ticket.flow.id, flow.browser})).has_value();
  };
  CHECK_FALSE(is_there(flows[0]));
  CHECK(is_there(flows[1]));
  oauth.world.advance(10min);
  CHECK_FALSE(is_there(flows[3]));
}

TEST_CASE("an address that begins flows without end ends its own, and nobody else's") {
  ActorWorld oauth{17};
  oauth.options.flows_max = 20;
  oauth.sessions =
      oauth.world.spawn<SessionActor>({.name = "few"}, SessionActorParts{oauth.storage, oauth.watcher, oauth.options});
  const BegunFlow mine = begin(oauth);
  std::vector<BegunFlow> flood;
  for (int i = 0; i < 50; ++i) flood.push_back(begin(oauth, std::nullopt, "198.51.100.7"));
  const auto there = [&](const BegunFlow& flow) {
    return oauth.world.block_on(oauth.sessions.ask(GetFlow{flow.ticket.flow.id, flow.browser})).has_value();
  };
  CHECK_EQ(std::ranges::count_if(flood, there), 10);
  CHECK(there(flood.back()));
  CHECK(sign_in(oauth, mine).has_value());
}

TEST_CASE("a flow that has expired takes no room from others") {
  ActorWorld oauth{18};
  oauth.options.flows_max = 4;
  oauth.sessions =
      oauth.world.spawn<SessionActor>({.name = "few"}, SessionActorParts{oauth.storage, oauth.watcher, oauth.options});
  const auto begin_two = [&](const std::string& peer) {
    return std::vector{begin(oauth, std::nullopt, peer), begin(oauth, std::nullopt, peer)};
  };
  begin_two("192.0.2.1");
  oauth.world.advance(1min);
  const auto second = begin_two("192.0.2.2");
  oauth.world.advance(9min);
  begin_two("192.0.2.3");
  for (const BegunFlow& flow : second)
    CHECK(oauth.world.block_on(oauth.sessions.ask(GetFlow{flow.ticket.flow.id, flow.browser})).has_value());
}

TEST_CASE("the same user signing in again keeps the session's name under a new cookie") {
  ActorWorld oauth{5};
  const auto first = sign_in(oauth, begin(oauth));
  oauth.world.advance(5min);
  const auto again = sign_in(oauth, begin(oauth), alice, first->token);
  CHECK_EQ(again->session.id, first->session.id);
  CHECK_NE(again->token.expose(), first->token.expose());
  CHECK_FALSE(session_of(oauth, first->token).has_value());
  CHECK_EQ(session_of(oauth, again->token)->authentication.time, again->session.authentication.time);
}

TEST_CASE("another user signing in ends the session before") {
  ActorWorld oauth{6};
  const UserId bob =
      oauth.world.block_on(oauth.users.ask(AddUser{UserName{"bob"}, std::nullopt, crypto::Password{"correct horse"}}))
          ->id;
  const auto first = sign_in(oauth, begin(oauth));
  const auto second = sign_in(oauth, begin(oauth), bob, first->token);
  CHECK_NE(second->session.id, first->session.id);
  CHECK_FALSE(session_of(oauth, first->token).has_value());
  CHECK_EQ(session_of(oauth, second->token)->authentication.user, bob);
}

TEST_CASE("a session ends when it idles, and in any case after its day") {
  ActorWorld oauth{7};
  const auto idle = sign_in(oauth, begin(oauth));
  const auto busy = sign_in(oauth, begin(oauth));
  for (int hour = 0; hour < 11; ++hour) {
    oauth.world.manual_clock().jump_wall(1h);
    CHECK(session_of(oauth, busy->token).has_value());
  }
  CHECK_FALSE(session_of(oauth, idle->token).has_value());
  oauth.world.manual_clock().jump_wall(1h);
  CHECK_FALSE(session_of(oauth, busy->token).has_value());
}

TEST_CASE("a session that is used goes on, however short a time it may stay unused") {
  ActorWorld oauth{13};
  oauth.options.session_idle = 20s;
  oauth.sessions = oauth.world.spawn<SessionActor>({.name = "brief"},
                                                   SessionActorParts{oauth.storage, oauth.watcher, oauth.options});
  const auto started = sign_in(oauth, begin(oauth));
  for (int i = 0; i < 5; ++i) {
    oauth.world.advance(18s);
    CHECK(session_of(oauth, started->token));
  }
  oauth.world.advance(20s);
  CHECK_FALSE(session_of(oauth, started->token));
}

TEST_CASE("a session that was ended, forged or whose user is gone is none") {
  ActorWorld oauth{8};
  const auto started = sign_in(oauth, begin(oauth));
  std::string forged = started->token.expose();
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  for (const std::string& cookie : {forged, std::string{}, std::string{"."}, started->session.id.value() + "."})
    CHECK_FALSE(session_of(oauth, SessionToken{cookie}).has_value());
  const auto end = [&] { return oauth.world.block_on(oauth.sessions.ask(EndSession{started->token})).value(); };
  CHECK_EQ(end()->id, started->session.id);
  CHECK_FALSE(end().has_value());
  CHECK_FALSE(session_of(oauth, started->token).has_value());

  const auto other = sign_in(oauth, begin(oauth));
  CHECK(oauth.world.block_on(oauth.users.ask(RemoveUser{alice})).has_value());
  CHECK_FALSE(session_of(oauth, other->token).has_value());
}

/// Families that stem from a session: one that is bound to it, and one that is to outlive it.
void grant_in(ActorWorld& oauth, const Session& session) {
  fixture::Ids ids;
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlGrants grants{transaction};
    for (const char* scope : {"openid read", "openid offline_access"}) {
      Grant grant = fixture::grant_of(fixture::shop(), ids.next(), crypto::TokenId::parse(session.id.value()).value());
      grant.scope = fixture::scope(scope);
      grants.insert_family({.grant = grant, .expires_at = fixture::start + 24h});
    }
  });
}

std::vector<std::string> live_scopes(ActorWorld& oauth, const Session& session) {
  return oauth.disk->transact([&](store::Transaction& transaction) {
    std::vector<std::string> scopes;
    for (const FamilyRecord& family : SqlGrants{transaction}.families_of(session.id, {}, 100))
      if (!family.revoked_at) scopes.push_back(family.grant.scope.text());
    return scopes;
  });
}

TEST_CASE("the end of a session ends its tokens in the same transaction, but those that were to outlive it (T44)") {
  ActorWorld oauth{11};
  const auto started = sign_in(oauth, begin(oauth));
  grant_in(oauth, started->session);
  CHECK_EQ(live_scopes(oauth, started->session).size(), 2);
  CHECK(oauth.world.block_on(oauth.sessions.ask(EndSession{started->token})).value().has_value());
  CHECK_EQ(live_scopes(oauth, started->session), std::vector<std::string>{"offline_access openid"});
  CHECK_EQ(oauth.revoked().size(), 1);  // who serves on the strength of them is told
}

TEST_CASE("the session of whoever signed in here before ends with its tokens") {
  ActorWorld oauth{12};
  const UserId bob =
      oauth.world.block_on(oauth.users.ask(AddUser{UserName{"bob"}, std::nullopt, crypto::Password{"correct horse"}}))
          ->id;
  const auto first = sign_in(oauth, begin(oauth));
  grant_in(oauth, first->session);
  sign_in(oauth, begin(oauth), bob, first->token);
  CHECK_EQ(live_scopes(oauth, first->session).size(), 1);
  CHECK_EQ(oauth.revoked().size(), 1);
  const auto events = oauth.disk->transact([](store::Transaction& t) { return SqlTables{t}.audit.events({}, 100); });
  const auto ended = std::ranges::find(events, "session_ended", &AuditEvent::kind);
  REQUIRE(ended != events.end());
  CHECK_EQ(ended->user, audit_name_of(alice));
  CHECK_EQ(ended->reason, "another_user_signed_in");
}

TEST_CASE("sessions are listed with their browser, the one seen last first, and only those that are alive") {
  ActorWorld oauth{13};
  const auto list = [&] { return oauth.world.block_on(oauth.sessions.ask(ListSessions{alice})).value(); };
  const auto sign_in_with = [&](std::string user_agent, std::optional<SessionToken> previous = std::nullopt) {
    const BegunFlow flow = begin(oauth);
    return oauth.world
        .block_on(oauth.sessions.ask(StartSession{.flow = flow.ticket.flow.id,
                                                  .browser = flow.browser,
                                                  .csrf = flow.ticket.csrf,
                                                  .user = alice,
                                                  .password_since = oauth.password_since(alice),
                                                  .previous = std::move(previous),
                                                  .place = {std::move(user_agent), "192.0.2.1"}}))
        .value();
  };
  const auto first = sign_in_with("One");
  oauth.world.manual_clock().jump_wall(1min);
  sign_in_with("Two");
  REQUIRE_EQ(list().size(), 2);
  CHECK_EQ(list()[0].place.user_agent, "Two");
  CHECK_EQ(list()[1].place.address, "192.0.2.1");

  oauth.world.manual_clock().jump_wall(1min);
  sign_in_with("One, updated", first.token);
  CHECK_EQ(list()[0].place.user_agent, "One, updated");  // the same session
  CHECK_EQ(list().size(), 2);
  oauth.world.manual_clock().jump_wall(89min);
  CHECK_EQ(list().size(), 1);  // the other one has idled
  CHECK(oauth.world.block_on(oauth.sessions.ask(ListSessions{UserId{"u_nobody"}})).value().empty());
}

TEST_CASE("a session ends others of its user: one by name, or all, and nobody else's") {
  ActorWorld oauth{14};
  const UserId bob =
      oauth.world.block_on(oauth.users.ask(AddUser{UserName{"bob"}, std::nullopt, crypto::Password{"correct horse"}}))
          ->id;
  const auto mine = sign_in(oauth, begin(oauth));
  const auto other = sign_in(oauth, begin(oauth));
  const auto third = sign_in(oauth, begin(oauth));
  const auto bobs = sign_in(oauth, begin(oauth), bob);
  grant_in(oauth, other->session);
  const auto end = [&](const SessionToken& by, std::optional<SessionId> only) {
    return oauth.world.block_on(oauth.sessions.ask(EndOtherSessions{by, std::move(only)})).value().count;
  };
  CHECK_EQ(end(mine->token, bobs->session.id), 0);
  CHECK_EQ(end(mine->token, mine->session.id), 0);
  CHECK_EQ(end(mine->token, SessionId{"no name at all"}), 0);
  CHECK_EQ(end(SessionToken{"forged"}, std::nullopt), 0);
  CHECK_EQ(end(mine->token, other->session.id), 1);
  CHECK_FALSE(session_of(oauth, other->token).has_value());
  CHECK_EQ(live_scopes(oauth, other->session).size(), 1);
  CHECK_EQ(oauth.revoked().size(), 1);
  CHECK(session_of(oauth, third->token).has_value());

  CHECK_EQ(end(mine->token, std::nullopt), 1);
  CHECK_FALSE(session_of(oauth, third->token).has_value());
  CHECK(session_of(oauth, mine->token).has_value());
  CHECK(session_of(oauth, bobs->token).has_value());
  CHECK_EQ(end(third->token, std::nullopt), 0);  // one that is over ends nothing
}

TEST_CASE("who has as many sessions as they may ends their oldest by signing in once more, and nobody else's") {
  OauthOptions options = fixture::usual_options();
  options.sessions_per_user_max = 3;
  ActorWorld oauth{15, fixture::new_disk(), 2, options};
  const UserId bob =
      oauth.world.block_on(oauth.users.ask(AddUser{UserName{"bob"}, std::nullopt, crypto::Password{"correct horse"}}))
          ->id;
  const auto bobs = sign_in(oauth, begin(oauth), bob);
  std::vector<StartedSession> mine;
  const auto sign_in_again = [&] {
    oauth.world.manual_clock().jump_wall(1s);
    mine.push_back(sign_in(oauth, begin(oauth)).value());
  };
  const auto alive = [&] {
    std::vector<bool> all;
    for (const StartedSession& each : mine) all.push_back(session_of(oauth, each.token).has_value());
    return all;
  };
  sign_in_again();
  grant_in(oauth, mine.front().session);
  for (int i = 0; i < 2; ++i) sign_in_again();
  CHECK_EQ(alive(), std::vector{true, true, true});
  CHECK(oauth.revoked().empty());
  sign_in_again();
  CHECK_EQ(alive(), std::vector{false, true, true, true});
  CHECK_EQ(oauth.revoked().size(), 1);  // with its tokens
  CHECK(session_of(oauth, bobs->token).has_value());
  ActorWorld later{16, oauth.disk, 2, options};  // by its clock, which is behind, the newest looks like the oldest
  const auto newest = sign_in(later, begin(later)).value();
  CHECK(session_of(later, newest.token).has_value());
  CHECK(session_of(later, mine[1].token).has_value());
  const auto events = later.disk->transact([](store::Transaction& t) { return SqlTables{t}.audit.events({}, 100); });
  CHECK_EQ(std::ranges::count_if(events,
                                 [](const AuditEvent& event) {
                                   return event.kind == "sessions_ended" && event.reason == "too_many" &&
                                          event.user == audit_name_of(alice);
                                 }),
           1);  // where nothing ends, nothing is told
}

TEST_CASE("sessions outlive a restart") {
  const fixture::Disk disk = fixture::new_disk();
  std::optional<SessionToken> cookie;
  {
    ActorWorld before{9, disk};
    cookie = sign_in(before, begin(before))->token;
  }
  ActorWorld after{10, disk};
  CHECK(session_of(after, *cookie).has_value());
}

}  // namespace
}  // namespace troupe::oauth
