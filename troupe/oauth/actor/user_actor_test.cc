// User Actor: who may sign in, what guessing costs, and what users have agreed to.
#include "troupe/oauth/actor/user_actor.h"

#include <doctest/doctest.h>

#include "troupe/base/log.h"
#include "troupe/crypto/password_calibration.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

const UserName bob{"bob"};
const net::IpAddress home = net::IpAddress::parse("192.0.2.1").value();

crypto::Password password(std::string_view text) { return crypto::Password{std::string{text}}; }

auto add(ActorWorld& oauth, const UserName& name, std::string_view text = "correct horse",
         std::string email = "bob@example.org") {
  return oauth.world.block_on(oauth.users.ask(AddUser{name, std::move(email), password(text)}));
}

auto sign_in(ActorWorld& oauth, const UserName& name, std::string_view text, const net::IpAddress& from = home) {
  return oauth.world.block_on(oauth.users.ask(VerifyPassword{name, password(text), from}));
}

TEST_CASE("a user signs in with the right password and with no other") {
  ActorWorld oauth{1};
  const auto user = add(oauth, bob);
  REQUIRE(user.has_value());
  CHECK(user->id.value().starts_with("u_"));
  CHECK_EQ(sign_in(oauth, bob, "correct horse")->id, user->id);
  for (const auto& [name, text] : {std::pair{"bob", "wrong horse"}, {"bob", ""}, {"nobody", "correct horse"}, {"", ""}})
    CHECK_EQ(sign_in(oauth, UserName{name}, text).error().domain->reason, LoginError::Reason::wrong);
  CHECK_EQ(sign_in(oauth, bob, std::string(1'000'000, 'x')).error().domain->reason, LoginError::Reason::wrong);
}

TEST_CASE("names and passwords that cannot be are refused, and a name is taken once") {
  ActorWorld oauth{2};
  struct Row {
    std::string name, password;
    UserError error;
  };
  const Row rows[] = {
      {"", "correct horse", UserError::bad_name},
      {" bob", "correct horse", UserError::bad_name},
      {"bob\n", "correct horse", UserError::bad_name},
      {std::string(65, 'x'), "correct horse", UserError::bad_name},
      {"\xff", "correct horse", UserError::bad_name},
      {"bob", "short", UserError::bad_password},
      {"bob", std::string(257, 'x'), UserError::bad_password},
      {"bob", std::string{"correct\0horse", 13}, UserError::bad_password},
  };
  for (const Row& row : rows) CHECK_EQ(add(oauth, UserName{row.name}, row.password).error().domain, row.error);
  for (const std::string& email : {std::string{}, std::string{"bob"}, std::string{"@b"}, std::string{"b@"},
                                   std::string{"b ob@c"}, std::string{"b@c\n"}, "b@" + std::string(253, 'c')}) {
    CAPTURE(email);
    CHECK_EQ(add(oauth, bob, "correct horse", email).error().domain, UserError::bad_email);
  }
  CHECK(add(oauth, bob).has_value());
  CHECK_EQ(add(oauth, bob).error().domain, UserError::name_taken);
}

TEST_CASE("guessing is slowed down, and the owner gets in after the wait") {
  ActorWorld oauth{3};
  REQUIRE(add(oauth, bob).has_value());
  for (int i = 0; i < 5; ++i) CHECK_EQ(sign_in(oauth, bob, "guess").error().domain->reason, LoginError::Reason::wrong);
  const auto slowed = sign_in(oauth, bob, "correct horse");
  CHECK_EQ(slowed.error().domain->reason, LoginError::Reason::slow_down);
  CHECK_EQ(slowed.error().domain->retry_after, 1s);
  oauth.world.advance(1s);
  CHECK(sign_in(oauth, bob, "correct horse").has_value());
}

auto sign_in_at(ActorWorld& oauth, const std::optional<DeviceToken>& device, std::string_view text,
                const UserName& name = bob) {
  VerifyPassword message{name, password(text), home};
  message.device = device;
  return oauth.world.block_on(oauth.users.ask(std::move(message)));
}

