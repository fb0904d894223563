// See explore.h.
#include "troupe/actor/sim/explore.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "troupe/actor/sim/checks.h"
#include "troupe/base/check.h"

// The sanitizers' runtime has it; without one it is null.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace troupe::actor::test {
namespace {

/// The run under way, for the last words of a process that dies in it.
struct Run {
  std::uint64_t seed = 0;
  bool exploring = false;
};
Run current_run;
std::vector<Trace*> watched;

std::optional<std::uint64_t> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  const std::string_view view{text};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
  if (error != std::errc{} || end != view.data() + view.size()) {
    throw std::invalid_argument(fmt::format("{} is no number: {}", name, view));
  }
  return number;
}

/// The command that runs this seed alone, in the binary that found it.
std::string command_for(std::uint64_t seed) {
  std::error_code none;
  const auto binary = std::filesystem::proximate(std::filesystem::read_symlink("/proc/self/exe", none), none);
  std::string text = fmt::format("TROUPE_SEED={} {}", seed, binary.string());
  std::string name;
  for (const char c : checks().test_name) name += c == ',' || c == '"' ? '?' : c;  // what doctest would take apart
  if (!name.empty()) text += fmt::format(" -tc=\"{}\"", name);
  return text;
}

std::string_view name_of(Schedule schedule) { return schedule == Schedule::priorities ? "priorities" : "random walk"; }

/// A third of the schedules are by priorities: they cost the same and find other things.
Schedule schedule_of(std::uint64_t seed) { return seed % 3 == 0 ? Schedule::priorities : Schedule::random_walk; }

void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

std::string report(std::uint64_t seed, const Trace& trace, std::string_view why) {
  return fmt::format("\nseed {} ({}), {} steps: {}\n{}repeat it with:  {}\n", seed, name_of(schedule_of(seed)),
                     trace.size(), why, trace.chart(), command_for(seed));
}

/// A process that dies says where its simulated run was.
void last_words() {
  if (watched.empty()) return;
  const Trace& trace = *std::exchange(watched, {}).back();
  if (current_run.exploring) {
    say(report(current_run.seed, trace, "the process dies"));
  } else {
    say(fmt::format("\nthe last steps of the simulated run:\n{}", trace.chart()));
  }
}

struct Exploration {
  ~Exploration() { current_run = {}; }
};

/// One run of a seed; what goes wrong in it is printed and thrown on.
void run(std::uint64_t seed, Trace& trace, const std::function<void(Seed)>& scenario) {
  current_run = {.seed = seed, .exploring = true};
  const std::size_t failed_before = checks().failed;
  Seed given{seed};
  given.schedule = schedule_of(seed);
  given.trace = &trace;
  std::string why;
  try {
    scenario(given);
  } catch (const std::exception& error) {
    say(report(seed, trace, error.what()));
    throw;
  } catch (...) {  // doctest's way to end a test whose requirement does not hold
    say(report(seed, trace, "a requirement does not hold"));
    throw;
  }
  if (checks().failed == failed_before) return;
  say(report(seed, trace, "a check has failed"));
  throw ExploreFailure(fmt::format("a check has failed under seed {}", seed));
}

void explore_seed(std::uint64_t seed, bool show, const std::function<void(Seed)>& scenario) {
  Trace first;
  run(seed, first, scenario);
  Trace second;
  run(seed, second, scenario);
  if (show) say(report(seed, second, "nothing went wrong"));
  if (first.fingerprint() == second.fingerprint()) return;
  const std::size_t at = Trace::first_difference(first, second).value_or(0);
  std::string why = "the second run differs from the first, so something in it does not come from the seed\n";
  why += fmt::format("first run:\n{}", at < first.size() ? first.line(at) : std::string{"      (it has ended)\n"});
  why += fmt::format("second run:\n{}", at < second.size() ? second.line(at) : std::string{"      (it has ended)\n"});
  say(report(seed, second, why));
  throw ExploreFailure(fmt::format("seed {} does not repeat: the runs differ at step {}", seed, at));
}

}  // namespace

void detail::watch(Trace& trace) {
  static const bool installed = [] {
    base::on_broken_invariant(last_words);
    checks().on_failure = [] {
      if (!watched.empty()) watched.back()->mark();
    };
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(last_words);
    return true;
  }();
  (void)installed;
  watched.push_back(&trace);
}

void detail::unwatch(const Trace& trace) noexcept {
  const auto at = std::ranges::find(watched, &trace);
  if (at != watched.end()) watched.erase(at);
}

void explore(const ExploreOptions& options, const std::function<void(Seed)>& scenario) {
  const Exploration exploration;
  if (const auto seed = number_in_environment("TROUPE_SEED")) {
    explore_seed(*seed, true, scenario);
    return;
  }
  std::uint64_t first = options.first_seed;
  std::size_t count = options.schedules;
  if (const auto slice = number_in_environment("TROUPE_SLICE")) {
    first += *slice * 1'000'000;  // no two slices share a seed
    count = std::max(count, options.schedules_proof);
  }
  for (std::uint64_t seed = first; seed < first + count; ++seed) explore_seed(seed, false, scenario);
}

void detail::explore_world(const ExploreOptions& options, const std::function<void(World&)>& scenario) {
  explore(options, std::function<void(Seed)>{[&](Seed seed) {
            World world{seed, options.world};
            scenario(world);
            world.advance(options.settle);
            if (options.open_asks || world.open_asks() == 0) return;
            throw ExploreFailure(fmt::format("{} asks have no outcome", world.open_asks()));
          }});
}

}  // namespace troupe::actor::test
