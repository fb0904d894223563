// User Actor: who may sign in, what guessing costs, and what users have agreed to.
#include "troupe/oauth/actor/user_actor.h"

#include <doctest/doctest.h>

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

}  // namespace
}  // namespace troupe::oauth
