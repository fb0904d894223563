// DatabaseSession: the actor that owns one session of a database and sees to it that no core
// waits for its work.
//
// Pieces of work queue here while earlier ones run, on the blocking pool or on a stack of their
// own beside the core's (session.h, SessionHome); then all that have come meanwhile run together,
// in one transaction and with one sync to the disk (group commit). Nobody is answered before that
// transaction has ended. A session that failed is opened anew by the next batch; where the engine
// asks for a pause after an attempt in vain, pieces fail at once until it is over, or until another
// session of the same database gets through: who reads is not turned away when who writes is not.
//
// While a database beyond a network cannot be used, the session that writes tries it once a second, also when nobody
// wants to write: an engine may let nobody read before somebody could. It is the one that logs the beginning of such a
// time and its end; the sessions that read tell it what they meet.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/published.h"
#include "troupe/store/session.h"

namespace troupe::store {

/// What came of a piece of work: null, or the exception that it or its transaction ended with.
struct WorkDone {
  std::exception_ptr failure;
};

struct RunWork {
  Work work;
  using reply = WorkDone;
};

enum class SessionRole : std::uint8_t { writer, reader };

/// Each time that a session of one database is opened it is published for all of them: how often is its version.
struct Opened {};
using Openings = base::Published<Opened>;

class DatabaseSession {
 public:
  static constexpr std::string_view actor_type = "DatabaseSession";
  static constexpr bool interleaves = true;  // pieces queue while others run
  static constexpr base::Duration try_every = std::chrono::seconds{1};

  /// `writer` is the session that writes to the same database; null for itself. `next` takes over what waits behind a
  /// batch that takes long; null: it waits. `first` is used before any other is opened; it may be null.
  DatabaseSession(std::shared_ptr<Engine> engine, SessionRole role, Openings openings,
                  actor::Ref<DatabaseSession> writer = {}, actor::Ref<DatabaseSession> next = {},
                  const OpenSession& first = {});

  void handle(RunWork message, actor::Reply<WorkDone> reply, actor::Context& context);
  void inspect(actor::Inspection& out) const;

  /// Told by itself: runs what has queued until nothing is left.
  struct RunQueue {};
  actor::Task<void> handle(RunQueue message, actor::Context& context);

  /// Told by itself while something waits: looks whether what runs takes long.
  struct LookAtBatch {};
  void handle(LookAtBatch message, actor::Context& context);

  /// Told by the reader before: what has waited there.
  struct TakeOver;
  void handle(TakeOver message, actor::Context& context);

  /// Told to who writes, by itself and by those who read: tries whether the database can be used.
  struct TryWriting {};
  void handle(TryWriting message, actor::Context& context);

 private:
  struct Waiting {
    Work work;
    actor::Reply<WorkDone> reply;
  };
  /// The session, opened by the first job that needs it; jobs run one at a time.
  struct Held;

  void enqueue(Waiting waiting, actor::Context& context);
  void pass_on(actor::Context& context);
  std::vector<Waiting> next_batch();
  actor::Task<Outcomes> run_batch(std::vector<Work> pieces);
  actor::Task<void> open_on_core();
  bool pauses() const;
  void pause_opening();
  void note_whether_usable(actor::Context& context);
  void log_outage(const std::string& reason, base::Instant now);

  Openings openings_;
  const base::PublishedReader<Opened> openings_of_all_ = openings_.reader();
  std::shared_ptr<Held> held_;
  const actor::Ref<DatabaseSession> writer_;
  const actor::Ref<DatabaseSession> next_;
  std::vector<Waiting> queue_;
  bool is_running_ = false;
  bool looks_at_batch_ = false;  // a LookAtBatch is under way
  base::Instant batch_began_;    // of what runs
  std::int64_t pieces_run_ = 0;
  std::int64_t batches_run_ = 0;
  std::int64_t opened_ = 0;
  base::Instant opens_from_;         // the end of the present pause
  std::uint64_t openings_then_ = 0;  // before the last attempt
  base::Duration pause_{};           // the next one; zero: the last attempt succeeded
  std::exception_ptr why_not_open_;  // what the last attempt failed with
  std::optional<base::Instant> unusable_since_;
  base::Instant writer_told_at_ = base::Instant{} - try_every;
};

struct DatabaseSession::TakeOver {
  explicit TakeOver(std::vector<Waiting> those) noexcept : waiting(std::move(those)) {}
  TakeOver(TakeOver&&) = default;  // who waits is there once
  std::vector<Waiting> waiting;
};

}  // namespace troupe::store
