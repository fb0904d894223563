// Database: reading and writing as coroutines.
//
//   auto name = co_await db.read([id](Transaction& t) { return t.first("SELECT ...", {id}, ...); });
//   co_await db.write([row](Transaction& t) { t.run("INSERT ...", {...}); });
//
// The function runs on a thread for blocking work, so it owns what it captures. When `write`
// comes back, what it did is on the disk; when the function throws, or the transaction fails,
// nothing of it happened and the exception comes out of the await. A Database is a small value
// that may be copied to any core.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/actor/unhurried.h"
#include "troupe/store/database_session.h"

namespace troupe::store {

struct DatabaseOptions {
  int readers = 2;  // the first one reads; each next takes over what waits where that takes long, as a slow query does
};

class Database {
 public:
  template <class F>
  using Result = std::invoke_result_t<const F&, Transaction&>;  // constant: it may have to run again

  Database() = default;

  /// Starts the sessions of `engine` as children of `where`: a System, a Context or a test::World. Who writes goes on
  /// with `first`, a session of that engine, if any.
  template <class Where>
  static Database start(Where& where, std::shared_ptr<Engine> engine, const DatabaseOptions& options = {},
                        std::unique_ptr<Session> first = nullptr) {
    Database database;
    const Openings openings;
    database.writer_ = where.template spawn<DatabaseSession>(
        session_options("database_writer"), engine, SessionRole::writer, openings, actor::Ref<DatabaseSession>{},
        actor::Ref<DatabaseSession>{}, std::make_shared<std::unique_ptr<Session>>(std::move(first)));
    if (!engine->reads_beside_writer()) return database;
    // The last one first: each takes over from the one before it.
    for (int i = 0; i < options.readers; ++i)
      database.reader_ =
          where.template spawn<DatabaseSession>(session_options("database_reader"), engine, SessionRole::reader,
                                                openings, database.writer_, database.reader_);
    return database;
  }

  /// Runs `work` in a transaction, together with others that are waiting. Throws what `work` throws, or store::Error.
  /// A handler that writes is not ended because its asker has gone: what follows from the write is done, too, up to
  /// the handler's next await.
  template <class F>
  actor::Task<Result<F>> write(F work) const {
    need_moving<F>();
    return run_to_the_end(writer_, std::move(work));
  }

  /// Runs `work` on a consistent view; what was written before the call is in it. It must not write.
  template <class F>
  actor::Task<Result<F>> read(F work) const {
    need_moving<F>();
    return run(reader_ ? reader_ : writer_, std::move(work));
  }

 private:
  /// Work is handed on several times on its way to the thread that runs it.
  template <class F>
  static consteval void need_moving() {
    static_assert(
        std::is_nothrow_move_constructible_v<F>,
        "this work for the database is copied wherever it is moved: `[event]` of a `const Event event` makes a "
        "constant of it inside the lambda; capture `event = std::move(event)` of one that is no constant");
  }

  using SessionRef = actor::Ref<DatabaseSession>;

  static actor::ActorOptions session_options(const char* name) { return {.name = name, .mailbox = {.capacity = 8192}}; }
  static void raise(const WorkDone& done);
  [[noreturn]] static void raise(actor::Outcome outcome, const std::string& what);

  /// Where the result waits: written on the blocking thread, read after its answer has come back.
  template <class R>
  struct Slot {
    std::optional<R> value;
  };

  template <class F>
  static actor::Task<Result<F>> run_to_the_end(SessionRef session, F work) {
    const actor::Unhurried unhurried;
    if constexpr (std::is_void_v<Result<F>>) {
      co_await run(session, std::move(work));
    } else {
      Result<F> result = co_await run(session, std::move(work));
      co_return result;
    }
  }

  template <class F>
  static actor::Task<Result<F>> run(SessionRef session, F work) {
    using R = Result<F>;
    constexpr actor::AskOptions patience{.within = std::chrono::seconds{10}};
    if constexpr (std::is_void_v<R>) {
      auto done = co_await session.ask(RunWork{Work{std::move(work)}}, patience);
      if (!done) raise(done.error().outcome, done.error().what);
      raise(*done);
    } else {
      auto slot = std::make_shared<Slot<R>>();
      Work piece = [slot, work = std::move(work)](Transaction& transaction) { slot->value = work(transaction); };
      auto done = co_await session.ask(RunWork{std::move(piece)}, patience);
      if (!done) raise(done.error().outcome, done.error().what);
      raise(*done);
      co_return std::move(*slot->value);
    }
  }

  SessionRef writer_;
  SessionRef reader_;  // null: who writes reads, too
};

}  // namespace troupe::store
