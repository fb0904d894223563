// load: traffic from one thread to one or more servers on this machine, slice by slice in
// turn, with the processor time each server used. Prints one JSON line a slice; bench/run
// makes figures of them. Bounded in time; talks to 127.0.0.1 alone.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "bench/load/workload.h"
#include "bench/support/cpu.h"
#include "bench/support/socket.h"

namespace {

using namespace troupe;
using namespace troupe::bench;

struct Options {
  std::string kind;
  std::string tokens, order = "again";
  std::vector<std::string> requests;
  std::vector<std::string> targets;
  std::size_t slices = 20;
  std::size_t slice_ms = 250;
  LoadOptions load;
};

Target parse_target(const std::string& text) {
  std::istringstream parts{text};
  Target target;
  char comma = 0;
  std::getline(parts, target.name, ',');
  if (!(parts >> target.port >> comma >> target.process)) throw CLI::ValidationError("--target", "NAME,PORT,PROCESS");
  return target;
}

/// NAME,FILE: a list of whole requests, each ended by a zero byte.
void read_requests(const std::string& text, std::vector<Target>& targets) {
  const auto comma = text.find(',');
  std::ifstream file{text.substr(comma + 1)};
  for (auto& target : targets) {
    if (target.name != text.substr(0, comma)) continue;
    for (std::string request; std::getline(file, request, '\0');) target.requests.push_back(request);
  }
}

/// The 99th percentile and the median, where the workload knows how long its answers took.
std::string percentiles(std::vector<base::Duration> latencies) {
  if (latencies.empty()) return {};
  std::ranges::sort(latencies);
  const auto at = [&latencies](double share) {
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))].count();
  };
  return fmt::format(R"(,"p50_ns":{},"p99_ns":{})", at(0.5), at(0.99));
}

std::unique_ptr<Workload> make(const Options& options, const Target& target) {
  if (options.kind == "echo") return make_echo(target, options.load);
  if (options.kind == "fanout") return make_fanout(target, options.load);
  if (options.kind == "connect") return make_connect(target, options.load);
  return make_http(target, options.load);
}

void run_slice(Workload& workload, const Target& target, base::Duration length, bool warm) {
  const auto cpu_before = cpu_time_of(target.process);
  const auto begin = now();
  const auto units = workload.run_until(begin + length);
  const auto wall = now() - begin;
  const auto cpu = cpu_time_of(target.process) - cpu_before;
  if (!warm) return;
  fmt::print(R"({{"side":"{}","units":{},"cpu_ns":{},"wall_ns":{}{}}})"
             "\n",
             target.name, units, cpu.count(), wall.count(), percentiles(workload.latencies()));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Traffic for one or more servers on 127.0.0.1, slice by slice in turn."};
  app.add_option("kind", options.kind)->required()->check(CLI::IsMember({"echo", "fanout", "http", "connect", "idle"}));
  app.add_option("--target", options.targets, "NAME,PORT,PROCESS; may be repeated")->required();
  app.add_option("--slices", options.slices, "slices for each target")->check(CLI::Range(1, 1000));
  app.add_option("--slice-ms", options.slice_ms)->check(CLI::Range(10, 10'000));
  app.add_option("--path", options.load.path, "of the WebSocket upgrade");
  app.add_option("--text", options.load.text, "the message, or the whole HTTP request");
  app.add_option("--expect", options.load.expected, "how every answer begins");
  app.add_option("--connections", options.load.connections)->check(CLI::Range(1, 10'000));
  app.add_option("--subscribers", options.load.subscribers)->check(CLI::Range(1, 10'000));
  app.add_option("--in-flight", options.load.in_flight)->check(CLI::Range(1, 1'000));
  app.add_option("--payload-bytes", options.load.payload_bytes)->check(CLI::Range(12, 60'000));
  app.add_option("--subscribe", options.load.subscribe, "the topic or pattern of all subscribers");
  app.add_option("--patterns", options.load.patterns, "that match nothing")->check(CLI::Range(0, 100'000));
  app.add_option("--changes", options.load.changes, "of subscriptions, a second")->check(CLI::Range(0, 100'000));
  app.add_option("--tokens", options.tokens, "a file with one on each line")->check(CLI::ExistingFile);
  app.add_option("--requests", options.requests, "http: NAME,FILE of one target; each ends with a zero byte");
  app.add_option("--order", options.order, "http: of the requests")->check(CLI::IsMember({"again", "once", "renew"}));
  app.add_option("--rate", options.load.rate, "http: requests a second")->check(CLI::Range(0, 1'000'000));
  app.add_flag("--any-status", options.load.any_status, "http: an answer other than 200 is one, too");
  try {
    app.parse(argc, argv);
    raise_descriptor_limit();
    std::ifstream tokens{options.tokens};
    for (std::string token; std::getline(tokens, token);) options.load.tokens.push_back(token);
    if (options.kind == "idle") {
      hold_idle(parse_target(options.targets.at(0)), options.load);
      return 0;
    }
    std::vector<Target> targets;
    std::vector<std::unique_ptr<Workload>> workloads;
    for (const auto& text : options.targets) targets.push_back(parse_target(text));
    for (const auto& text : options.requests) read_requests(text, targets);
    if (options.order == "once") options.load.order = RequestOrder::once;
    if (options.order == "renew") options.load.order = RequestOrder::renew;
    for (const auto& target : targets) workloads.push_back(make(options, target));
    for (std::size_t slice = 0; slice <= options.slices; ++slice) {  // the first one warms caches and is not told
      for (std::size_t i = 0; i < targets.size(); ++i) {
        run_slice(*workloads[i], targets[i], std::chrono::milliseconds{options.slice_ms}, slice > 0);
      }
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
}
