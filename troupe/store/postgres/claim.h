// Claim: that one server alone has a database, by an advisory lock which its connection that writes holds.
//
// Owned by one session, and with its connection the lock goes. It may take its time: a backend that waits for a standby
// or was stopped outlives the connection that we have given up. So an engine remembers which backends were its own, and
// ends the one that is in its way; only a stranger is another server, which nobody here ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "troupe/base/published.h"
#include "troupe/store/postgres/pipeline.h"

namespace troupe::store {

/// The server's end of a connection. The number of a process comes again, together with its beginning it does not.
struct Backend {
  std::string process;
  std::string since;  // microseconds since 1970; empty: it is not ours to see
  friend bool operator==(const Backend&, const Backend&) = default;
};

/// What the sessions of an engine know together.
struct ClaimBoard {
  /// What who reads is told: that another server has the database, as the last attempt to claim it has found. Empty:
  /// none has.
  base::Published<std::string> taken{std::string{}};
  /// Backends of connections that are closed here, since the last claim that succeeded.
  base::Published<std::vector<Backend>> left{std::vector<Backend>{}};
};

class Claim {
 public:
  Claim(Pipeline& pipeline, ClaimBoard board, PostgresClaim wanted);
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim();

  /// Claims the database, once for each connection; all that was sent is settled. Throws Error::unavailable where it is
  /// not to be had now.
  void require();
  /// Throws Error::unavailable where another server has it.
  void require_not_taken();

 private:
  struct Holder;

  Backend own_backend();
  bool take();
  void take_from_holder();
  std::optional<Holder> find_holder();
  bool has_left(const Backend& backend) const;
  void end(const Backend& backend);

  Pipeline& pipeline_;
  ClaimBoard board_;
  base::PublishedReader<std::string> taken_ = board_.taken.reader();
  bool is_wanted_;
  bool is_held_ = false;
  std::optional<Backend> own_;  // of who has tried
};

}  // namespace troupe::store
