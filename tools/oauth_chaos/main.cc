// oauth_chaos: a real authorization server, on SQLite or PostgreSQL, that is killed while one code is redeemed a
// thousand times at once, one refresh token used a hundred times, tokens issued and revoked. What it acknowledged must
// be there afterwards, and what was spent must stay spent. The seed repeats what is sent and when it is killed, not the
// timing of the machine.
//
//   oauth_chaos --troupe PROGRAM [--postgres] [--for SECONDS] [--seed N]    exit status 0, 1 (violated), 2 (cannot run)
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>

#include "tools/oauth_chaos/run.h"
#include "troupe/store/postgres/testing/postgres_server.h"

namespace {

using namespace troupe;
using namespace troupe::oauth_chaos;

/// A burst has more connections than most shells allow.
void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int report(const RunOptions& options, const Run& run, const std::string& diagnosis) {
  const auto& figures = run.figures();
  for (const auto& violation : run.ledger().violations()) fmt::print("event {}: {}\n", violation.event, violation.what);
  fmt::print(
      "seed {}: {} rounds, the server was killed {} times; {} codes, {} redemptions and {} refreshes at once, {} after "
      "the grace, {} revocations, {} tokens asked for, {} requests without an answer, {} introspections\n",
      options.seed, figures.rounds, figures.kills, figures.codes, figures.redemptions, figures.refreshes,
      figures.late_refreshes, figures.revocations, figures.issues, figures.unanswered, figures.introspections);
  if (run.ledger().violations().empty()) {
    fmt::print("nothing was spent twice, and nothing acknowledged was lost\n");
    return 0;
  }
  std::ofstream file{diagnosis};
  for (const auto& event : run.ledger().last_events()) file << event << '\n';
  fmt::print("{} violations; the last events are in {}\n", run.ledger().violations().size(), diagnosis);
  return 1;
}

}  // namespace

int main(int count, char** values) {
  RunOptions options;
  std::string diagnosis = "oauth-chaos-last-events.txt";
  bool on_postgres = false;
  CLI::App app{"A real authorization server that is killed in the middle of its work, and a judge of its answers."};
  app.add_option("--troupe", options.troupe, "The executable")->required()->check(CLI::ExistingFile);
  app.add_flag("--postgres", on_postgres, "Start a PostgreSQL and keep everything there");
  app.add_option("--seed", options.seed, "Of what is sent and when it is killed")->capture_default_str();
  app.add_option("--for", options.seconds, "Seconds; the last round is finished")->capture_default_str();
  app.add_option("--redemptions", options.redemptions, "Of one code at once")->capture_default_str();
  app.add_option("--refreshes", options.refreshes, "Of one refresh token at once")->capture_default_str();
  app.add_option("--kill-share", options.kill_share, "Of the bursts, in how many it is killed")->capture_default_str();
  app.add_option("--diagnosis", diagnosis, "File for the last events, if a promise was broken")->capture_default_str();
  CLI11_PARSE(app, count, values);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  try {
    std::optional<store::test::PostgresServer> postgres;
    if (on_postgres) options.store_url = postgres.emplace().url(postgres->make_database());
    Run run{options};
    run.torment();
    return report(options, run, diagnosis);
  } catch (const chaos::Failed& failed) {
    fmt::print(stderr, "oauth_chaos: {}\n", failed.why);
  } catch (const std::exception& error) {
    fmt::print(stderr, "oauth_chaos: {}\n", error.what());
  }
  return 2;
}
