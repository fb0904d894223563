// chaos: a real server, a crowd that checks all it is told, and faults: cut sockets, slow readers, a server that stands
// still, is killed and started anew, watching processes that are stopped and killed. At the end every recording is
// judged: each topic contiguous, in one order, without doubles, or told what is missing.
//
// With --durable the history lies on the disk: a kill then begins no new epoch, and costs nobody a message.
//
//   chaos --troupe PROGRAM [--deliveries N | --for SECONDS] [--seed N] [--durable]
//                                                                  exit status 0, 1 (violated), 2 (cannot run)
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <system_error>

#include "tools/chaos/crowd.h"
#include "tools/chaos/process.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/net/socket.h"
#include "troupe/net/socket_address.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::chaos;

constexpr const char* config = R"([log]
level = "error"

[realtime]
anonymous_scopes = "topic:chaos.*:subscribe topic:chaos.*:publish"
history_messages_max = 4000
history_bytes_max = "8MiB"
outbox_messages_max = 500
messages_per_second = 100000
messages_burst = 100000
session_time = "3s"
)";
constexpr const char* durable_config = "history_durability = \"disk\"\n";

struct Options {
  std::string troupe;
  std::uint64_t seed = 1;
  std::uint64_t deliveries = 0;  // 0: by time
  double seconds = 10;
  double kill_every = 15;  // seconds; 0: never
  std::size_t watchers = 3;
  CrowdOptions crowd;
  std::string diagnosis = "chaos-last-events.txt";
};

struct Done {
  std::uint64_t cuts = 0, slow = 0, pauses = 0, kills = 0, watchers_stopped = 0, watchers_killed = 0;
};

/// A process of `troupe subscribe --recover --record`, whose recording comes through a pipe.
class Watcher {
 public:
  Watcher(const Options& options, const Folder& folder, std::uint16_t port, std::uint64_t number)
      : observer_(fmt::format("watcher-{}", number)) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Failed{"no pipe can be made"};
    out_ = net::Descriptor{ends[0]};
    const net::Descriptor in{ends[1]};
    ::fcntl(out_.get(), F_SETFL, O_NONBLOCK);
    process_.emplace(std::vector<std::string>{options.troupe, "subscribe", "--recover", "--record", "/dev/fd/3",
                                              "--server", fmt::format("127.0.0.1:{}", port), "chaos.t0", "chaos.t1"},
                     folder.path() + "/" + observer_ + ".log", in.get());
  }

  /// What it has recorded since, in whole lines.
  void read(const actor::Ref<Crowd>& crowd) {
    std::array<char, 65536> some;
    while (true) {
      const auto count = ::read(out_.get(), some.data(), some.size());
      if (count <= 0) break;
      unread_.append(some.data(), static_cast<std::size_t>(count));
    }
    const auto end = unread_.rfind('\n');
    if (end == std::string::npos) return;
    crowd.tell(Recorded{observer_, unread_.substr(0, end + 1)});
    unread_.erase(0, end + 1);
  }
  void kill(const actor::Ref<Crowd>& crowd) {
    process_->signal(SIGKILL);
    (void)process_->wait();
    read(crowd);
    crowd.tell(ObserverGone{observer_});
  }
  void signal(int number) { process_->signal(number); }

 private:
  std::string observer_;
  net::Descriptor out_;
  std::optional<Process> process_;
  std::string unread_;
};

