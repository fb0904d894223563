// Supervision: what a supervisor does about its children's faults, as values.
//
// A fault is put to `decide`, whose answer is a directive; the strategy says whom a restart
// takes along. However it decides, a supervisor restarts at most as often as its intensity
// allows; then it gives up and fails itself, so that its own parent sees it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/runtime/envelope.h"
#include "troupe/base/clock.h"

namespace troupe::actor {

using namespace std::chrono_literals;

/// What a supervisor does about a child's fault.
enum class Directive : std::uint8_t {
  resume,       // it goes on with its state; one whose start failed has none, and is restarted instead
  restart,      // it starts anew, and with it those whom the strategy names
  restart_all,  // all children start anew, whatever the strategy
  stop,         // it ends for good
  escalate,     // the supervisor fails itself, and its own parent decides
};

/// Whom a restart takes along: nobody; all siblings; those started after it. They are stopped in the reverse order of
/// their start, wait for the back-off together, and start in order, the next once the one before it has started. Each
/// keeps its reference and its mailbox: what is told meanwhile waits.
enum class Strategy : std::uint8_t { one_for_one, all_for_one, rest_for_one };

/// Whether a child is started again: after a fault and when it stops itself; after a fault only; never. The fault of a
/// temporary child takes nobody along, and one that is taken along by a sibling's fault ends for good.
enum class Restart : std::uint8_t { permanent, transient, temporary };

/// More than `restarts` restarts of its children within `within` and the supervisor gives up. A restart of several
/// together counts once.
struct Intensity {
  std::uint32_t restarts = 5;
  Duration within = 30s;
  friend bool operator==(const Intensity&, const Intensity&) = default;
};

/// The n-th restart in a row waits min * 2^(n-1), at most max, varied by +-jitter (a fraction). A child that then runs
/// for `reset_after` starts again at min.
struct Backoff {
  Duration min = 50ms;
  Duration max = 10s;
  double jitter = 0.2;  // so that what failed together does not come back together
  Duration reset_after = 30s;
  // Restarts in a row before the supervisor gives up. What has failed twenty times without once running for
  // `reset_after` will not mend itself, and its parent ought to know; by then some minutes have passed.
  std::uint32_t attempts_max = 20;
  static constexpr std::uint32_t unbounded = UINT32_MAX;
  friend bool operator==(const Backoff&, const Backoff&) = default;
};

/// A child as its supervisor knows it.
struct ChildState {
  std::string_view name;  // empty: none was given
  Address address;
  Restart restart = Restart::transient;
  bool running = false;       // false: it has failed, is being restarted, or is on its way out
  std::uint32_t attempt = 0;  // restarts in a row so far; 0 again after a quiet time

  /// Whether it is the child that `ref` refers to.
  template <class R>
  bool is(const R& ref) const noexcept {
    return address == ref.address();
  }
};

/// What a supervisor knows of a fault when it decides.
struct Fault {
  std::exception_ptr error;   // null: a permanent child stopped itself
  std::string_view during{};  // the message it handled, "its start", "a callback"
  ChildState child{};
  std::uint32_t recent = 0;  // restarts of all children within the intensity's window
  bool started = true;       // false: its start failed
  const Cell* supervisor = nullptr;

  /// All children in the order of their start, the failed one among them.
  std::vector<ChildState> siblings() const;
};

/// The answer: what is done, and for a restart after how long.
struct Decision {
  Decision(Directive what, std::optional<Duration> after = {}) noexcept : directive(what), delay(after) {}
  Directive directive;
  std::optional<Duration> delay;  // nothing: as the back-off says
};

/// Who decides: any function or copyable object that takes a `const Fault&` or a `const std::exception_ptr&` and gives
/// a Directive or a Decision. One that takes the exception is not asked about a permanent child that stopped itself,
/// which is restarted. Empty: every fault is a restart. One that throws has its supervisor fail.
///
///   struct ExponentialBackoff {
///     Duration base, delay_max;
///     std::uint32_t attempts_max;
///     Decision operator()(const Fault& fault) const {
///       if (fault.child.attempt >= attempts_max) return Directive::escalate;
///       return {Directive::restart, std::min(base * (1u << std::min(fault.child.attempt, 20u)), delay_max)};
///     }
///   };
class Decide {
 public:
  Decide() = default;
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Decide> &&
             (std::is_invocable_v<F&, const Fault&> || std::is_invocable_v<F&, const std::exception_ptr&>))
  Decide(F decide) {
    if constexpr (std::is_invocable_v<F&, const Fault&>) {
      decide_ = std::move(decide);
    } else {
      decide_ = [decide = std::move(decide)](const Fault& fault) -> Decision {
        if (fault.error == nullptr) return Directive::restart;
        return decide(fault.error);
      };
    }
  }

  explicit operator bool() const noexcept { return static_cast<bool>(decide_); }
  Decision operator()(const Fault& fault) const { return decide_ ? decide_(fault) : Decision{Directive::restart}; }
  /// For tests of those who decide by the exception alone.
  Directive operator()(const std::exception_ptr& error) const { return (*this)(Fault{.error = error}).directive; }

 private:
  std::function<Decision(const Fault&)> decide_;
};

/// Rules by the type of the exception; the first that fits holds: `on<A>(x).on<B>(y).otherwise(z)`, or
/// `on<A>(x) | on<B>(y)`. What fits none is restarted unless `otherwise` says more.
class Rules {
 public:
  template <class E>
  Rules on(Decision decision) && {
    rules_.push_back({[](const std::exception_ptr& error) {
                        try {
                          std::rethrow_exception(error);
                        } catch (const E&) {
                          return true;
                        } catch (...) {
                          return false;
                        }
                      },
                      decision});
    return std::move(*this);
  }
  Rules otherwise(Decision decision) && {
    otherwise_ = decision;
    return std::move(*this);
  }
  friend Rules operator|(Rules first, const Rules& then) {
    if (first.otherwise_) return first;  // which leaves nothing to those behind it
    first.rules_.insert(first.rules_.end(), then.rules_.begin(), then.rules_.end());
    first.otherwise_ = then.otherwise_;
    return first;
  }

  Decision operator()(const Fault& fault) const {
    if (fault.error == nullptr) return Directive::restart;
    for (const Rule& rule : rules_) {
      if (rule.fits(fault.error)) return rule.decision;
    }
    return otherwise_.value_or(Directive::restart);
  }

 private:
  struct Rule {
    bool (*fits)(const std::exception_ptr&);
    Decision decision;
  };
  std::vector<Rule> rules_;
  std::optional<Decision> otherwise_;
};

template <class E>
Rules on(Decision decision) {
  return Rules{}.template on<E>(decision);
}

/// How an actor supervises its children.
struct Supervision {
  Strategy strategy = Strategy::one_for_one;  // children that do not depend on each other
  Intensity intensity{};
  Backoff backoff{};
  Decide decide{};  // empty: restart
};

}  // namespace troupe::actor
