// Ledger: what a server has told of codes, tokens and families of tokens, in the order in which it was told, and where
// it has contradicted itself.
//
// Requests that were sent at once make a burst; whatever was answered in one burst was before the next one. An answer
// that never came (the server was killed) leaves open whether the deed was done, and nothing is concluded from it.
// One owner, no clock of its own: the same entries give the same verdict.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::oauth_chaos {

/// What came of a request that may be granted or refused.
enum class Outcome : std::uint8_t {
  granted,
  refused,  // invalid_grant
  unknown,  // no answer, or the server asks to come again later
};

struct Violation {
  std::uint64_t event;
  std::string what;
};

class Ledger {
 public:
  /// `events_max`: how many of the last events are kept for the diagnosis.
  explicit Ledger(std::size_t events_max = 3000) : events_max_(events_max) {}

  /// From here on everything comes after all that was told before.
  void begin_burst(const std::string& why);
  void note(std::string what);

  /// A family of tokens that a code opens, by a name of our own.
  void code_sent(const std::string& code, std::size_t times);
  void code_answered(const std::string& code, Outcome outcome);

  /// A token was given. `family`: the code that opened it; "" for a token of a client's own.
  void issued(const std::string& token, const std::string& family);
  /// Somebody asked to end it, so whether it is alive is open until that is answered.
  void token_ending(const std::string& token);
  void token_ended(const std::string& token);
  void family_ending(const std::string& family);
  void family_ended(const std::string& family, const std::string& why);

  /// A used refresh token gave these two. A second time it must be the same two.
  void successor_told(const std::string& used, const std::string& successor, const std::string& access);
  /// What must not have happened, as the run has found out itself.
  void violate(const std::string& what);

  /// Introspection said so.
  void seen(const std::string& token, bool is_active);

  /// Tokens of no family that are surely alive.
  std::vector<std::string> lone_tokens() const;
  /// All that were ever given.
  std::vector<std::string> tokens() const;
  bool is_over(const std::string& family) const;

  const std::vector<Violation>& violations() const noexcept { return violations_; }
  const std::deque<std::string>& last_events() const noexcept { return events_; }
  std::uint64_t event_count() const noexcept { return count_; }

 private:
  enum class Fate : std::uint8_t { alive, open, over };
  struct Code {
    std::size_t sent = 0;
    bool is_granted = false;
    std::optional<std::uint64_t> refused_in;  // the burst of the first refusal
  };
  struct Token {
    std::string family;
    Fate fate = Fate::alive;
  };
  struct Pair {
    std::string successor, access;
  };

  static std::string shown(const std::string& text);

  std::size_t events_max_;
  std::uint64_t count_ = 0;
  std::uint64_t burst_ = 0;
  std::deque<std::string> events_;
  std::map<std::string, Code> codes_;
  std::map<std::string, Fate> families_;
  std::map<std::string, Token> tokens_;
  std::map<std::string, Pair> successors_;
  std::vector<Violation> violations_;
};

}  // namespace troupe::oauth_chaos