TEST_CASE("strangers who guess do not keep the owner out of a browser that is known, and it helps nobody else (T64)") {
  ActorWorld oauth{31};
  REQUIRE(add(oauth, bob).has_value());
  REQUIRE(add(oauth, UserName{"carol"}, "another horse").has_value());
  const auto device = sign_in(oauth, bob, "correct horse")->device;
  REQUIRE(device.has_value());
  for (int i = 0; i < 40; ++i) {  // until the wait is half a minute
    (void)sign_in(oauth, bob, "guess");
    oauth.world.advance(1s);
  }
  const auto reason = [](const auto& answer) { return answer.error().domain->reason; };
  CHECK_EQ(reason(sign_in(oauth, bob, "correct horse")), LoginError::Reason::slow_down);
  const auto welcome = sign_in_at(oauth, device, "correct horse");
  REQUIRE(welcome.has_value());
  // It has cleared nothing for the strangers, and is of no use for another account.
  CHECK_EQ(reason(sign_in(oauth, bob, "guess")), LoginError::Reason::slow_down);
  CHECK_EQ(reason(sign_in_at(oauth, DeviceToken{"made.1.up"}, "guess")), LoginError::Reason::slow_down);
  for (int i = 0; i < 5; ++i) (void)sign_in_at(oauth, device, "guess", UserName{"carol"});
  CHECK_EQ(reason(sign_in_at(oauth, device, "another horse", UserName{"carol"})), LoginError::Reason::slow_down);

  // Its own mistakes count.
  for (int i = 0; i < 5; ++i) CHECK_EQ(reason(sign_in_at(oauth, device, "guess")), LoginError::Reason::wrong);
  CHECK_EQ(reason(sign_in_at(oauth, device, "correct horse")), LoginError::Reason::slow_down);
  oauth.world.advance(1s);
  CHECK(sign_in_at(oauth, device, "correct horse").has_value());
}

TEST_CASE("a new password makes all browsers strangers, but the one in which it was chosen (T64)") {
  ActorWorld oauth{32};
  const UserId id = add(oauth, bob)->id;
  const auto before = sign_in(oauth, bob, "correct horse")->device;
  const auto flow = oauth.world.block_on(oauth.sessions.ask(BeginFlow{{}, std::nullopt})).value();
  const StartSession start{flow.ticket.flow.id,      flow.browser, flow.ticket.csrf, id,
                           oauth.password_since(id), std::nullopt};
  const SessionToken session = oauth.world.block_on(oauth.sessions.ask(start)).value().token;
  const auto changed = oauth.world.block_on(
      oauth.users.ask(ChangePassword{session, password("correct horse"), password("battery staple"), home, {}}));
  REQUIRE(changed.has_value());
  for (int i = 0; i < 6; ++i) (void)sign_in(oauth, bob, "guess");
  CHECK_EQ(sign_in_at(oauth, before, "battery staple").error().domain->reason, LoginError::Reason::slow_down);
  CHECK(sign_in_at(oauth, changed->device, "battery staple").has_value());
}

TEST_CASE("a password that is hashed anew at sign-in leaves its browser known") {
  ActorWorld oauth{33};
  const UserId id = add(oauth, bob)->id;
  base::SeededRandom random{1};
  oauth.disk->transact([&](store::Transaction& t) {
    SqlUsers users{t};
    UserRecord record = users.find(id).value();
    record.password_hash =
        crypto::hash_password(password("correct horse"), {.memory_kib = 32, .passes = 1}, crypto::fresh_salt(random))
            .value();
    users.update(record);
  });
  const auto device = sign_in(oauth, bob, "correct horse")->device;
  for (int i = 0; i < 6; ++i) (void)sign_in(oauth, bob, "guess");
  CHECK(sign_in_at(oauth, device, "correct horse").has_value());
}

/// Gives bob a hash that was made at this cost, as an earlier start or another process may have.
void rehash(ActorWorld& oauth, const crypto::PasswordCost& cost) {
  base::SeededRandom random{1};
  oauth.disk->transact([&](store::Transaction& t) {
    SqlUsers users{t};
    UserRecord record = users.find_by_name(bob).value();
    record.password_hash = crypto::hash_password(password("correct horse"), cost, crypto::fresh_salt(random)).value();
    users.update(record);
  });
}

