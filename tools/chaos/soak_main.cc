// soak: a real server for a long time under clients that come and go; after a warm-up its memory must not grow.
//
//   soak --troupe PROGRAM [--minutes N]    exit status 0, 1 (it grows), 2 (cannot run)
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <vector>

#include "tools/chaos/churn.h"
#include "tools/chaos/process.h"
#include "tools/chaos/trend.h"
#include "troupe/base/clock.h"
#include "troupe/net/socket.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::chaos;

// Everything that the server may keep for a while is gone long before the warm-up is over.
constexpr const char* config = R"([log]
level = "error"

[realtime]
anonymous_scopes = "topic:soak.*:subscribe topic:soak.*:publish"
session_time = "5s"
history_age_max = "10s"
connections_by_address_max = 100000

[http]
requests_per_second = 1000000
requests_burst = 1000000
connections_by_address_max = 100000
)";

struct Options {
  std::string troupe;
  double minutes = 20;
  double warm_share = 0.25;
  double growth_max = 0.01;  // of the memory, over all that is measured
  ChurnOptions churn;
};

double seconds_of(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

int measure(const Options& options) {
  const Folder folder;
  Server server{options.troupe, folder.path(), config};
  server.start();
  actor::System system{{.cores = 1, .stall_limit = 0s}};
  auto churn = options.churn;
  const auto buffer = std::make_shared<net::ReadBuffer>();
  const net::Endpoint place{*net::IpAddress::parse("127.0.0.1"), server.port()};
  churn.dial = [buffer, place](actor::Core& core) { return net::connect_tcp(core, place, buffer); };
  churn.socket = {.host = place.text(), .target = "/ws"};
  const auto crowd = system.spawn<Churn>({.name = "churn", .mailbox = {.capacity = 100'000}}, std::move(churn));

  const auto begun = base::system_clock().now();
  const double all = options.minutes * 60;
  Trend trend;
  double told = 0;
  for (double at = 0; at < all; at = seconds_of(base::system_clock().now() - begun)) {
    ::usleep(500'000);
    if (server.is_lost()) throw Failed{"the server has ended by itself:\n" + server.log_tail()};
    const auto resident = static_cast<double>(server.resident_bytes());
    const bool warm = at >= all * options.warm_share;
    if (warm) trend.add(at, resident);
    if (at - told < 10) continue;
    told = at;
    const auto figures = system.block_on(crowd.ask(GetChurnFigures{})).value();
    fmt::print(stderr, "{:>5.0f} s  {:.1f} MiB{}, {} arrived, {} here, {} published, {} received, {} refused\n", at,
               resident / 1048576, warm ? "" : " (warming up)", figures.arrived, figures.here, figures.published,
               figures.received, figures.refused);
  }
  const auto figures = system.block_on(crowd.ask(GetChurnFigures{})).value();
  system.shutdown();
  if (!server.end()) throw Failed{"the server did not end well:\n" + server.log_tail()};

  const double measured = all * (1 - options.warm_share);
  const double growth = trend.slope() * measured;
  const double bound = options.growth_max * trend.mean();
  fmt::print(
      "{} clients came and went, {} publications, {} deliveries, {} refused\n"
      "memory {:.1f} MiB on average after a warm-up of {:.0f} s; slope {:+.1f} KiB a minute, {:+.2f} MiB in {:.0f} s; "
      "bound "
      "{:.2f} MiB ({:.0f} %): {}\n",
      figures.gone, figures.published, figures.received, figures.refused, trend.mean() / 1048576,
      all * options.warm_share, trend.slope() * 60 / 1024, growth / 1048576, measured, bound / 1048576,
      options.growth_max * 100, growth <= bound ? "it does not grow" : "IT GROWS");
  return growth <= bound ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  Options options;
  CLI::App app{"A real server under clients that come and go, and the slope of its memory."};
  app.add_option("--troupe", options.troupe, "The executable")->required()->check(CLI::ExistingFile);
  app.add_option("--minutes", options.minutes, "How long in all")->capture_default_str();
  app.add_option("--warm-share", options.warm_share, "Of that, before anything is measured")->capture_default_str();
  app.add_option("--growth-max", options.growth_max, "What it may grow by in what is measured, as a share")
      ->capture_default_str();
  app.add_option("--arrivals", options.churn.arrivals_per_second, "Clients a second")->capture_default_str();
  CLI11_PARSE(app, count, values);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return measure(options);
  } catch (const Failed& failed) {
    fmt::print(stderr, "soak: {}\n", failed.why);
    return 2;
  }
}