/// A connection whose end here takes little at once, so that who reads slowly is soon seen to.
std::unique_ptr<net::Stream> dial_narrowly(actor::Core& core, const net::Endpoint& place,
                                           const std::shared_ptr<net::ReadBuffer>& buffer) {
  const auto address = net::SocketAddress::of(place);
  net::Descriptor socket{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int bytes = 16 * 1024;
  if (socket) ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (!socket || (::connect(socket.get(), address.get(), address.size()) != 0 && errno != EINPROGRESS))
    throw std::system_error(errno, std::generic_category(), "connect to " + place.text());
  return std::make_unique<net::Socket>(core.poller(), std::move(socket), place, buffer);
}

/// One run: the server, the crowd and what happens to them.
class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        random_(options.seed),
        server_(options.troupe, folder_.path(), std::string{config} + (options.crowd.lasts ? durable_config : "")),
        system_({.cores = 1, .stall_limit = 0s}) {
    server_.start();
    auto crowd = options.crowd;
    const auto buffer = std::make_shared<net::ReadBuffer>();
    const net::Endpoint place{*net::IpAddress::parse("127.0.0.1"), server_.port()};
    crowd.dial = [buffer, place](actor::Core& core) { return dial_narrowly(core, place, buffer); };
    crowd.socket = {.host = place.text(), .target = "/ws"};
    crowd_ = system_.spawn<Crowd>({.name = "crowd", .mailbox = {.capacity = 100'000}}, std::move(crowd));
    for (std::size_t i = 0; i < options.watchers; ++i) add_watcher();
  }

  void torment() {
    const auto begun = now();
    auto next_kill = begun + seconds(options_.kill_every);
    auto told = begun;
    std::uint64_t told_deliveries = 0;
    while (true) {
      ::usleep(20'000);
      for (auto& watcher : watchers_) watcher->read(crowd_);
      one_fault();
      if (options_.kill_every > 0 && now() >= next_kill) {
        kill_server();
        next_kill = now() + seconds(options_.kill_every * (0.7 + 0.6 * random_.unit()));
      }
      if (server_.is_lost()) throw Failed{"the server has ended by itself:\n" + server_.log_tail()};
      const auto figures = ask();
      if (now() - told >= 1s) {
        tell(figures, now() - begun,
             static_cast<double>(figures.history.deliveries - told_deliveries) /
                 std::chrono::duration<double>(now() - told).count());
        told = now();
        told_deliveries = figures.history.deliveries;
      }
      if (!figures.violations.empty()) return;
      const bool enough = options_.deliveries > 0 ? figures.history.deliveries >= options_.deliveries
                                                  : now() - begun >= seconds(options_.seconds);
      if (enough) return;
    }
  }

  /// Lets everything come to rest, and judges.
  CrowdFigures judge() {
    for (auto& watcher : watchers_) watcher->signal(SIGCONT);
    crowd_.tell(StopPublishing{});
    std::uint64_t before = 0;
    int quiet = 0;
    for (int i = 0; i < 600 && quiet < 20; ++i) {
      ::usleep(100'000);
      for (auto& watcher : watchers_) watcher->read(crowd_);
      const auto figures = ask();
      const auto seen = figures.history.deliveries + figures.history.gaps;
      const bool all = figures.live == options_.crowd.subscribers && figures.slow == 0;
      quiet = all && seen == before ? quiet + 1 : 0;
      before = seen;
    }
    if (quiet < 20)
      throw Failed{
          fmt::format("the crowd does not come to rest: {} of {} are live", ask().live, options_.crowd.subscribers)};
    auto figures = system_.block_on(crowd_.ask(Judge{})).value();
    if (!figures.violations.empty()) {
      std::ofstream{options_.diagnosis} << system_.block_on(crowd_.ask(GetLastEvents{})).value();
    }
    for (auto& watcher : watchers_) watcher->kill(crowd_);
    system_.shutdown();
    if (!server_.end()) throw Failed{"the server did not end well:\n" + server_.log_tail()};
    return figures;
  }

  const Done& done() const noexcept { return done_; }

 private:
  static base::Instant now() { return base::system_clock().now(); }
  static base::Duration seconds(double count) {
    return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(count));
  }
  CrowdFigures ask() { return system_.block_on(crowd_.ask(GetCrowdFigures{})).value(); }

  void add_watcher() {
    watchers_.push_back(std::make_unique<Watcher>(options_, folder_, server_.port(), ++watchers_made_));
  }

  /// Fifty times a second one of these, or nothing.
  void one_fault() {
    const auto drawn = random_.below(1000);
    if (drawn < 120) {
      ++done_.cuts;
      crowd_.tell(CutSomebody{});
    } else if (drawn < 150) {
      ++done_.slow;
      crowd_.tell(SlowSomebody{seconds(0.2 + 6 * random_.unit())});
    } else if (drawn < 155) {
      ++done_.pauses;
      server_.stand_still();
      ::usleep(static_cast<useconds_t>(20'000 + random_.below(400'000)));
      server_.go_on();
    } else if (drawn < 165 && !watchers_.empty()) {
      ++done_.watchers_stopped;
      auto& watcher = *watchers_[random_.below(watchers_.size())];
      watcher.signal(random_.below(2) == 0 ? SIGSTOP : SIGCONT);
    } else if (drawn < 168 && !watchers_.empty()) {
      ++done_.watchers_killed;
      const auto index = static_cast<std::ptrdiff_t>(random_.below(watchers_.size()));
      watchers_[static_cast<std::size_t>(index)]->kill(crowd_);
      watchers_.erase(watchers_.begin() + index);
      add_watcher();
    }
  }

  /// A new epoch begins only after everybody has seen the one before. Where none begins, nothing is waited for.
  void kill_server() {
    for (int i = 0; i < 300 && !options_.crowd.lasts && ask().live < options_.crowd.subscribers; ++i) ::usleep(10'000);
    ++done_.kills;
    server_.kill();
    server_.start();
  }

  static void tell(const CrowdFigures& figures, base::Duration at, double rate) {
    fmt::print(
        stderr,
        "{:>4} s  {} deliveries ({:.0f}/s), {} live, {} slow, {} gaps, {} recoveries, {} refused, {} violations\n",
        std::chrono::duration_cast<std::chrono::seconds>(at).count(), figures.history.deliveries, rate, figures.live,
        figures.slow, figures.history.gaps, figures.history.recoveries, figures.history.refusals,
        figures.violations.size());
  }

  const Options& options_;
  base::SeededRandom random_;
  const Folder folder_;
  Server server_;
  actor::System system_;
  actor::Ref<Crowd> crowd_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::uint64_t watchers_made_ = 0;
  Done done_;
};

int report(const Options& options, const CrowdFigures& figures, const Done& done, base::Duration lasted) {
  for (const auto& violation : figures.violations) fmt::print("event {}: {}\n", violation.at, violation.what);
  const auto& history = figures.history;
  fmt::print(
      "seed {}, history {}: {} deliveries of {} publications in {:.0f} s; {} gaps told of {} messages, {} recoveries, "
      "{} "
      "subscriptions "
      "from now on, {} publications acknowledged\n"
      "faults: {} cuts, {} slow readers, the server stood still {} times and was killed {} times, {} signals to "
      "watchers, {} "
      "of them killed; {} connections were lost\n{}\n",
      options.seed, options.crowd.lasts ? "on the disk" : "in memory", history.deliveries, figures.published,
      std::chrono::duration<double>(lasted).count(), history.gaps, history.missed, history.recoveries, history.refusals,
      history.acknowledged, done.cuts, done.slow, done.pauses, done.kills, done.watchers_stopped, done.watchers_killed,
      figures.interruptions,
      figures.violations.empty()
          ? std::string{"all promises were kept"}
          : fmt::format("{} violations; the last events are in {}", figures.violations.size(), options.diagnosis));
  return figures.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  Options options;
  CLI::App app{"A real server under faults, and a crowd that checks what it delivers."};
  app.add_option("--troupe", options.troupe, "The executable")->required()->check(CLI::ExistingFile);
  app.add_option("--seed", options.seed, "Of the faults")->capture_default_str();
  app.add_option("--deliveries", options.deliveries, "Go on until there were so many");
  app.add_option("--for", options.seconds, "Or for so many seconds")->capture_default_str();
  app.add_option("--kill-every", options.kill_every, "Seconds between two kills of the server; 0: none")
      ->capture_default_str();
  app.add_flag("--durable", options.crowd.lasts, "The server keeps its history on the disk");
  app.add_option("--subscribers", options.crowd.subscribers, "In this process")->capture_default_str();
  app.add_option("--topics", options.crowd.topics)->capture_default_str();
  app.add_option("--rate", options.crowd.publications_per_second, "Publications a second")->capture_default_str();
  app.add_option("--watchers", options.watchers, "Processes of `troupe subscribe`")->capture_default_str();
  app.add_option("--diagnosis", options.diagnosis, "File for the last events, if a promise was broken")
      ->capture_default_str();
  CLI11_PARSE(app, count, values);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    Run run{options};
    const auto begun = base::system_clock().now();
    run.torment();
    const auto lasted = base::system_clock().now() - begun;
    const auto figures = run.judge();
    return report(options, figures, run.done(), lasted);
  } catch (const Failed& failed) {
    fmt::print(stderr, "chaos: {}\n", failed.why);
    return 2;
  }
}
