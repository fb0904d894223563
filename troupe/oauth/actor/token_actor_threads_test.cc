// The actors of tokens and codes on real threads and a real file: what the simulated systems
// show of schedules holds where two cores and the blocking pool truly run beside each other.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "troupe/oauth/actor/testing/actor_world.h"
#include "troupe/oauth/actor/token_actor.h"

namespace troupe::oauth {
namespace {

struct RealDisk {
  std::string path = std::filesystem::temp_directory_path() / "troupe-oauth-XXXXXX";
  RealDisk() {
    REQUIRE(mkdtemp(path.data()) != nullptr);
    store::SqliteConnection connection{file()};
    store::migrate(connection, schema(), fixture::start);
    connection.transact([](store::Transaction& transaction) {
      SqlTables tables{transaction};
      fixture::fill(tables.all());
    });
  }
  ~RealDisk() { std::filesystem::remove_all(path); }
  store::SqliteOptions file() const { return {.path = path + "/oauth.db"}; }
};

actor::Task<void> nap() { co_await actor::sleep(std::chrono::milliseconds{1}); }

/// What has been answered when there are so many answers, or after a minute.
template <class Asking, class Answers>
auto answers_of(actor::System& system, Asking asking, Answers question, std::size_t count) {
  const base::Instant begin = base::system_clock().now();
  auto answers = system.block_on(asking.ask(question)).value();
  while (answers.size() < count && base::system_clock().now() - begin < std::chrono::seconds{60}) {
    system.block_on(nap());
    answers = system.block_on(asking.ask(question)).value();
  }
  return answers;
}

TEST_CASE("on two cores and a file, one code gives tokens once and one refresh token one successor") {
  const RealDisk disk;
  actor::System system{{.cores = 2}};
  {
    fixture::Actors actors{system, store::sqlite_engine(disk.file())};
    const ClientPtr phone = actors.client(fixture::phone().id);
    const base::UnixTime now = base::system_clock().wall();

    const IssuedCode code = actors.authorize(phone, "openid offline_access read", now);
    auto redeeming = actors.crowd(actors.codes, actors.shown(code, phone), 200);
    const auto redeemed =
        answers_of(system, redeeming, typename fixture::Crowd<AuthActor, ValidateAuthCode>::Answers{}, 200);
    REQUIRE_EQ(redeemed.size(), 200);
    CHECK_EQ(std::ranges::count_if(redeemed, [](const auto& answer) { return answer.has_value(); }), 1);

    const TokenText token = *actors.redeem(actors.authorize(phone, "offline_access read", now), phone)->refresh_token;
    auto refreshing = actors.crowd(actors.tokens, RefreshToken{token, phone, std::nullopt}, 100);
    const auto refreshed =
        answers_of(system, refreshing, typename fixture::Crowd<TokenActor, RefreshToken>::Answers{}, 100);
    REQUIRE_EQ(refreshed.size(), 100);
    for (const auto& answer : refreshed) {
      REQUIRE(answer.has_value());
      CHECK_EQ(answer->refresh_token->expose(), refreshed[0]->refresh_token->expose());
    }
  }
  system.shutdown();
}

}  // namespace
}  // namespace troupe::oauth