TEST_CASE("a name that nobody has is refused after as much work as the dearest hash takes that anybody has (T65)") {
  constexpr crypto::PasswordCost dear{.memory_kib = 4096, .passes = 24};
  const auto work_for = [](ActorWorld& oauth, const char* name) {
    return crypto::processor_time([&] { CHECK_FALSE(sign_in(oauth, UserName{name}, "guess").has_value()); });
  };
  ActorWorld before{35};
  REQUIRE(add(before, bob).has_value());
  REQUIRE(add(before, UserName{"carol"}).has_value());
  SUBCASE("since before the start") {
    rehash(before, dear);
    ActorWorld oauth{36, before.disk};
    const auto of_nobody = work_for(oauth, "nobody"), of_carol = work_for(oauth, "carol");
    const auto of_bob = work_for(oauth, "bob");
    CHECK_GT(2 * of_nobody, of_bob);
    CHECK_GT(2 * of_carol, of_bob);
  }
  SUBCASE("once the server has seen what another process has made") {
    (void)work_for(before, "nobody");
    rehash(before, dear);
    const auto of_bob = work_for(before, "bob"), of_nobody = work_for(before, "nobody");
    CHECK_GT(2 * of_nobody, of_bob);
  }
  SUBCASE("but a row that is damaged makes nobody wait") {
    rehash(before, {.memory_kib = 64, .passes = 1});
    before.disk->transact([](store::Transaction& t) {
      UserRecord record = SqlUsers{t}.find_by_name(bob).value();
      record.password_hash.replace(record.password_hash.find("m=64"), 4, "m=4294967295");
      SqlUsers{t}.update(record);
    });
    ActorWorld oauth{36, before.disk};
    const auto refused = sign_in(oauth, UserName{"nobody"}, "guess");
    REQUIRE(refused.error().domain.has_value());
    CHECK(refused.error().domain->reason == LoginError::Reason::wrong);
  }
}

TEST_CASE("the cost of passwords is calibrated behind the first sign-ins, and kept hashes follow it") {
  const base::log::Capture log;
  ActorWorld oauth{34};
  const auto users = oauth.world.spawn<UserActor>(
      {.name = "calibrated"},
      UserActorParts{.storage = oauth.storage,
                     .watcher = {},
                     .options = oauth.options,
                     .passwords = {.cost = {.memory_kib = 64, .passes = 1}, .time = std::chrono::milliseconds{5}}});
  const auto id =
      oauth.world.block_on(users.ask(AddUser{bob, "bob@example.org", password("correct horse")})).value().id;
  const auto kept_hash = [&] {
    return oauth.disk->transact([&](store::Transaction& t) { return SqlUsers{t}.find(id)->password_hash; });
  };
  oauth.world.advance(1s);
  CHECK(log.contains("the cost of passwords is calibrated"));
  CHECK(oauth.world.block_on(users.ask(VerifyPassword{bob, password("correct horse"), home})).has_value());
  CHECK(kept_hash().starts_with("$argon2id$v=19$m=64,t="));
  CHECK_FALSE(kept_hash().starts_with("$argon2id$v=19$m=64,t=1,"));  // 64 KiB take less than 5 ms on any machine
}

TEST_CASE("a crowd of logins is bounded: some are told to come again, the server goes on") {
  ActorWorld oauth{4};
  REQUIRE(add(oauth, bob).has_value());
  const auto answers = oauth.all_at_once(oauth.users, VerifyPassword{bob, password("correct horse"), home}, 500);
  int busy = 0, right = 0;
  for (const auto& answer : answers) {
    if (answer) ++right;
    if (!answer && answer.error().domain->reason == LoginError::Reason::busy) ++busy;
  }
  CHECK_EQ(right + busy, 500);
  CHECK_GT(right, 0);
  CHECK_GT(busy, 0);
}

TEST_CASE("guesses that are made at once, when there is a wait, are one guess and many refusals") {
  ActorWorld oauth{41};
  REQUIRE(add(oauth, bob).has_value());
  for (int i = 0; i < 5; ++i) (void)sign_in(oauth, bob, "guess");
  oauth.world.advance(1s);
  int checked = 0;
  for (const auto& answer : oauth.all_at_once(oauth.users, VerifyPassword{bob, password("guess"), home}, 50)) {
    REQUIRE_FALSE(answer.has_value());
    checked += answer.error().domain->reason == LoginError::Reason::slow_down ? 0 : 1;
  }
  CHECK_EQ(checked, 1);
}

