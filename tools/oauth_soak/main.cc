// oauth_soak: a real authorization server on SQLite that issues short-lived tokens for a long time; once the first of
// them have gone, neither the table of tokens nor the memory may grow.
//
//   oauth_soak --troupe PROGRAM [--minutes N] [--rate N]    exit status 0, 1 (it grows), 2 (cannot run)
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <vector>

#include "tools/chaos/process.h"
#include "tools/chaos/trend.h"
#include "troupe/attack/address.h"
#include "troupe/attack/http/curl_transport.h"
#include "troupe/attack/trial.h"
#include "troupe/base/clock.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using chaos::Failed;

// A row stays for its life, five minutes of slack and until the next sweep.
constexpr const char* config = R"([oauth]
password_time = "0s"
password_threads = "usual"
access_token_lifetime = "1s"
)";
constexpr double seconds_kept = 1 + 300 + 20;
constexpr std::size_t burst = 50;

struct Options {
  std::string troupe;
  double minutes = 20;
  double rate = 1000;
  double warm_seconds = seconds_kept;
  double growth_max = 0.01;  // of rows and memory, over all that is measured
};

double seconds_of(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// A second reader of the server's database, which it does not disturb.
class TokenTable {
 public:
  explicit TokenTable(const std::string& path) {
    if (::sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      throw Failed{"the database cannot be read: " + std::string{::sqlite3_errmsg(database_)}};
    ::sqlite3_busy_timeout(database_, 5000);
  }
  TokenTable(const TokenTable&) = delete;
  TokenTable& operator=(const TokenTable&) = delete;
  ~TokenTable() { ::sqlite3_close(database_); }

  std::int64_t rows() const {
    std::int64_t found = 0;
    const auto take = [](void* into, int, char** values, char**) {
      *static_cast<std::int64_t*>(into) = std::strtoll(values[0], nullptr, 10);
      return 0;
    };
    if (::sqlite3_exec(database_, "SELECT count(*) FROM access_tokens", take, &found, nullptr) != SQLITE_OK)
      throw Failed{"the tokens cannot be counted: " + std::string{::sqlite3_errmsg(database_)}};
    return found;
  }

 private:
  sqlite3* database_ = nullptr;
};

/// The server, a client that asks for opaque tokens, and how many it was given.
class Scene {
 public:
  explicit Scene(const Options& options)
      : server_(options.troupe, folder_.path(), chaos::quiet_and_unlimited + std::string{config}),
        transport_(attack::curl_transport({})) {
    const auto said = server_.command({"client", "add", "--json", "--name", "soak", "--grant", "client_credentials",
                                       "--scope", "notes", "--access-token-format", "opaque"});
    const attack::KnownClient client{.id = attack::json_text(said, "client_id"),
                                     .secret = base::Secret{attack::json_text(said, "client_secret")},
                                     .redirect_uri = "",
                                     .another_redirect_uri = "",
                                     .scope = "notes"};
    server_.start();
    table_.emplace(folder_.path() + "/data/troupe.db");
    auto found =
        attack::find_target(*transport_, {.url = fmt::format("http://127.0.0.1:{}", server_.port()), .client = client});
    if (!found) throw Failed{found.error()};
    requests_.assign(burst, attack::Trial{*found, *transport_}.request_as(client, found->endpoint("token_endpoint"),
                                                                          {{"grant_type", "client_credentials"}}));
  }

  void issue_burst() {
    for (const auto& answer : transport_->send_at_once(requests_)) {
      if (server_.is_lost()) throw Failed{"the server has ended by itself:\n" + server_.log_tail()};
      if (answer.status != 200)
        throw Failed{fmt::format("a token was answered with {}: {}", answer.status, answer.body)};
      ++issued_;
    }
  }

  double issued() const noexcept { return issued_; }
  std::int64_t rows() const { return table_->rows(); }
  double resident() const { return static_cast<double>(server_.resident_bytes()); }
  void end() {
    if (!server_.end()) throw Failed{"the server did not end well:\n" + server_.log_tail()};
  }

 private:
  const chaos::Folder folder_;
  chaos::Server server_;
  std::unique_ptr<attack::Transport> transport_;
  std::optional<TokenTable> table_;
  std::vector<attack::Request> requests_;
  double issued_ = 0;
};

/// Whether the line through what was measured stays below the bound.
bool is_flat(const char* what, double unit, const chaos::Trend& trend, double seconds, double growth_max) {
  const double growth = trend.slope() * seconds;
  const bool flat = growth <= growth_max * trend.mean();
  fmt::print("{}: {:.1f} on average, {:+.2f} in {:.0f} s ({:+.2f} %, bound {:.0f} %): {}\n", what, trend.mean() / unit,
             growth / unit, seconds, 100 * growth / trend.mean(), 100 * growth_max, flat ? "flat" : "IT GROWS");
  return flat;
}

int measure(const Options& options) {
  Scene scene{options};
  const auto begun = base::system_clock().now();
  const auto elapsed = [&] { return seconds_of(base::system_clock().now() - begun); };
  const double all = options.minutes * 60;
  chaos::Trend rows, resident;
  double looked = 0, told = 0;
  while (elapsed() < all) {
    if (scene.issued() < options.rate * elapsed())
      scene.issue_burst();
    else
      ::usleep(2000);
    const double at = elapsed();
    if (at - looked < 1) continue;
    looked = at;
    const auto found = static_cast<double>(scene.rows());
    const bool warm = at >= options.warm_seconds;
    if (warm) rows.add(at, found), resident.add(at, scene.resident());
    if (at - told < 10) continue;
    told = at;
    fmt::print(stderr, "{:>5.0f} s  {:.0f} tokens issued, {:.0f} rows, {:.1f} MiB{}\n", at, scene.issued(), found,
               scene.resident() / 1048576, warm ? "" : " (warming up)");
  }
  scene.end();
  const double measured = all - options.warm_seconds;
  fmt::print("{:.0f} tokens were issued, {:.0f} of them after a warm-up of {:.0f} s\n", scene.issued(),
             scene.issued() * measured / all, options.warm_seconds);
  const bool table_is_flat = is_flat("rows of tokens", 1, rows, measured, options.growth_max);
  const bool memory_is_flat = is_flat("memory, MiB", 1048576, resident, measured, options.growth_max);
  return table_is_flat && memory_is_flat ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  Options options;
  CLI::App app{
      "A real authorization server that issues tokens for a long time, and the slope of its table and memory."};
  app.add_option("--troupe", options.troupe, "The executable")->required()->check(CLI::ExistingFile);
  app.add_option("--minutes", options.minutes, "How long in all")->capture_default_str();
  app.add_option("--rate", options.rate, "Tokens a second")->capture_default_str();
  app.add_option("--warm-seconds", options.warm_seconds, "Of that, before anything is measured")->capture_default_str();
  app.add_option("--growth-max", options.growth_max, "What rows and memory may grow by in what is measured, as a share")
      ->capture_default_str();
  CLI11_PARSE(app, count, values);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return measure(options);
  } catch (const Failed& failed) {
    fmt::print(stderr, "oauth_soak: {}\n", failed.why);
  } catch (const std::exception& error) {
    fmt::print(stderr, "oauth_soak: {}\n", error.what());
  }
  return 2;
}
