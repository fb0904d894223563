// What a database engine offers to the layer above: sessions that run many pieces of work in
// one transaction, so that all of them share one sync to the disk (group commit).
//
// A session is one connection; one thread uses it at a time, not always the same one. Some hold
// their thread while the database works; those that wait for a socket can be told how (wait_by).
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/store/socket_wait.h"
#include "troupe/store/transaction.h"

namespace troupe::store {

/// A piece of work: runs on a thread for blocking work or on a stack of its own; owns what it captures. It may run more
/// than once, where all that it did before is undone: it leaves no trace but in the transaction and in its own result.
using Work = std::function<void(Transaction&)>;

/// What came of each piece of work, in their order: null, or the exception that it threw.
using Outcomes = std::vector<std::exception_ptr>;

class Session {
 public:
  virtual ~Session() = default;

  /// Runs all pieces in one transaction and commits it. One that throws is undone alone. When this returns, the others
  /// are on the disk; when it throws store::Error, none of them happened.
  virtual Outcomes write(std::span<const Work> pieces) = 0;

  /// Runs all pieces on one consistent view of the database; none may write.
  virtual Outcomes read(std::span<const Work> pieces) = 0;

  /// From now on it waits by `wait`, which outlives it. Only sessions whose home is a core are asked.
  virtual void wait_by(SocketWait&) {}

  /// Whether it is worth another batch. One that is not will not become so again; open another one.
  virtual bool is_usable() noexcept { return true; }

  /// Runs `work` in a transaction of its own, holding the thread; undoes everything when it throws. What `work` gives
  /// comes back.
  template <class F>
  auto transact(F work) {
    using Result = decltype(work(std::declval<Transaction&>()));
    if constexpr (std::is_void_v<Result>) {
      write_alone([&](Transaction& transaction) { work(transaction); });
    } else {
      std::optional<Result> result;
      write_alone([&](Transaction& transaction) { result = work(transaction); });
      return std::move(*result);
    }
  }

 private:
  void write_alone(const Work& work) {
    const std::exception_ptr failure = write({&work, 1}).front();
    if (failure) std::rethrow_exception(failure);
  }
};

/// A session that somebody has opened before, for the first who takes it.
using OpenSession = std::shared_ptr<std::unique_ptr<Session>>;

/// Where the sessions of an engine run their work.
enum class SessionHome : std::uint8_t {
  blocking_pool,  // they hold their thread
  core,           // they wait for a socket, and the core does something else meanwhile
};

/// How long a session that could not be opened is not tried again: from `min`, doubling up to `max`, less a random
/// part.
struct ReopenPause {
  base::Duration min{};  // zero: whoever comes next tries
  base::Duration max{};
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// A new session on the database, which holds its thread until it is told otherwise. Throws store::Error. Any thread,
  /// and it blocks.
  virtual std::unique_ptr<Session> open() = 0;

  /// Whether sessions read while another writes. An engine for which this is false has one connection,
  /// and everything takes turns on it.
  virtual bool reads_beside_writer() const noexcept = 0;

  virtual SessionHome home() const noexcept { return SessionHome::blocking_pool; }
  virtual ReopenPause reopen_pause() const noexcept { return {}; }
};

}  // namespace troupe::store
