// ReceiveBudget: how much of what has not come whole yet the connections of one core may hold together: bodies of
// requests, messages of WebSockets.
//
// Each has a limit of its own, but strangers have many connections. Past the bound the one goes that has held for the
// longest: who sends honestly is done soon, and finds room also while others do not mean to end. Little counts as
// nothing. One core.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

namespace troupe::web {

class ReceiveBudget {
 public:
  static constexpr std::size_t free_bytes = 16 * 1024;  // of each connection

  explicit ReceiveBudget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  ReceiveBudget(const ReceiveBudget&) = delete;  // shares refer to it
  ReceiveBudget& operator=(const ReceiveBudget&) = delete;

  /// Who holds bytes.
  class Holder {
   public:
    /// Is to forget what it has received, and to close. Its share is empty by now. It may be called from inside
    /// Share::hold, of its own or another share, and must destroy nobody.
    virtual void give_up_received() = 0;

   protected:
    ~Holder() = default;
  };

  /// What one connection holds.
  class Share {
   public:
    Share(std::shared_ptr<ReceiveBudget> budget, Holder& holder) noexcept
        : budget_(std::move(budget)), holder_(holder) {}
    ~Share() { hold(0); }
    Share(const Share&) = delete;  // the budget refers to it
    Share& operator=(const Share&) = delete;

    /// It holds so many bytes now, in all.
    void hold(std::size_t bytes) {
      if (bytes > free_bytes || bytes_ > 0) [[unlikely]]
        budget_->hold(*this, bytes > free_bytes ? bytes : 0);
    }

   private:
    friend class ReceiveBudget;
    std::shared_ptr<ReceiveBudget> budget_;
    Holder& holder_;
    std::size_t bytes_ = 0;              // as the budget counts them
    std::list<Share*>::iterator place_;  // while there are any
  };

  /// What all hold.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void hold(Share& share, std::size_t bytes);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Share*> line_;  // who has held for the longest stands first
};

}  // namespace troupe::web
