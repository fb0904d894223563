// PieceTransaction: what the transaction of one piece of work is in any engine. It has failed for good with its first
// failed statement, also where the piece has caught that: some engines would go on behind it, others do not.
#pragma once

#include <exception>
#include <type_traits>

#include "troupe/store/transaction.h"

namespace troupe::store {

class PieceTransaction : public Transaction {
 public:
  /// Throws what a statement of the piece has failed with, also when the piece has caught it.
  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 protected:
  /// What `work` gives, unless a statement before it has failed.
  template <class F>
  std::invoke_result_t<F&> or_fail(F work) {
    rethrow_failure();
    try {
      return work();
    } catch (const Error&) {
      failure_ = std::current_exception();
      throw;
    }
  }

 private:
  std::exception_ptr failure_;
};

}  // namespace troupe::store
