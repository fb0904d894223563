// Trace: what happened in a simulated run, step by step: its fingerprint, and a chart that a person can read.
//
// A World writes it. Under `explore` it keeps every step, so that two runs can be compared
// to the first step in which they differ; elsewhere it keeps the last ones alone, in memory
// taken once, for the chart of a run that goes wrong.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/observer.h"

namespace troupe::actor::test {

/// What became of a step. `waits`: the handler is suspended at an await. Above `ended`: the reasons of a drop.
enum class StepOutcome : std::uint8_t { open, handled, waits, went_on, threw, ended, dropped };

struct TraceStep {
  Instant at;
  ActorId from;  // zero: no actor sent it
  ActorId to;
  std::string_view what;  // the message; lives as long as the program
  std::uint8_t core = 0;
  StepKind kind = StepKind::message;
  StepOutcome outcome = StepOutcome::open;
  Drop reason{};  // of a drop

  friend bool operator==(const TraceStep&, const TraceStep&) = default;
};

class Trace {
 public:
  static constexpr std::size_t all = SIZE_MAX;

  /// Keeps the last `kept` steps.
  explicit Trace(std::size_t kept = all);

  /// Gives the number of the step, by which it is changed as long as it is kept.
  std::size_t add(const TraceStep& step);
  TraceStep* find(std::size_t number) noexcept;
  /// The step's final outcome is known: from now on the fingerprint holds it.
  void seal(std::size_t number) noexcept;
  /// Gives an actor the name that the chart shows.
  void name(const Cell& cell);
  /// A line of its own in the chart, at the present place.
  void note(Instant at, std::string_view text);
  /// Here it went wrong: the chart ends at the first such place, whatever the end of the world adds.
  void mark() noexcept {
    if (!marked_) marked_ = next_;
  }

  std::size_t size() const noexcept { return next_; }
  /// A hash over everything that happened; equal runs have equal ones.
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  /// The last steps, one line each: number, virtual time, core, sender -> receiver, message, outcome.
  std::string chart(std::size_t steps_max = 60) const;
  /// An actor's name in the chart; "-" for none.
  std::string name_of(ActorId id) const;
  /// One line of the chart.
  std::string line(std::size_t number) const;
  /// Who took most of the last steps, at most three of them, and with what: for a run that does not end.
  std::string busiest(std::size_t steps_max = 200) const;
  /// Where two traces that keep everything first differ.
  static std::optional<std::size_t> first_difference(const Trace& a, const Trace& b) noexcept;

 private:
  struct Note {
    std::size_t before;  // the number of the step that follows
    Instant at;
    std::string text;
  };
  static constexpr std::size_t notes_max = 64;

  const TraceStep& at(std::size_t number) const noexcept { return steps_[number % steps_.size()]; }
  std::size_t first_kept() const noexcept { return next_ - std::min(next_, steps_.size()); }
  const std::size_t kept_;
  std::vector<TraceStep> steps_;
  std::size_t next_ = 0;
  std::uint64_t fingerprint_ = 0x9e3779b97f4a7c15;
  std::map<ActorId, std::string> names_;
  std::vector<Note> notes_;
  std::optional<std::size_t> marked_;
};

}  // namespace troupe::actor::test
