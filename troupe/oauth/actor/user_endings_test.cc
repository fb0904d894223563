// Endings: what a decision about a user takes with it, and what it leaves alone.
#include "troupe/oauth/actor/user_endings.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/testing/fixture.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr base::UnixTime later{fixture::start.milliseconds + 1000};

/// alice in one session, with a grant that is meant to outlive it.
struct Scene {
  MemoryTables rows;
  Tables tables = rows.all();
  fixture::Ids ids;
  SessionId session{ids.next().text()};
  Grant grant = fixture::grant_of(fixture::shop(), ids.next(), crypto::TokenId::parse(session.value()).value());
  UserId alice = fixture::alice().user.id;

  Scene() {
    fixture::fill(tables);
    tables.users.insert_session(
        {.session = {.id = session, .authentication = *grant.authentication}, .hash = {}, .expires_at = later + 1h});
    tables.grants.insert_family({.grant = grant, .expires_at = later + 24h});
    tables.users.put_consent({alice, grant.client, grant.scope, fixture::start});
  }

  UserRecord user() { return tables.users.find(alice).value(); }
  bool has_session() { return !tables.users.open_sessions_of(alice).empty(); }
  std::size_t endings() { return tables.grants.endings_after(0, 10).size(); }
};

TEST_CASE("a new password ends sessions and grants, tells other processes, and leaves consents") {
  Scene scene;
  const auto ended = change_password(scene.tables, scene.user(), "$argon2id$new", later);
  CHECK_EQ(ended, std::vector{scene.grant.family});
  CHECK_FALSE(scene.has_session());
  CHECK_FALSE(stands(scene.tables, scene.grant));
  CHECK_EQ(scene.user().password_hash, "$argon2id$new");
  CHECK_EQ(scene.endings(), 1);
  CHECK(scene.tables.users.find_consent(scene.alice, scene.grant.client).has_value());
}

TEST_CASE("however much a user has granted, all of it ends with a new password, and a client is told once") {
  Scene scene;
  Client client = fixture::shop();
  client.id = ClientId{"c_told"};
  client.metadata.backchannel_logout_uri = "https://told.example/out";
  scene.tables.clients.insert(client);
  constexpr int many = 1700;
  for (int i = 0; i < many; ++i) {
    Grant grant = scene.grant;
    grant.family = FamilyId{scene.ids.next().text()};
    grant.client = client.id;
    scene.tables.grants.insert_family({.grant = grant, .expires_at = later + 24h});
  }
  const auto ended = change_password(scene.tables, scene.user(), "$argon2id$new", later);
  CHECK_EQ(ended.size(), many + 1);
  scene.tables.grants.each_family_of(scene.alice,
                                     [](const FamilyRecord& family) { CHECK(family.revoked_at.has_value()); });
  CHECK_EQ(scene.tables.logouts.due(later, many, {}).size(), 1);
}

TEST_CASE("a user who was disabled and enabled again begins anew: nothing from before comes back") {
  Scene scene;
  const auto ended = disable_user(scene.tables, scene.user(), later);
  CHECK_EQ(ended.size(), 1);
  CHECK_EQ(scene.user().user.state, UserState::disabled);
  CHECK_EQ(scene.endings(), 1);
  enable_user(scene.tables, scene.user());
  CHECK_EQ(scene.user().user.state, UserState::enabled);
  CHECK_FALSE(scene.has_session());
  CHECK_FALSE(stands(scene.tables, scene.grant));

  Grant on_its_way = scene.grant;  // its code was made before, and its family begins only now
  on_its_way.family = FamilyId{scene.ids.next().text()};
  scene.tables.grants.insert_family({.grant = on_its_way, .expires_at = later + 24h});
  CHECK_FALSE(stands(scene.tables, on_its_way));
  Grant fresh = scene.grant;
  fresh.family = FamilyId{scene.ids.next(later).text()};
  scene.tables.grants.insert_family({.grant = fresh, .expires_at = later + 24h});
  CHECK_FALSE(stands(scene.tables, fresh));  // by a sign-in from before
  fresh.authentication->time = later;
  fresh.family = FamilyId{scene.ids.next(later).text()};
  scene.tables.grants.insert_family({.grant = fresh, .expires_at = later + 24h});
  CHECK(stands(scene.tables, fresh));
}

TEST_CASE("a consent that is taken back ends this client's grants, and needs to be there") {
  Scene scene;
  CHECK_FALSE(revoke_consent(scene.tables, scene.alice, fixture::phone().id, later, fixture::start));
  const auto ended = revoke_consent(scene.tables, scene.alice, scene.grant.client, later, fixture::start);
  REQUIRE(ended.has_value());
  CHECK_EQ(*ended, std::vector{scene.grant.family});
  CHECK_FALSE(stands(scene.tables, scene.grant));
  CHECK(scene.has_session());
  CHECK_FALSE(revoke_consent(scene.tables, scene.alice, scene.grant.client, later, fixture::start));
}

TEST_CASE("a user who is removed takes all grants along, and is removed once") {
  Scene scene;
  CHECK_EQ(remove_user(scene.tables, scene.alice, later)->size(), 1);
  CHECK_FALSE(stands(scene.tables, scene.grant));
  CHECK_FALSE(remove_user(scene.tables, scene.alice, later).has_value());
  CHECK_EQ(scene.endings(), 1);
}

}  // namespace
}  // namespace troupe::oauth
