// See figures.h. Everything here is read at the moment of asking; nothing is kept.
#include "troupe/app/admin/figures.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

/// The fields of /proc/self/stat behind the name in parentheses, which may hold spaces.
std::vector<std::string> process_stat() {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  std::vector<std::string> fields;
  const auto end = line.rfind(')');
  if (end == std::string::npos) return fields;
  std::string field;
  for (const char c : line.substr(end + 2) + " ") {
    if (c != ' ') {
      field += c;
    } else {
      fields.push_back(std::exchange(field, {}));
    }
  }
  return fields;
}

double open_files() {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator at{"/proc/self/fd", error}, end; !error && at != end; at.increment(error)) {
    ++count;
  }
  return static_cast<double>(count);
}

/// How many messages took less than so many nanoseconds, and no less than the bound before it; where there were any.
void write_handling_time(wire::JsonWriter& writer, const actor::HandlingTime& time) {
  writer.begin_object().member("measured", time.count()).member("nanoseconds", time.nanoseconds);
  writer.key("below_ns").begin_object();
  for (std::size_t bucket = 0; bucket < actor::time_buckets; ++bucket) {
    if (time.buckets[bucket] > 0) writer.member(std::to_string(std::uint64_t{64} << bucket), time.buckets[bucket]);
  }
  writer.end_object().end_object();
}

void write_type(wire::JsonWriter& writer, const actor::TypeFigures& figures) {
  writer.begin_object().member("type", figures.type).key("handling_time").begin_array();
  for (const auto& [core, time] : figures.handling_time) {
    writer.begin_object().member("core", core).key("time");
    write_handling_time(writer, time);
    writer.end_object();
  }
  writer.end_array().end_object();
}

void write_actor(wire::JsonWriter& writer, const actor::InspectedActor& actor) {
  writer.begin_object().member("path", actor.path).member("type", actor.type).member("state", actor.state);
  writer.member("core", actor.core).member("handled", actor.handled).member("in_flight", actor.in_flight);
  writer.key("mailbox").begin_object();
  writer.member("depth", actor.mailbox_depth).member("capacity", actor.mailbox_capacity).end_object();
  writer.member("errors", actor.errors).member("restarts", actor.restarts);
  if (actor.handling_time) {
    writer.key("handling_time");
    write_handling_time(writer, *actor.handling_time);
  }
  if (!actor.last_failure.empty()) writer.member("last_failure", actor.last_failure);
  writer.member("idle_ms", std::chrono::duration_cast<std::chrono::milliseconds>(actor.idle).count());
  if (!actor.details.empty()) {
    writer.key("details").begin_object();
    for (const auto& [name, value] : actor.details) writer.member(name, value);
    writer.end_object();
  }
  writer.end_object();
}

/// Every second of the powers of two that a core counts in, from 256 ns to 1 s: a percentile drawn from them may be
/// wrong by four times.
base::Samples::Spread handling_time_of(const actor::HandlingTime& time, base::Labels labels) {
  base::Samples::Spread spread{.name = "troupe_actor_handling_seconds",
                               .help = "Time in handlers until they end or first wait, of one message in 64, by core.",
                               .bounds = {},
                               .counts = {},
                               .sum = static_cast<double>(time.nanoseconds) * 1e-9,
                               .labels = std::move(labels)};
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < actor::time_buckets; ++bucket) {
    count += time.buckets[bucket];
    if (bucket % 2 != 0 || bucket == 0 || bucket > 24) continue;
    spread.bounds.push_back(static_cast<double>(std::uint64_t{64} << bucket) * 1e-9);
    spread.counts.push_back(std::exchange(count, 0));
  }
  spread.counts.push_back(count);
  return spread;
}

}  // namespace