TEST_CASE("a password that was hashed at another cost is hashed anew when it is used") {
  ActorWorld oauth{5};
  const UserId id = add(oauth, bob)->id;
  const auto kept_hash = [&] {
    return oauth.disk->transact([&](store::Transaction& t) { return SqlUsers{t}.find(id)->password_hash; });
  };
  base::SeededRandom random{1};
  const std::string old =
      crypto::hash_password(password("correct horse"), {.memory_kib = 32, .passes = 1}, crypto::fresh_salt(random))
          .value();
  oauth.disk->transact([&](store::Transaction& t) {
    SqlUsers users{t};
    UserRecord record = users.find(id).value();
    record.password_hash = old;
    users.update(record);
  });
  CHECK(sign_in(oauth, bob, "correct horse").has_value());
  CHECK(kept_hash().starts_with("$argon2id$v=19$m=64,"));
  CHECK(sign_in(oauth, bob, "correct horse").has_value());
}

TEST_CASE("a user who was removed is gone, and a disabled one does not get in") {
  ActorWorld oauth{6};
  const UserId id = add(oauth, bob)->id;
  CHECK(oauth.world.block_on(oauth.users.ask(GetUser{id})).value().has_value());
  CHECK(oauth.world.block_on(oauth.users.ask(RemoveUser{id})).has_value());
  CHECK_FALSE(oauth.world.block_on(oauth.users.ask(GetUser{id})).value().has_value());
  CHECK_FALSE(sign_in(oauth, bob, "correct horse").has_value());
  CHECK_EQ(oauth.world.block_on(oauth.users.ask(RemoveUser{id})).error().domain, UserError::unknown);
  CHECK_EQ(oauth.world.block_on(oauth.users.ask(ListUsers{})).value().size(), 1);
}

TEST_CASE("who is to be removed as they were seen, and has changed since, stays") {
  ActorWorld oauth{36};
  const User seen = *add(oauth, bob);
  const auto remove = [&](const User& as) {
    return oauth.world.block_on(oauth.users.ask(RemoveUser{.id = as.id, .seen = as}));
  };
  const auto changed = oauth.world.block_on(
      oauth.users.ask(UpdateUser{.seen = seen, .change = {.name = UserName{"robert"}, .email = std::nullopt}}));
  REQUIRE(changed.has_value());
  CHECK_EQ(remove(seen).error().domain, UserError::changed);
  CHECK(oauth.world.block_on(oauth.users.ask(GetUser{seen.id})).value().has_value());
  CHECK(remove(*changed).has_value());
}

TEST_CASE("what a user agrees to adds up, client by client") {
  ActorWorld oauth{7};
  const UserId alice = fixture::alice().user.id;
  const ClientId shop = fixture::shop().id;
  const auto agreed = [&](const ClientId& client) {
    return oauth.world.block_on(oauth.users.ask(GetConsent{alice, client})).value();
  };
  CHECK(agreed(shop).empty());
  for (const char* scope : {"read", "write"})
    CHECK(oauth.world.block_on(oauth.users.ask(RecordConsent{alice, shop, fixture::scope(scope)})).has_value());
  CHECK_EQ(agreed(shop), fixture::scope("read write"));
  CHECK(agreed(fixture::phone().id).empty());
}

TEST_CASE("what a user agrees to stays as little as one request may ask for, and the newest counts") {
  ActorWorld oauth{7};
  const UserId alice = fixture::alice().user.id;
  const ClientId shop = fixture::shop().id;
  const auto rooms = [](std::size_t first, std::size_t count) {
    ScopeSet scope;
    for (std::size_t n = first; n < first + count; ++n)
      scope = scope.united_with(fixture::scope("topic:chat." + std::to_string(n) + ":subscribe"));
    return scope;
  };
  const auto agree = [&](const ScopeSet& scope) {
    CHECK(oauth.world.block_on(oauth.users.ask(RecordConsent{alice, shop, scope})).has_value());
    return oauth.world.block_on(oauth.users.ask(GetConsent{alice, shop})).value();
  };
  CHECK_EQ(agree(rooms(0, 60)), rooms(0, 60));
  CHECK_EQ(agree(rooms(60, 40)), rooms(0, 100));
  CHECK_EQ(agree(rooms(100, 1)), rooms(100, 1));
  CHECK_EQ(agree(rooms(0, 100)), rooms(0, 100));
}

/// A session of that user as the Session Actor starts them.
SessionToken session_of(ActorWorld& oauth, const UserId& user) {
  const auto flow = oauth.world.block_on(oauth.sessions.ask(BeginFlow{{}, std::nullopt})).value();
  const StartSession start{flow.ticket.flow.id,        flow.browser, flow.ticket.csrf, user,
                           oauth.password_since(user), std::nullopt};
  return oauth.world.block_on(oauth.sessions.ask(start)).value().token;
}

