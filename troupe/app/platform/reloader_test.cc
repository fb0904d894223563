// What SIGHUP makes of a file, sound or wrong.
#include "troupe/app/platform/reloader.h"

#include <doctest/doctest.h>

#include "troupe/app/config/check.h"
#include "troupe/base/log.h"

using namespace troupe;
using namespace troupe::app;

TEST_CASE("a sound file is used and its changes are named; a wrong one is logged and changes nothing") {
  Config first;
  complete(first);
  std::expected<Config, std::vector<Problem>> next = first;
  std::vector<Config> used;
  Reloader reloader{first, [&] { return next; }, [&](const Config& config) { used.push_back(config); }};

  next->realtime.frames.burst = 6000;
  next->realtime.echo = true;
  {
    base::log::Capture log;
    reloader.reload();
    REQUIRE_EQ(log.lines().size(), 3);
    CHECK(log.lines()[0].contains("configuration changed"));
    CHECK(log.lines()[0].contains("realtime.messages_burst"));
    CHECK(log.lines()[1].contains("waits for the next start"));
    CHECK(log.lines()[1].contains("realtime.echo"));
    CHECK(log.lines()[2].contains("configuration read again"));
  }
  REQUIRE_EQ(used.size(), 1);
  CHECK_EQ(used[0].realtime.frames.burst, 6000);
  CHECK_FALSE(used[0].realtime.echo);

  next = std::unexpected(std::vector<Problem>{{"troupe.toml:3", "there is no key realtime.x"}});
  {
    base::log::Capture log;
    reloader.reload();
    REQUIRE_EQ(log.lines().size(), 2);
    CHECK(log.lines()[0].contains("troupe.toml:3"));
    CHECK(log.lines()[0].contains("there is no key realtime.x"));
    CHECK(log.lines()[1].contains("stays as it was"));
  }
  CHECK_EQ(used.size(), 1);
  CHECK_EQ(reloader.config().realtime.frames.burst, 6000);
}
