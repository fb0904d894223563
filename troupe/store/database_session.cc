// See database_session.h.
#include "troupe/store/database_session.h"

#include <iterator>

namespace troupe::store {
namespace {

constexpr std::size_t queue_max = 4096;  // about a second of writes; who comes later is told to come again
constexpr std::size_t batch_max = 256;   // a commit's sync is spread thin by then, and nobody waits much longer

}  // namespace

struct DatabaseSession::Held {
  std::shared_ptr<Engine> engine;
  SessionRole role;
  std::unique_ptr<Session> session;

  /// Runs on a thread of the blocking pool; answers every piece and never throws.
  Outcomes run(const std::vector<Work>& pieces) {
    try {
      if (!session) session = engine->open();
      return role == SessionRole::writer ? session->write(pieces) : session->read(pieces);
    } catch (...) {
      session.reset();  // a connection that failed is not trusted with the next batch
      return Outcomes(pieces.size(), std::current_exception());
    }
  }
};

DatabaseSession::DatabaseSession(std::shared_ptr<Engine> engine, SessionRole role)
    : held_(std::make_shared<Held>(std::move(engine), role)) {}

void DatabaseSession::handle(RunWork message, actor::Reply<WorkDone> reply, actor::Context& context) {
  if (queue_.size() >= queue_max) {
    reply.set({std::make_exception_ptr(Error{Failure::busy, 0, "the database's queue is full"})});
    return;
  }
  queue_.push_back({std::move(message.work), std::move(reply)});
  if (is_running_) return;
  is_running_ = true;
  if (context.self(this).tell(RunQueue{}) != actor::Sent::sent)
    context.after(this, std::chrono::milliseconds{1}, RunQueue{});
}

std::vector<DatabaseSession::Waiting> DatabaseSession::next_batch() {
  if (queue_.size() <= batch_max) return std::exchange(queue_, {});
  const auto end = queue_.begin() + batch_max;
  std::vector<Waiting> batch{std::make_move_iterator(queue_.begin()), std::make_move_iterator(end)};
  queue_.erase(queue_.begin(), end);
  return batch;
}

actor::Task<void> DatabaseSession::handle(RunQueue) {
  while (!queue_.empty()) {
    std::vector<Waiting> batch = next_batch();
    std::vector<Work> pieces;
    for (Waiting& waiting : batch) pieces.push_back(std::move(waiting.work));
    pieces_run_ += std::ssize(batch);
    ++batches_run_;
    Outcomes outcomes =
        co_await actor::blocking([held = held_, pieces = std::move(pieces)] { return held->run(pieces); });
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].reply.set({outcomes[i]});
  }
  is_running_ = false;
}

void DatabaseSession::inspect(actor::Inspection& out) const {
  out.add("role", held_->role == SessionRole::writer ? "writer" : "reader");
  out.add("queued", static_cast<std::int64_t>(queue_.size()));
  out.add("pieces", pieces_run_);
  out.add("transactions", batches_run_);
}

}  // namespace troupe::store