bool is_alive(ActorWorld& oauth, const SessionToken& token) {
  return oauth.world.block_on(oauth.sessions.ask(GetSession{token})).value().has_value();
}

auto change(ActorWorld& oauth, const SessionToken& token, std::string_view present, std::string_view next) {
  return oauth.world.block_on(oauth.users.ask(ChangePassword{token, password(present), password(next), home, {}}));
}

/// A family that was granted now.
FamilyId grant_now(ActorWorld& oauth, const UserId& user, const ClientId& client) {
  fixture::Ids ids;
  Grant grant = fixture::grant_of(fixture::shop(), ids.next(oauth.now()), ids.next(oauth.now()));
  grant.client = client;
  grant.authentication->user = user;
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlGrants{transaction}.insert_family({.grant = grant, .expires_at = oauth.now() + 24h});
  });
  return grant.family;
}

bool is_revoked(ActorWorld& oauth, const FamilyId& family) {
  return oauth.disk->transact([&](store::Transaction& transaction) {
    return SqlGrants{transaction}.find_family(family)->revoked_at.has_value();
  });
}

std::vector<std::string> events(ActorWorld& oauth) {
  return oauth.disk->transact([&](store::Transaction& transaction) {
    std::vector<std::string> kinds;
    for (const AuditEvent& event : SqlAudit{transaction}.events(std::nullopt, 100)) kinds.push_back(event.kind);
    return kinds;
  });
}

TEST_CASE("a new password ends every session and token, and the browser goes on under another name (T29, T44)") {
  ActorWorld oauth{8};
  const UserId id = add(oauth, bob)->id;
  const SessionToken mine = session_of(oauth, id);
  const SessionToken other = session_of(oauth, id);
  const FamilyId family = grant_now(oauth, id, fixture::shop().id);
  oauth.world.advance(1s);
  const auto changed = change(oauth, mine, "correct horse", "battery staple");
  REQUIRE(changed.has_value());
  CHECK_FALSE(is_alive(oauth, mine));
  CHECK_FALSE(is_alive(oauth, other));
  CHECK(is_alive(oauth, changed->token));
  const auto name_of = [](const SessionToken& token) { return token.expose().substr(0, token.expose().find('.')); };
  CHECK_NE(name_of(changed->token), name_of(mine));
  CHECK(is_revoked(oauth, family));
  CHECK_EQ(oauth.revoked().back().family, family);
  CHECK_EQ(std::ranges::count(events(oauth), "password_changed"), 1);
  CHECK_FALSE(sign_in(oauth, bob, "correct horse").has_value());
  CHECK(sign_in(oauth, bob, "battery staple").has_value());
}

TEST_CASE("a password is not changed without the present one, by a session that is over, or to a bad one") {
  ActorWorld oauth{9};
  using Reason = PasswordChangeError::Reason;
  const UserId id = add(oauth, bob)->id;
  const SessionToken mine = session_of(oauth, id);
  const auto reason = [&](const SessionToken& token, std::string_view present, std::string_view next) {
    return change(oauth, token, present, next).error().domain->reason;
  };
  CHECK_EQ(reason(mine, "wrong horse", "battery staple"), Reason::wrong);
  CHECK_EQ(reason(mine, std::string(257, 'x'), "battery staple"), Reason::wrong);
  CHECK_EQ(reason(mine, "correct horse", "short"), Reason::bad_password);
  CHECK_EQ(reason(mine, "correct horse", std::string(257, 'x')), Reason::bad_password);
  CHECK_EQ(reason(SessionToken{"forged"}, "correct horse", "battery staple"), Reason::signed_out);
  CHECK(is_alive(oauth, mine));
  CHECK_EQ(std::ranges::count(events(oauth), "password_change_failed"), 2);
  CHECK(oauth.world.block_on(oauth.sessions.ask(EndSession{mine})).value().has_value());
  CHECK_EQ(reason(mine, "correct horse", "battery staple"), Reason::signed_out);
  CHECK(sign_in(oauth, bob, "correct horse").has_value());
}

TEST_CASE("guessing the present password is slowed down like guessing at sign-in, and with it") {
  ActorWorld oauth{10};
  const SessionToken mine = session_of(oauth, add(oauth, bob)->id);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(change(oauth, mine, "guess", "battery staple").has_value());
  const auto slowed = change(oauth, mine, "correct horse", "battery staple");
  CHECK_EQ(slowed.error().domain->reason, PasswordChangeError::Reason::slow_down);
  CHECK_EQ(sign_in(oauth, bob, "correct horse").error().domain->reason, LoginError::Reason::slow_down);
  oauth.world.advance(1s);
  CHECK(change(oauth, mine, "correct horse", "battery staple").has_value());
}

