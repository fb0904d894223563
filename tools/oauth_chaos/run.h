// Run: rounds of a real authorization server that is killed while many requests at once spend, renew, revoke and issue.
//
// Each round prepares by the real sign-in (a code, a family of refresh tokens), sends one burst of everything over
// connections of their own, kills the server in the middle of most bursts, starts it again, shows the same things once
// more, and asks of every token there ever was what it is now. What was answered goes into the ledger, which judges.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/chaos/process.h"
#include "tools/oauth_chaos/ledger.h"
#include "troupe/attack/trial.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"

namespace troupe::oauth_chaos {

struct RunOptions {
  std::string troupe;     // the executable
  std::string store_url;  // of a PostgreSQL database; empty: SQLite
  std::uint64_t seed = 1;
  double seconds = 20;
  std::size_t redemptions = 1000;  // of one code at once
  std::size_t refreshes = 100;     // of one refresh token at once
  std::size_t revocations = 40;    // of tokens, and of two families besides
  std::size_t issues = 60;         // tokens of a client's own
  double kill_share = 0.8;         // of the bursts in the middle of which the server is killed
};

struct Figures {
  std::uint64_t rounds = 0, kills = 0, codes = 0, redemptions = 0, refreshes = 0, late_refreshes = 0, revocations = 0,
                issues = 0, unanswered = 0, introspections = 0;
};

class Run {
 public:
  explicit Run(const RunOptions& options);

  /// Rounds until the time is over or something was violated.
  void torment();
  const Ledger& ledger() const noexcept { return ledger_; }
  const Figures& figures() const noexcept { return figures_; }

 private:
  /// What a request of a burst was for, so that its answer can be told to the ledger.
  struct Purpose {
    enum class Deed : std::uint8_t { redeem, refresh, revoke_token, revoke_family, issue } deed;
    std::string of;      // the code, the refresh token, the token
    std::string family;  // the code that opened it
  };
  struct Burst {
    std::vector<attack::Request> requests;
    std::vector<Purpose> purposes;
  };
  /// A family of refresh tokens, and the token that is shown many times.
  struct Family {
    std::string name, token;
    std::string opening_access;
    base::Instant first_shown{};
    std::optional<base::Instant> first_told;  // when its successor was first seen
    std::string successor;
  };

  void add_clients();
  attack::KnownClient add_client(const std::vector<std::string>& arguments, const std::string& scope);
  void round();

  attack::Code new_code(const attack::KnownClient& client);
  Family new_family();

  void add(Burst& burst, attack::Request request, Purpose purpose);
  void add_redemptions(Burst& burst, const attack::Code& code, std::size_t times);
  void add_refreshes(Burst& burst, Family& family, std::size_t times);
  void add_revocations(Burst& burst, const std::vector<Family>& families);
  void add_issues(Burst& burst);
  /// Sends it in an order of chance; gives whether the server was killed meanwhile, and has started it again then.
  bool send(Burst burst, bool may_kill, Family& family, const std::string& why);
  void take(const Purpose& purpose, const attack::Answer& answer, Family& family);
  void take_redemption(const Purpose& purpose, const attack::Answer& answer);
  void take_refresh(const Purpose& purpose, const attack::Answer& answer, Family& family);
  Outcome outcome_of(const attack::Answer& answer, const char* what);

  /// Every use of these after their grace is a reuse, which ends the family.
  void reuse_late_ones();
  /// Asks what each token is, 256 at a time.
  void look_at_all_tokens();

  const RunOptions& options_;
  base::SeededRandom random_;
  const chaos::Folder folder_;
  chaos::Server server_;
  std::unique_ptr<attack::Transport> transport_;
  attack::Target target_;
  std::optional<attack::Trial> trial_;
  attack::KnownClient shop_, phone_, machine_, opaque_machine_;
  std::map<std::string, attack::Browser> browsers_;  // by the client's id: each is signed in once
  std::vector<Family> waiting_;                      // until their grace is over
  double burst_seconds_ = 0.5;                       // how long a burst takes that nobody interrupts
  std::uint64_t granted_in_burst_ = 0;
  Ledger ledger_;
  Figures figures_;
};

}  // namespace troupe::oauth_chaos
