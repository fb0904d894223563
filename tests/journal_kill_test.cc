// kill -9 while events are being recorded: what was acknowledged is there afterwards, in order and without gaps.
//
//   journal_kill_test                 kills a child at random moments for about seven seconds; a slice of a proof
//                                     (TROUPE_SLICE, its seed) for about a minute
//   journal_kill_test write FOLDER    the child: records as fast as it can, and prints what was acknowledged
//
// The child is a process of its own, with real cores and a database file; one line, "<entity> <number>", goes into the
// pipe for each event after its answer has come.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>

#include "troupe/actor/persist/event_sourced.h"
#include "troupe/base/check.h"
#include "troupe/base/random.h"
#include "troupe/store/sql_journal.h"
#include "troupe/store/sqlite.h"

namespace {

using namespace troupe;
using namespace std::chrono_literals;

constexpr int entities = 16;

struct Counted {
  std::int64_t number = 0;
};
struct Count {
  std::int64_t last = 0;
};
struct Next {
  using reply = std::int64_t;
};
struct Last {
  using reply = std::int64_t;
};

class Counter : public actor::EventSourced<Count, actor::Events<Counted>> {
 public:
  static constexpr actor::Snapshots snapshots{.every = 20, .keep = 2};
  static Count apply(Count, const Counted& e) noexcept { return {e.number}; }
  actor::Task<std::int64_t> handle(Next) {
    co_await persist(Counted{state().last + 1});
    co_return state().last;
  }
  std::int64_t handle(Last) const { return state().last; }
};

/// A system over the journal in the folder.
struct Process {
  explicit Process(const std::string& folder) {
    const store::SqliteOptions file{.path = folder + "/journal.db"};
    store::migrate(*std::make_unique<store::SqliteConnection>(file), store::sql_journal_migrations(), {});
    journal = store::sql_journal(store::Database::start(system, store::sqlite_engine(file)));
    system.provide<actor::Journal>(journal);
  }
  actor::Ref<Counter> counter(int entity) {
    return system.spawn<Counter>({.name = std::to_string(entity), .core = entity % 2});
  }
  actor::System system{{.cores = 2}};
  std::shared_ptr<actor::Journal> journal;
};

// ---- the child ----

actor::Task<void> count_on(int entity, actor::Ref<Counter> counter) {
  while (true) {
    auto number = co_await counter.ask(Next{});
    INVARIANT(number.has_value(), "nothing fails here but the process");
    const std::string line = fmt::format("{} {}\n", entity, *number);
    INVARIANT(::write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()),
              "the pipe is there");
  }
}

[[noreturn]] void record_until_killed(const std::string& folder) {
  Process process{folder};
  for (int entity = 0; entity < entities; ++entity) {
    process.system.run_as_guest(count_on(entity, process.counter(entity)));
  }
  while (true) pause();
}

// ---- the parent ----

using Acknowledged = std::map<int, std::int64_t>;

/// Starts a child and kills it `after` its first line. Gives all that it printed.
std::string run_and_kill(const std::string& folder, std::chrono::microseconds after) {
  int ends[2];
  INVARIANT(::pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl("/proc/self/exe", "journal_kill_test", "write", folder.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  pollfd first{.fd = ends[0], .events = POLLIN, .revents = 0};
  INVARIANT(::poll(&first, 1, 60'000) == 1, "a child records something within a minute");
  const timespec wait{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds{after}.count()};
  ::nanosleep(&wait, nullptr);
  // Its pipe may be full by now, and it wait for room; then all the better, its last event was recorded and not told.
  ::kill(child, SIGKILL);
  std::string printed;
  char part[64 * 1024];
  for (ssize_t n = 0; (n = ::read(ends[0], part, sizeof part)) > 0;) printed.append(part, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  INVARIANT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the child ran until it was killed");
  return printed;
}

std::size_t note(std::string_view printed, Acknowledged& acknowledged) {
  std::size_t lines = 0;
  for (std::size_t end = printed.find('\n'); end != std::string_view::npos; end = printed.find('\n')) {
    int entity = 0;
    std::int64_t number = 0;
    const auto space = std::from_chars(printed.data(), printed.data() + end, entity);
    std::from_chars(space.ptr + 1, printed.data() + end, number);
    INVARIANT(number == acknowledged[entity] + 1, "an entity counts on by one, from one child to the next");
    acknowledged[entity] = number;
    printed.remove_prefix(end + 1);
    ++lines;
  }
  return lines;
}

/// Every event of the entity, read one by one and replayed by its actor, against what its askers were told.
void check(Process& process, int entity, std::int64_t& acknowledged) {
  const actor::PersistenceId id{"Counter/" + std::to_string(entity)};
  std::int64_t last = 0;
  while (true) {
    const auto page = process.system.block_on(process.journal->read(id, last, 500));
    if (page.empty()) break;
    for (const actor::StoredEvent& stored : page) {
      INVARIANT(stored.sequence == ++last, "events are there without a gap");
      INVARIANT(actor::decode<Counted>(stored.event.bytes).number == last, "events are there in their order, once");
    }
  }
  INVARIANT(last >= acknowledged, "what was acknowledged is there");
  INVARIANT(last <= acknowledged + 1, "and nothing else, but what was not answered yet");
  const auto replayed = process.system.block_on(process.counter(entity).ask(Last{}));
  INVARIANT(replayed.value() == last, "a replay with snapshots finds the same");
  acknowledged = last;  // it is known by now, and must not vanish
}

int kill_and_check() {
  const char* slice = ::getenv("TROUPE_SLICE");
  std::uint64_t seed = 1;
  if (slice != nullptr) std::from_chars(slice, slice + std::string_view{slice}.size(), seed);
  base::SeededRandom random{seed};
  base::Clock& clock = base::system_clock();
  const base::Instant end = clock.now() + (slice != nullptr ? 60s : 7s);

  std::string folder = std::filesystem::temp_directory_path() / "troupe-kill-XXXXXX";
  INVARIANT(::mkdtemp(folder.data()) != nullptr, "a folder can be made");
  Acknowledged acknowledged;
  std::size_t events = 0;
  int kills = 0;
  while (clock.now() < end) {
    const std::chrono::microseconds after{random.below(random.below(2) == 0 ? 5'000 : 150'000)};
    events += note(run_and_kill(folder, after), acknowledged);
    ++kills;
    Process process{folder};
    for (int entity = 0; entity < entities; ++entity) check(process, entity, acknowledged[entity]);
    process.system.shutdown();
  }
  std::filesystem::remove_all(folder);
  fmt::print("killed {} times; all of {} acknowledged events are there\n", kills, events);
  INVARIANT(kills >= 3 && events > 100, "it was killed, and it had recorded something");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && std::string_view{arguments[1]} == "write") record_until_killed(arguments[2]);
  return kill_and_check();
}
