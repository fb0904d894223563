// `troupe load`: an open-loop load on a server, with latencies that hide nothing, and progress while it runs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <csignal>

#include "troupe/actor/actor.h"
#include "troupe/app/client/terminal_output.h"
#include "troupe/app/command/command.h"
#include "troupe/app/command/connect_flags.h"
#include "troupe/app/config/value.h"
#include "troupe/app/platform/capacity.h"
#include "troupe/app/platform/signals.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/realtime/load/load_actor.h"
#include "troupe/realtime/load/wakeful_actor.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using realtime::LoadActor;
using realtime::LoadFigures;

constexpr std::uint64_t connections_an_address = 500;  // half of what a server takes of one unless told otherwise
constexpr double frames_an_address = 5000;             // the same
constexpr auto patience = 60s;                         // for the last connections to open
constexpr auto drain_time = 5s;                        // for what is on its way at the end

constexpr const char* notes =
    "Examples:\n"
    "  troupe load --connections 1000 --topics 100 --rate 1000 --for 30s\n"
    "  troupe load --server wss://staging.example.org --yes-load-this-host --token-file tokens --json\n"
    "Every publication has its moment, however the ones before it fared, and a latency is counted from that moment to\n"
    "the delivery: a server that stands still for a second is seen to have made a second's publications late (no\n"
    "coordinated omission). \"sent late by\" is our own delay: where it is not small, this machine is what was "
    "measured.\n"
    "The topics are PREFIX.RUN.0 and so on, so the token needs topic:PREFIX.>:publish and topic:PREFIX.>:subscribe.\n"
    "A server bounds connections and frames of one user: a token file with several tokens, one a line, is used in "
    "turn.\n"
    "On one machine a server wakes this program for each delivery, which it would not over a network; --awake spares "
    "it that, at the price of a whole processor for each of --cores.\n"
    "Exit status: 0 all was delivered or told; 1 something was missing, failed or lost; 2 the command line is wrong.";

struct LoadFlags {
  ConnectFlags connect;
  realtime::LoadOptions load;
  std::string duration = "10s";
  std::string prefix = "load";
  std::uint64_t cores = 1;
  std::uint64_t sources = 0;
  bool awake = false;
  bool json = false;
  bool yes = false;
};

/// Addresses of the loopback network, for a server that bounds what one address may do.
std::vector<net::IpAddress> loopback_sources(std::uint64_t count) {
  std::vector<net::IpAddress> sources;
  for (std::uint64_t i = 0; i < count; ++i) {
    sources.push_back(
        *net::IpAddress::parse(fmt::format("127.{}.{}.{}", 1 + i / (254 * 254) % 254, i / 254 % 254, 1 + i % 254)));
  }
  return sources;
}

std::uint64_t sources_wanted(const LoadFlags& flags, const Connector& connector) {
  if (flags.sources > 0) return flags.sources;
  if (!connector.is_loopback() || !connector.address().host.contains("127.")) return 0;
  const auto by_connections = (flags.load.connections - 1) / connections_an_address + 1;
  const auto by_frames = static_cast<std::uint64_t>(flags.load.publications_per_second / frames_an_address) + 1;
  return std::min(std::max(by_connections, by_frames), flags.load.connections);
}

/// One run of the command: its cores, and the main thread that asks them.
class Load {
 public:
  Load(const LoadFlags& flags, base::Duration duration, const Signals& signals, Console& console)
      : flags_(flags),
        duration_(duration),
        signals_(signals),
        console_(console),
        on_terminal_(terminal_width(STDERR_FILENO).has_value()),
        system_({.cores = static_cast<int>(flags.cores), .stall_limit = 0s}) {}

