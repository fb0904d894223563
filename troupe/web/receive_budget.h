// ReceiveBudget: how much of what they have received and cannot use yet the connections of one core may hold together:
// of bodies and messages that have not come whole, and what comes behind a request that is being served.
//
// Each has a limit of its own, but strangers have many connections. Past the bound the one goes that has held for the
// longest: who sends honestly is done soon, and finds room also while others do not mean to end. Little counts as
// nothing. One core.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "troupe/base/local_ref.h"

namespace troupe::web {

class ReceiveBudget : public base::LocallyOwned {
 public:
  static constexpr std::size_t free_bytes = 16 * 1024;  // of each connection

  explicit ReceiveBudget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

  /// Who holds bytes.
  class Holder {
   public:
    /// Is to forget what it has received, and to close. Its share is empty by now. It may be called from inside
    /// Share::hold, of its own or another share, and must destroy nobody.
    virtual void give_up_received() = 0;

   protected:
    ~Holder() = default;
  };

 private:
  struct Held {
    Holder& holder;
    std::size_t bytes = 0;
    std::list<Held*>::iterator place{};  // while there are any
  };

 public:
  /// What one connection holds; small while that is nothing.
  class Share {
   public:
    explicit Share(base::LocalRef<ReceiveBudget> budget) noexcept : budget_(std::move(budget)) {}
    ~Share() {
      if (held_ != nullptr) budget_->hold(*held_, 0);
    }
    Share(const Share&) = delete;  // the budget refers to it
    Share& operator=(const Share&) = delete;

    /// `holder`, the one whose share it is, holds so many bytes now, in all.
    void hold(Holder& holder, std::size_t bytes) {
      if (bytes > free_bytes || held_ != nullptr) [[unlikely]]
        hold_some(holder, bytes > free_bytes ? bytes : 0);
    }

   private:
    void hold_some(Holder& holder, std::size_t bytes);

    base::LocalRef<ReceiveBudget> budget_;
    std::unique_ptr<Held> held_;
  };

  /// What all hold.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void hold(Held& held, std::size_t bytes);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Held*> line_;  // who has held for the longest stands first
};

}  // namespace troupe::web
