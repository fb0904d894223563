// See database_session.h.
#include "troupe/store/database_session.h"

#include <iterator>

#include "troupe/base/log.h"
#include "troupe/store/core_wait.h"

namespace troupe::store {
namespace {

constexpr std::size_t queue_max = 4096;  // about a second of writes; who comes later is told to come again
constexpr std::size_t batch_max = 256;   // a commit's sync is spread thin by then, and nobody waits much longer
constexpr std::chrono::milliseconds long_batch{1};  // a hundred reads take less

std::exception_ptr no_thread() {
  return std::make_exception_ptr(Error{Failure::busy, 0, "too much waits for the threads of the database"});
}

/// Why the database cannot be used, where a batch as a whole has failed with that. One that is busy can be used.
std::optional<std::string> outage_in(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.failure() == Failure::unavailable || error.failure() == Failure::unknown) return error.what();
  } catch (...) {
    return std::nullopt;  // ours, not the database's
  }
  return std::nullopt;
}

/// A file is there or it is not; what lies beyond a network comes back by itself.
bool is_worth_trying(const Engine& engine) { return engine.reopen_pause().max > base::Duration::zero(); }

}  // namespace

struct DatabaseSession::Held {
  std::shared_ptr<Engine> engine;
  SessionRole role;
  CoreWait wait{};  // of a session whose home is the core
  std::unique_ptr<Session> session{};
  std::exception_ptr failure{};  // of the last batch, as a whole

  /// Answers every piece and never throws.
  Outcomes run(const std::vector<Work>& pieces) {
    try {
      if (!session) session = engine->open();
      Outcomes outcomes = role == SessionRole::writer ? session->write(pieces) : session->read(pieces);
      failure = nullptr;
      return outcomes;
    } catch (...) {
      failure = std::current_exception();
      // A connection that failed is not trusted with the next batch, unless it knows better.
      if (engine->home() == SessionHome::blocking_pool || !session->is_usable()) session.reset();
      return Outcomes(pieces.size(), failure);
    }
  }
};

namespace {

/// Runs a batch on the fiber of `Held`, and lets the handler wait for it. An actor that ends meanwhile cancels it.
template <class Held>
class OnFiber : public actor::detail::JobAwaiter<Outcomes> {
 public:
  OnFiber(std::shared_ptr<Held> held, std::vector<Work> pieces) : held_(std::move(held)), pieces_(std::move(pieces)) {}
  ~OnFiber() { held_->wait.cancel(); }

  void await_suspend(std::coroutine_handle<> frame) {
    auto state = begin(frame);
    actor::Core& home = *actor::Core::current();
    auto run = [state, held = held_.get(), pieces = std::move(pieces_)] {
      auto work = [&] { return held->run(pieces); };
      state->run(work);
    };
    held_->wait.run(std::move(run), [state, &home] { finished(state, home); });
  }

 private:
  std::shared_ptr<Held> held_;
  std::vector<Work> pieces_;
};

}  // namespace

DatabaseSession::DatabaseSession(std::shared_ptr<Engine> engine, SessionRole role, Openings openings,
                                 actor::Ref<DatabaseSession> writer, actor::Ref<DatabaseSession> next,
                                 const OpenSession& first)
    : openings_(std::move(openings)),
      held_(std::make_shared<Held>(std::move(engine), role)),
      writer_(std::move(writer)),
      next_(std::move(next)) {
  if (!first || !*first) return;
  held_->session = std::move(*first);
  held_->session->wait_by(held_->wait);
}

void DatabaseSession::handle(RunWork message, actor::Reply<WorkDone> reply, actor::Context& context) {
  enqueue({std::move(message.work), std::move(reply)}, context);
}

void DatabaseSession::handle(TakeOver message, actor::Context& context) {
  for (Waiting& waiting : message.waiting) enqueue(std::move(waiting), context);
}

void DatabaseSession::handle(LookAtBatch, actor::Context& context) {
  looks_at_batch_ = false;
  if (is_running_) pass_on(context);
}

void DatabaseSession::handle(TryWriting, actor::Context& context) {
  if (!is_running_) enqueue({[](Transaction&) {}, {}}, context);  // what runs tells as much
}

void DatabaseSession::enqueue(Waiting waiting, actor::Context& context) {
  if (queue_.size() >= queue_max) {
    waiting.reply.set({std::make_exception_ptr(Error{Failure::busy, 0, "the database's queue is full"})});
    return;
  }
  queue_.push_back(std::move(waiting));
  if (is_running_) return pass_on(context);
  is_running_ = true;
  batch_began_ = context.now();
  if (context.self(this).tell(RunQueue{}) != actor::Sent::sent)
    context.after(this, std::chrono::milliseconds{1}, RunQueue{});
}