  void start(const Connector& connector, const std::vector<realtime::AccessToken>& tokens) {
    begun_ = base::system_clock().now();
    const auto sources = loopback_sources(sources_wanted(flags_, connector));
    for (std::uint64_t core = 0; core < flags_.cores; ++core) {
      realtime::LoadActorOptions options{.load = flags_.load,
                                         .index = core,
                                         .cores = flags_.cores,
                                         .dial = connector.dial(sources),
                                         .socket = connector.socket_options({}),
                                         .tokens = tokens};
      actors_.push_back(system_.spawn<LoadActor>(
          {.name = fmt::format("load-{}", core), .core = static_cast<int>(core), .restart = actor::Restart::temporary},
          std::move(options)));
      if (!flags_.awake) continue;
      system_.spawn<realtime::WakefulActor>({.name = fmt::format("wakeful-{}", core), .core = static_cast<int>(core)});
    }
  }

  /// Waits until all connections are live or have failed. False: interrupted.
  bool connect() {
    const auto slowest = std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(
        static_cast<double>(flags_.load.connections) / flags_.load.connections_per_second));
    const auto until = begun_ + slowest + patience;
    while (sum(realtime::GetSettled{}) < flags_.load.connections && base::system_clock().now() < until) {
      if (tick(100ms)) return false;
    }
    return true;
  }

  /// Publishes for the duration, then waits for what is on its way.
  void publish() {
    auto subscribers = std::make_shared<std::vector<std::uint32_t>>(flags_.load.topics);
    for (auto& actor : actors_) {
      const auto counts = system_.block_on(actor.ask(realtime::CountSubscribers{})).value();
      std::ranges::transform(counts, *subscribers, subscribers->begin(), std::plus{});
    }
    const auto start = base::system_clock().now() + 10ms;
    for (auto& actor : actors_) actor.tell(realtime::BeginPublishing{start, start + duration_, subscribers});
    bool interrupted = false;
    while (!interrupted && base::system_clock().now() < start + duration_) {
      interrupted = tick(std::min<base::Duration>(100ms, start + duration_ - base::system_clock().now()));
    }
    for (auto& actor : actors_) actor.tell(realtime::EndPublishing{});
    lasted_ = std::min<base::Duration>(base::system_clock().now() - start, duration_);
    const auto until = base::system_clock().now() + drain_time;
    while (figures().missing() > 0 && base::system_clock().now() < until && !tick(50ms)) continue;
  }

  LoadFigures figures() {
    LoadFigures all;
    for (auto& actor : actors_) all.add(system_.block_on(actor.ask(realtime::GetLoadFigures{})).value());
    return all;
  }
  base::Duration lasted() const noexcept { return lasted_; }

  void close() {
    if (on_terminal_) console_.err("\r\x1b[K");
    for (auto& actor : actors_) actor.tell(realtime::CloseSockets{});
    const auto until = base::system_clock().now() + 5s;
    while (sum(realtime::CountSockets{}) > 0 && base::system_clock().now() < until && !signals_.wait(20ms)) continue;
    system_.shutdown();
  }

 private:
  template <class Question>
  std::uint64_t sum(Question question) {
    std::uint64_t all = 0;
    for (auto& actor : actors_) all += system_.block_on(actor.ask(question)).value();
    return all;
  }

  /// Lets time pass, and tells progress once a second. True: somebody interrupts.
  bool tick(base::Duration duration) {
    if (signals_.wait(std::max(duration, base::Duration{}))) return true;
    const auto now = base::system_clock().now();
    if (now - told_at_ < 1s) return false;
    auto all = figures();
    const auto line =
        realtime::progress_line(all, told_, told_at_.nanoseconds == 0 ? now - begun_ : now - told_at_, now - begun_);
    console_.err(on_terminal_ ? fmt::format("\r{}\x1b[K", printable_line(line)) : line + "\n");
    told_ = std::move(all);
    told_at_ = now;
    return false;
  }

  static std::string printable_line(const std::string& line) {
    const auto width = terminal_width(STDERR_FILENO).value_or(line.size() + 1);
    return line.substr(0, width > 0 ? width - 1 : 0);
  }

  const LoadFlags& flags_;
  const base::Duration duration_;
  const Signals& signals_;
  Console& console_;
  const bool on_terminal_;
  actor::System system_;
  std::vector<actor::Ref<LoadActor>> actors_;
  base::Instant begun_{}, told_at_{};
  base::Duration lasted_{};
  LoadFigures told_;
};

