// See capacity.h. Limits of memory are those of the machine and of the control groups that we are in.
#include "troupe/app/platform/capacity.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "troupe/app/command/command.h"
#include "troupe/base/log.h"

namespace troupe::app {
namespace {

constexpr std::size_t MiB = 1024 * 1024;

constexpr std::size_t open_files_min = 64;  // databases, a few cores and a few clients
// Besides WebSockets: databases, the cores' own, HTTP requests on their way.
constexpr std::size_t other_files = 1024;
// Of a quiet connection with a subscription; measured: 5.4 KiB. The kernel's buffers of the socket come besides.
constexpr std::size_t connection_bytes = 6 * 1024;
// The process when nobody is there: measured 17 to 24 MiB, and the database's cache.
constexpr std::size_t base_bytes = 64 * MiB;

std::size_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The least memory.max from our control group (version 2) up to the root; in a container the root is its own.
std::optional<std::size_t> control_group_memory() {
  const std::filesystem::path root{"/sys/fs/cgroup"};
  constexpr std::string_view unified = "0::/";  // cgroups(7): the line of version 2
  const std::string groups = text_of("/proc/self/cgroup");
  auto group = root;
  if (const auto at = groups.find(unified); at != std::string::npos) {
    const auto begin = at + unified.size();
    group /= groups.substr(begin, groups.find('\n', begin) - begin);
  }
  std::optional<std::size_t> least;
  for (;; group = group.parent_path()) {
    if (const auto limit = read_limit(text_of(group / "memory.max"))) least = std::min(least.value_or(*limit), *limit);
    if (group == root || !group.has_relative_path()) return least;
  }
}

std::size_t machine_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return 0;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes);
}

std::size_t beyond(std::size_t all, std::size_t others) { return all > others ? all - others : 0; }

}  // namespace

std::optional<std::size_t> read_limit(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  if (error != std::errc{} || (rest != "" && rest != "\n")) return std::nullopt;
  return value;
}

Machine claim_machine() {
  Machine machine{.open_files_max = raise_open_files(), .memory_bytes = machine_memory()};
  if (const auto limit = control_group_memory()) machine.memory_bytes = std::min(machine.memory_bytes, *limit);
  return machine;
}

void refuse_too_few_files(const Machine& machine) {
  if (machine.open_files_max == 0 || machine.open_files_max >= open_files_min) return;
  throw CommandFailed{fmt::format(
      "{} open files are allowed, and a server needs {} at least: raise LimitNOFILE, or the hard limit of `ulimit -n`",
      machine.open_files_max, open_files_min)};
}

Capacity judge(const Machine& machine, const realtime::RealtimeOptions& options, std::size_t cores) {
  const std::size_t wanted = options.connections_max;
  const std::size_t kept_bytes = base_bytes + cores * options.router.topics.history_bytes_max;
  Capacity capacity;
  capacity.open_files_needed = wanted + other_files;
  capacity.memory_bytes_needed = wanted * connection_bytes + kept_bytes;
  capacity.files_suffice = machine.open_files_max >= capacity.open_files_needed;
  capacity.memory_suffices = machine.memory_bytes == 0 || machine.memory_bytes >= capacity.memory_bytes_needed;
  capacity.connections = std::min(wanted, beyond(machine.open_files_max, other_files));
  if (!capacity.memory_suffices) {
    capacity.connections = std::min(capacity.connections, beyond(machine.memory_bytes, kept_bytes) / connection_bytes);
  }
  return capacity;
}

void warn_of_shortage(const Machine& machine, const realtime::RealtimeOptions& options, std::size_t cores) {
  const Capacity capacity = judge(machine, options, cores);
  if (!capacity.files_suffice) {
    base::log::warning("app", "too few open files are allowed for realtime.connections_max",
                       {{"connections_max", options.connections_max},
                        {"connections_possible", beyond(machine.open_files_max, other_files)},
                        {"open_files_max", machine.open_files_max},
                        {"open_files_needed", capacity.open_files_needed},
                        {"raise", "LimitNOFILE, or the hard limit of `ulimit -n`"}});
  }
  if (!capacity.memory_suffices) {
    base::log::warning("app", "too little memory for realtime.connections_max and full histories",
                       {{"connections_max", options.connections_max},
                        {"connections_possible", capacity.connections},
                        {"memory_mib", machine.memory_bytes / MiB},
                        {"memory_mib_needed", capacity.memory_bytes_needed / MiB}});
  }
}

void tell_capacity(const Machine& machine, const realtime::RealtimeOptions& options, std::size_t cores) {
  base::log::info("app", "what this server can hold",
                  {{"connections", judge(machine, options, cores).connections},
                   {"connections_max", options.connections_max},
                   {"open_files_max", machine.open_files_max},
                   {"memory_mib", machine.memory_bytes / MiB}});
  warn_of_shortage(machine, options, cores);
}

}  // namespace troupe::app
