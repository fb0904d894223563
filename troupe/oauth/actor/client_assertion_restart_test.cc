// What clients with keys rely on when the server starts anew on the same disk: an assertion that was spent stays so,
// and a client that was not told of a sign-out yet will be.
#include <doctest/doctest.h>

#include "troupe/oauth/actor/logout_actor.h"
#include "troupe/oauth/actor/testing/actor_world.h"
#include "troupe/oauth/actor/user_endings.h"
#include "troupe/oauth/model/testing/assertions.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

std::int64_t rows_in(const fixture::Disk& disk, const std::string& table) {
  return disk->transact([&](store::Transaction& transaction) {
    return transaction.first("SELECT count(*) FROM " + table, {}, [](const store::Row& row) { return row.integer(0); })
        .value();
  });
}

TEST_CASE("an assertion that was spent before a restart is not taken after it, and is forgotten in time (T47)") {
  const fixture::Disk disk = fixture::new_disk();
  testing::AssertingClient key;
  std::string shown;
  {
    ActorWorld oauth{1, disk};
    const ClientMetadata metadata{.name = "Robot",
                                  .auth_method = ClientAuthMethod::private_key_jwt,
                                  .grant_types = {GrantType::client_credentials},
                                  .scope = fixture::scope("read"),
                                  .jwks = key.jwks()};
    const auto robot = oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata})).value();
    CHECK_FALSE(robot.secret);
    shown = key.sign(robot.client->id.value(), oauth.options.issuer, oauth.now());
    CHECK(oauth.world.block_on(oauth.clients.ask(ValidateAssertion{TokenText{shown}, std::nullopt})).has_value());
  }
  ActorWorld oauth{2, disk};
  const auto again = oauth.world.block_on(oauth.clients.ask(ValidateAssertion{TokenText{shown}, std::nullopt}));
  REQUIRE_FALSE(again);
  CHECK_EQ(again.error().domain, errors::invalid_client);
  CHECK_EQ(rows_in(disk, "client_assertions"), 1);
  oauth.world.manual_clock().jump_wall(24h);
  oauth.world.advance(10min);
  CHECK_EQ(rows_in(disk, "client_assertions"), 0);
}

/// The way to a client's server, which notes what went there.
class Way {
 public:
  explicit Way(std::shared_ptr<std::vector<web::Fetch>> seen) : seen_(std::move(seen)) {}
  std::expected<web::Fetched, web::FetchFault> handle(web::Fetch message) {
    seen_->push_back(std::move(message));
    return web::Fetched{200, ""};
  }

 private:
  std::shared_ptr<std::vector<web::Fetch>> seen_;
};

TEST_CASE("a sign-out that nobody had been told of when the server stopped is told by the next one (T69)") {
  const fixture::Disk disk = fixture::new_disk();
  disk->transact([](store::Transaction& transaction) {
    SqlTables sql{transaction};
    Tables t = sql.all();
    Client shop = t.clients.find(fixture::shop().id).value();
    shop.metadata.backchannel_logout_uri = "https://shop.example/out";
    ++shop.version;
    REQUIRE(t.clients.update(shop));
    fixture::Ids ids;
    const crypto::TokenId session = ids.next();
    t.users.insert_session({.session = {.id = SessionId{session.text()},
                                        .authentication = {.user = fixture::alice().user.id,
                                                           .session = SessionId{session.text()},
                                                           .time = fixture::start},
                                        .created_at = fixture::start,
                                        .seen_at = fixture::start},
                            .hash = crypto::sha256("cookie"),
                            .expires_at = fixture::start + 24h,
                            .ended_at = std::nullopt});
    t.grants.insert_family({.grant = fixture::grant_of(shop, ids.next(), session), .expires_at = fixture::start + 24h});
    disable_user(t, t.users.find(fixture::alice().user.id).value(), fixture::start);  // as the command line does
  });
  CHECK_EQ(rows_in(disk, "logout_notices"), 1);
  ActorWorld oauth{3, disk};
  const auto seen = std::make_shared<std::vector<web::Fetch>>();
  const auto way = oauth.world.spawn<Way>({.name = "way"}, seen);
  const auto logouts = oauth.world.spawn<LogoutActor>({.name = "logouts"},
                                                      LogoutActorParts{oauth.storage, oauth.keys, way, oauth.options});
  oauth.world.spawn<ChangeActor>(
      {.name = "telling"},
      ChangeActorParts{
          .storage = oauth.storage, .keys = oauth.keys, .clients = oauth.clients, .watcher = {}, .logouts = logouts});
  oauth.world.advance(2s);
  REQUIRE_EQ(seen->size(), 1);
  CHECK_EQ(seen->front().url, "https://shop.example/out");
  CHECK_EQ(rows_in(disk, "logout_notices"), 0);
  oauth.world.advance(1h);
  CHECK_EQ(seen->size(), 1);
}

}  // namespace
}  // namespace troupe::oauth