Exit run_load(LoadFlags flags, Console& console) {
  const auto duration = parse_duration(flags.duration);
  if (!duration || *duration <= 0s)
    throw WrongUsage{fmt::format("--for \"{}\": wants a duration such as 30s", flags.duration)};
  const auto connector = make_connector(flags.connect);
  if (!connector.is_loopback() && !flags.yes)
    throw WrongUsage{
        fmt::format("{} is not this machine: --yes-load-this-host if its owner agrees", connector.address().host)};
  if (flags.load.subscribers_per_topic > flags.load.connections)
    throw WrongUsage{fmt::format("--subscribers-per-topic: a topic cannot have {} of {} connections",
                                 flags.load.subscribers_per_topic, flags.load.connections)};
  auto tokens = read_tokens(flags.connect, console);
  if (tokens.front().expose().empty()) tokens.clear();
  if (const auto machine = claim_machine(); machine.open_files_max < flags.load.connections + 50)
    throw CommandFailed{fmt::format("this process may open {} files, too few for {} connections (ulimit -n)",
                                    machine.open_files_max, flags.load.connections)};
  flags.load.topic_prefix =
      fmt::format("{}.{:08x}", flags.prefix, static_cast<std::uint32_t>(base::secure_random()->next()));

  const Signals signals{SIGINT, SIGTERM, SIGHUP};
  Load load{flags, *duration, signals, console};
  load.start(connector, tokens);
  if (load.connect()) load.publish();
  const auto figures = load.figures();
  load.close();
  console.out(flags.json ? realtime::summary_json(figures, load.lasted()) + "\n"
                         : realtime::summary_text(figures, load.lasted()));
  const bool well =
      figures.missing() == 0 && figures.errors == 0 && figures.connections_failed == 0 && figures.connections_lost == 0;
  return well ? Exit::success : Exit::failure;
}

}  // namespace

void add_load_command(CLI::App& root, Invocation& invocation) {
  auto* command = root.add_subcommand("load", "Put a load on a server, and measure what it delivers and how late");
  auto flags = std::make_shared<LoadFlags>();
  auto& load = flags->load;
  command->add_option("--connections", load.connections, "How many in all")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--topics", load.topics, "How many")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  command
      ->add_option("--subscribers-per-topic", load.subscribers_per_topic,
                   "How many connections each topic has; they publish as well")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--rate", load.publications_per_second, "Publications a second, to all topics together")
      ->check(CLI::Range(0.001, 10'000'000.0))
      ->capture_default_str();
  command
      ->add_option("--payload", load.payload_bytes, "Bytes of each payload, which hold the moment at which it is due")
      ->check(CLI::Range(realtime::load_payload_bytes_min, std::size_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--for", flags->duration, "How long to publish: 30s, 5m")->capture_default_str();
  command->add_option("--connect-rate", load.connections_per_second, "New connections a second")
      ->check(CLI::Range(0.1, 1'000'000.0))
      ->capture_default_str();
  command->add_option("--topic-prefix", flags->prefix, "What the topics begin with")->capture_default_str();
  command->add_option("--cores", flags->cores, "Threads of this program")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      ->add_option("--source-addresses", flags->sources,
                   "Addresses of 127.0.0.0/8 to come from; else as many as needed")
      ->check(CLI::Range(0, 60'000));
  command->add_flag("--awake", flags->awake,
                    "Never let this program's threads sleep, so that a server on this machine need not wake them");
  command->add_flag("--json", flags->json, "Print the summary as JSON");
  command->add_flag("--yes-load-this-host", flags->yes, "The server may be another machine than this one");
  add_connect_flags(*command, flags->connect);
  command->footer(notes);
  command->callback([&invocation, flags] {
    invocation.chosen = [&invocation, flags] { return run_load(*flags, invocation.console); };
  });
}

}  // namespace troupe::app
