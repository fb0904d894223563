// See explore.h.
#include "troupe/actor/sim/explore.h"

#include <fmt/format.h>

#include <algorithm>
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

/// The whole text as a number; what else it is is a mistake of who set `name`.
std::uint64_t number_of(const char* name, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument(fmt::format("{} is no number: {}", name, text));
  }
  return number;
}

/// One seed of one exploration: "77" of a test's first, "77/2" of its second.
struct Replay {
  std::uint64_t seed = 0;
  std::size_t exploration = 1;
};

std::optional<Replay> replay_in_environment() {
  const char* text = std::getenv("TROUPE_SEED");
  if (text == nullptr) return std::nullopt;
  const std::string_view view{text};
  const auto slash = view.find('/');
  Replay replay{.seed = number_of("TROUPE_SEED", view.substr(0, slash))};
  if (slash != std::string_view::npos) replay.exploration = number_of("TROUPE_SEED", view.substr(slash + 1));
  if (replay.exploration == 0)
    throw std::invalid_argument(fmt::format("TROUPE_SEED: a test's first exploration is 1: {}", view));
  return replay;
}

/// Who names an exploration that no test of this process has come to is told so at its end, or would take the silence
/// for a seed under which nothing goes wrong.
class Unreplayed {
 public:
  /// Whether this exploration, of such a number, is the one that is meant.
  bool is_meant(const Replay& replay, std::size_t number) {
    most_ = std::max(most_, number);
    meant_ = replay;
    const bool is_it = replay.exploration == number;
    found_ |= is_it;
    return is_it;
  }
  ~Unreplayed() {
    if (found_ || most_ == 0) return;
    std::fputs(fmt::format("\nTROUPE_SEED={}/{} ran nothing: no test that ran here explores more often than {}\n",
                           meant_.seed, meant_.exploration, most_ == 1 ? "once" : fmt::format("{} times", most_))
                   .c_str(),
               stderr);
  }

 private:
  Replay meant_;
  std::size_t most_ = 0;
  bool found_ = false;
};

/// The command that runs this seed alone, in the binary that found it, whatever directory it is given in.
std::string command_for(std::uint64_t seed) {
  const Checks& test = checks();
  std::string text = fmt::format("TROUPE_SEED={}", seed);
  if (test.explorations > 1) text += fmt::format("/{}", test.explorations);
  std::error_code none;
  text += " " + std::filesystem::read_symlink("/proc/self/exe", none).string();
  std::string name;  // without what a shell or doctest would take apart
  for (const char c : test.test_name) name += std::string_view{",\"\\$`!"}.contains(c) ? '?' : c;
  if (!name.empty()) text += fmt::format(" -tc=\"{}\"", name);
  if (test.test_is_skipped) text += " --no-skip";
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

/// For who wants to know how many there were (`./dev prove`): a line is added to the file that the environment names.
void note_schedules(std::size_t count) {
  const char* path = std::getenv("TROUPE_SCHEDULES");
  if (path == nullptr) return;
  std::FILE* file = std::fopen(path, "a");
  if (file == nullptr) throw std::invalid_argument(fmt::format("TROUPE_SCHEDULES cannot be written: {}", path));
  fmt::print(file, "{} {}\n", count, checks().test_name);
  std::fclose(file);
}

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

void explore(const ExploreOptions& options, const std::function<void(Seed)>& scenario,
             const std::function<void()>& over_all) {
  INVARIANT(options.schedules > 0, "an exploration of no schedule shows nothing: give it one at least");
  const Exploration exploration;
  ++checks().explorations;
  if (const auto replay = replay_in_environment()) {
    static Unreplayed unreplayed;
    if (unreplayed.is_meant(*replay, checks().explorations)) explore_seed(replay->seed, true, scenario);
    return;
  }
  std::uint64_t first = options.first_seed;
  std::size_t count = options.schedules;
  if (const char* slice = std::getenv("TROUPE_SLICE")) {
    first += number_of("TROUPE_SLICE", slice) * 1'000'000;  // no two slices share a seed
    count = std::max(count, options.schedules_proof);
  }
  for (std::size_t i = 0; i < count; ++i) explore_seed(first + i, false, scenario);  // also past the largest number
  note_schedules(count);
  if (over_all) over_all();
}

void detail::explore_world(const ExploreOptions& options, const std::function<void(World&)>& scenario,
                           const std::function<void()>& over_all) {
  const auto in_world = [&](Seed seed) {
    World world{seed, options.world};
    scenario(world);
    world.advance(options.settle);
    if (options.open_asks || world.open_asks() == 0) return;
    throw ExploreFailure(fmt::format("{} asks have no outcome", world.open_asks()));
  };
  explore(options, std::function<void(Seed)>{in_world}, over_all);
}

}  // namespace troupe::actor::test