TEST_CASE("of two changes at once one succeeds, and the other finds its session over") {
  ActorWorld oauth{11};
  const SessionToken mine = session_of(oauth, add(oauth, bob)->id);
  const auto answers = oauth.all_at_once(
      oauth.users, ChangePassword{mine, password("correct horse"), password("battery staple"), home, {}}, 2);
  CHECK_EQ(std::ranges::count_if(answers, [](const auto& answer) { return answer.has_value(); }), 1);
}

TEST_CASE("what is taken back from a client ends its tokens in the user's name, and nobody else's (T44)") {
  ActorWorld oauth{12};
  const UserId alice = fixture::alice().user.id;
  const UserId other = add(oauth, bob)->id;
  const ClientId shop = fixture::shop().id;
  const ClientId phone = fixture::phone().id;
  const auto allow = [&](const UserId& user, const ClientId& client) {
    CHECK(oauth.world.block_on(oauth.users.ask(RecordConsent{user, client, fixture::scope("read")})).has_value());
    return grant_now(oauth, user, client);
  };
  const FamilyId of_shop = allow(alice, shop);
  oauth.world.advance(1s);
  const FamilyId of_phone = allow(alice, phone);
  oauth.world.advance(1s);
  const FamilyId of_other = allow(other, shop);
  const auto list = [&] { return oauth.world.block_on(oauth.users.ask(ListConsents{alice})).value(); };
  REQUIRE_EQ(list().size(), 2);
  CHECK_EQ(list()[0].name, "Phone");
  CHECK_EQ(list()[1].client, shop);
  CHECK_EQ(list()[1].scope, fixture::scope("read"));

  const auto revoke = [&] { return oauth.world.block_on(oauth.users.ask(RevokeConsent{alice, shop})).has_value(); };
  CHECK(revoke());
  CHECK(is_revoked(oauth, of_shop));
  CHECK_FALSE(is_revoked(oauth, of_phone));
  CHECK_FALSE(is_revoked(oauth, of_other));
  CHECK_EQ(oauth.revoked().back().family, of_shop);
  CHECK_EQ(list().size(), 1);
  CHECK(revoke());  // once more changes nothing
  CHECK_EQ(oauth.revoked().size(), 1);
  CHECK_EQ(std::ranges::count(events(oauth), "consent_revoked"), 1);
}

/// Threads that never get to their jobs, as where others use up the processors.
struct StarvedThreads final : actor::Offload {
  std::vector<std::move_only_function<void()>> jobs;
  bool submit(actor::Core&, std::move_only_function<void()> job) override {
    jobs.push_back(std::move(job));
    return true;
  }
};

TEST_CASE("where passwords get no processor time, who asks is told so while they still wait, and the trail has it") {
  ActorWorld oauth{42};
  const UserId id = add(oauth, bob)->id;
  const auto users = oauth.world.spawn<UserActor>(
      {.name = "starved"}, UserActorParts{.storage = oauth.storage,
                                          .watcher = {},
                                          .options = oauth.options,
                                          .passwords = {.cost = {.memory_kib = 64, .passes = 1},
                                                        .threads = std::make_shared<StarvedThreads>()}});
  const auto login = oauth.world.block_on(users.ask(VerifyPassword{bob, password("correct horse"), home}));
  REQUIRE_FALSE(login.has_value());
  REQUIRE(login.error().domain.has_value());
  CHECK_EQ(login.error().domain->reason, LoginError::Reason::busy);
  oauth.world.advance(1s);
  const auto kept = oauth.disk->transact([](store::Transaction& t) { return SqlAudit{t}.events(std::nullopt, 100); });
  const auto noted = std::ranges::find(kept, "login_refused", &AuditEvent::kind);
  REQUIRE(noted != kept.end());
  CHECK_EQ(noted->reason, "busy");

  const auto change = oauth.world.block_on(users.ask(
      ChangePassword{session_of(oauth, id), password("correct horse"), password("battery staple"), home, {}}));
  REQUIRE_FALSE(change.has_value());
  REQUIRE(change.error().domain.has_value());
  CHECK_EQ(change.error().domain->reason, PasswordChangeError::Reason::busy);
}

}  // namespace
}  // namespace troupe::oauth