void add_actor_figures(base::Samples& samples, const std::vector<actor::TypeFigures>& figures) {
  for (const actor::TypeFigures& each : figures) {
    const base::Labels type{{"type", std::string{each.type}}};
    const auto count = [&](const char* name, const char* help, std::uint64_t value) {
      samples.counter(name, help, static_cast<double>(value), type);
    };
    samples.gauge("troupe_actors", "Actors alive.", static_cast<double>(each.spawned - each.stopped), type);
    count("troupe_actor_starts_total", "Actors started.", each.spawned);
    count("troupe_actor_messages_total", "Messages handled.", each.handled);
    count("troupe_actor_failures_total", "Messages whose handling failed.", each.failed);
    count("troupe_actor_restarts_total", "Restarts by supervisors.", each.restarted);
    count("troupe_actor_stalls_total", "Times that a core was held too long.", each.stalled);
    count("troupe_actor_cancelled_total", "Handlers ended because nobody waited any more.", each.cancelled);
    for (const auto& [core, time] : each.handling_time) {
      samples.histogram(handling_time_of(time, {{"type", std::string{each.type}}, {"core", std::to_string(core)}}));
    }
    for (std::size_t reason = 0; reason < each.dropped.size(); ++reason) {
      if (each.dropped[reason] == 0) continue;
      samples.counter("troupe_actor_dropped_total", "Messages that were never handled, by reason.",
                      static_cast<double>(each.dropped[reason]),
                      {{"type", std::string{each.type}},
                       {"reason", std::string{actor::name_of(static_cast<actor::Drop>(reason))}}});
    }
  }
}

void add_mailbox_figures(base::Samples& samples, const std::map<std::string, actor::MailboxFigures>& mailboxes) {
  for (const auto& [type, figures] : mailboxes) {
    samples.gauge("troupe_actor_mailbox_messages", "Messages that wait in mailboxes.",
                  static_cast<double>(figures.waiting), {{"type", type}});
    samples.gauge("troupe_actor_mailbox_deepest", "Messages that wait in the mailbox that has most.",
                  static_cast<double>(figures.deepest), {{"type", type}});
  }
}

void add_dead_letter_figures(base::Samples& samples, actor::Host& host) {
  std::uint64_t left_out = 0;
  for (std::size_t i = 0; i < host.core_count(); ++i) left_out += host.core(i).dead_letters_left_out();
  samples.counter("troupe_actor_dead_letters_left_out_total",
                  "Drops that were counted, and told to nobody because too many came at once.",
                  static_cast<double>(left_out));
}

void add_process_figures(base::Samples& samples) {
  const auto stat = process_stat();
  constexpr std::size_t user_ticks = 11, system_ticks = 12, resident_pages = 21;  // proc(5), counted from the state
  if (stat.size() <= resident_pages) return;
  const auto ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  samples.counter("troupe_process_cpu_seconds_total", "Processor time of the process.",
                  (std::stod(stat[user_ticks]) + std::stod(stat[system_ticks])) / ticks_a_second);
  samples.gauge("troupe_process_resident_memory_bytes", "Memory of the process.",
                std::stod(stat[resident_pages]) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  samples.gauge("troupe_process_open_files", "Open file descriptors.", open_files());
}

void add_shutdown_figures(base::Samples& samples, std::span<const actor::PhaseProgress> phases) {
  for (const auto& [name, state, elapsed] : phases) {
    const base::Labels phase{{"phase", name}};
    samples.gauge("troupe_shutdown_phase_state", "0 waiting, 1 running, 2 done, 3 failed, 4 timed out.",
                  static_cast<double>(state), phase);
    samples.gauge("troupe_shutdown_phase_seconds", "How long a phase of the shutdown has taken.",
                  std::chrono::duration<double>(elapsed).count(), phase);
  }
}

std::string tree_json(std::span<const actor::InspectedActor> actors, std::span<const actor::TypeFigures> types) {
  std::string out;
  wire::JsonWriter writer{out};
  writer.begin_object().key("actors").begin_array();
  for (const actor::InspectedActor& actor : actors) write_actor(writer, actor);
  writer.end_array().key("types").begin_array();
  for (const actor::TypeFigures& figures : types) {
    if (!figures.handling_time.empty()) write_type(writer, figures);
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace troupe::app