/// Hands what waits to the next reader, as soon as what runs has taken long.
void DatabaseSession::pass_on(actor::Context& context) {
  if (!next_ || queue_.empty() || looks_at_batch_) return;
  const base::Duration rest = batch_began_ + long_batch - context.now();
  if (rest <= base::Duration::zero()) {
    next_.tell(TakeOver{std::exchange(queue_, {})});
    return;
  }
  looks_at_batch_ = true;
  context.after(this, rest, LookAtBatch{});
}

std::vector<DatabaseSession::Waiting> DatabaseSession::next_batch() {
  if (queue_.size() <= batch_max) return std::exchange(queue_, {});
  const auto end = queue_.begin() + batch_max;
  std::vector<Waiting> batch{std::make_move_iterator(queue_.begin()), std::make_move_iterator(end)};
  queue_.erase(queue_.begin(), end);
  return batch;
}

actor::Task<void> DatabaseSession::handle(RunQueue, actor::Context& context) {
  while (!queue_.empty()) {
    std::vector<Waiting> batch = next_batch();
    std::vector<Work> pieces;
    for (Waiting& waiting : batch) pieces.push_back(std::move(waiting.work));
    pieces_run_ += std::ssize(batch);
    ++batches_run_;
    batch_began_ = context.now();
    Outcomes outcomes = co_await run_batch(std::move(pieces));
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].reply.set({outcomes[i]});
    note_whether_usable(context);
  }
  is_running_ = false;
}

actor::Task<Outcomes> DatabaseSession::run_batch(std::vector<Work> pieces) {
  const std::size_t count = pieces.size();
  if (held_->engine->home() == SessionHome::blocking_pool) {
    try {
      Outcomes outcomes =
          co_await actor::blocking([held = held_, pieces = std::move(pieces)] { return held->run(pieces); });
      co_return outcomes;
    } catch (const actor::OffloadFull&) {
      co_return Outcomes(count, no_thread());
    }
  }
  if (!held_->session || !held_->session->is_usable()) co_await open_on_core();
  if (!held_->session) {
    held_->failure = why_not_open_;
    co_return Outcomes(count, why_not_open_);
  }
  Outcomes outcomes = co_await OnFiber<Held>{held_, std::move(pieces)};
  co_return outcomes;
}

/// Names are looked up, and handshakes made, on the blocking pool; then the session comes here. None: it failed.
actor::Task<void> DatabaseSession::open_on_core() {
  held_->session.reset();
  if (pauses()) co_return;
  openings_then_ = openings_of_all_.version();
  try {
    auto session = co_await actor::blocking([engine = held_->engine] { return engine->open(); });
    session->wait_by(held_->wait);
    held_->session = std::move(session);
    pause_ = base::Duration::zero();
    ++opened_;
    openings_.publish(Opened{});
  } catch (const actor::OffloadFull&) {
    why_not_open_ = no_thread();
  } catch (...) {
    why_not_open_ = std::current_exception();
    pause_opening();
  }
}

bool DatabaseSession::pauses() const {
  if (pause_ == base::Duration::zero() || actor::Core::current()->now() >= opens_from_) return false;
  return openings_of_all_.version() == openings_then_;
}

void DatabaseSession::pause_opening() {
  const ReopenPause pause = held_->engine->reopen_pause();
  pause_ = std::clamp(2 * pause_, pause.min, pause.max);
  actor::Core& core = *actor::Core::current();
  // Several servers that lost the same database do not come back to it at the same moment.
  const auto jitter = static_cast<std::int64_t>(core.random().unit() * 0.5 * static_cast<double>(pause_.count()));
  opens_from_ = core.now() + pause_ - base::Duration{jitter};
}

void DatabaseSession::note_whether_usable(actor::Context& context) {
  if (!is_worth_trying(*held_->engine)) return;
  const base::Instant now = context.now();
  const std::optional<std::string> outage = outage_in(held_->failure);
  if (held_->role == SessionRole::reader) {
    if (!outage || now < writer_told_at_ + try_every) return;
    writer_told_at_ = now;
    writer_.tell(TryWriting{});
    return;
  }
  if (outage) {
    log_outage(*outage, now);
    context.after(this, "try", try_every, TryWriting{});
  } else if (!held_->failure && unusable_since_) {
    const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(now - *unusable_since_);
    base::log::info("store", "the database can be used again", {{"after_ms", after.count()}});
    unusable_since_.reset();
  }
}

void DatabaseSession::log_outage(const std::string& reason, base::Instant now) {
  if (unusable_since_) return;
  unusable_since_ = now;
  base::log::warning("store", "the database cannot be used", {{"reason", reason}});
}

void DatabaseSession::inspect(actor::Inspection& out) const {
  out.add("role", held_->role == SessionRole::writer ? "writer" : "reader");
  out.add("queued", static_cast<std::int64_t>(queue_.size()));
  out.add("pieces", pieces_run_);
  out.add("transactions", batches_run_);
  if (held_->engine->home() == SessionHome::core) out.add("connections", opened_);
}

}  // namespace troupe::store
