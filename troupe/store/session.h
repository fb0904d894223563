// What a database engine offers to the layer above: sessions that run many pieces of work in
// one transaction, so that all of them share one sync to the disk (group commit).
//
// A session is one connection; one thread uses it at a time, not always the same one.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "troupe/store/transaction.h"

namespace troupe::store {

/// A piece of work: runs once on a thread for blocking work; owns what it captures.
using Work = std::function<void(Transaction&)>;

/// What came of each piece of work, in their order: null, or the exception that it threw.
using Outcomes = std::vector<std::exception_ptr>;

class Session {
 public:
  virtual ~Session() = default;

  /// Runs all pieces in one transaction and commits it. Each runs in a savepoint of its own: one that
  /// throws is undone alone. When this returns, the others are on the disk; when it throws
  /// store::Error, none of them happened.
  virtual Outcomes write(std::span<const Work> pieces) = 0;

  /// Runs all pieces on one consistent view of the database; none may write.
  virtual Outcomes read(std::span<const Work> pieces) = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// A new session on the database. Throws store::Error. Any thread.
  virtual std::unique_ptr<Session> open() = 0;

  /// Whether sessions read while another writes. An engine for which this is false has one connection,
  /// and everything takes turns on it.
  virtual bool reads_beside_writer() const noexcept = 0;
};

}  // namespace troupe::store
