// Published: a value that one owner replaces, and that readers on any thread see without asking it.
//
//   Published<Prices> prices;                          // handed to the owner, as an argument of its actor
//   auto reader = prices.reader();                     // handed to whoever reads
//   prices.publish(next);                              // copy on write: what readers hold does not change
//   if (const auto& now = reader.read()) use(*now);    // one load as long as nothing is new
//
// Each value is immutable and lives as long as somebody holds it, also after its owner. Copies of a
// Published share what they publish, so an actor that is restarted with its arguments goes on
// where it was. A reader never sees an older value after a newer one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace troupe::base {

namespace detail {

template <class T>
struct PublishedState {
  std::mutex mutex;  // guards `value`; held for the copy of a pointer
  std::shared_ptr<const T> value;
  std::atomic<std::uint64_t> version{0};  // changes with it; what is written before is seen by who sees it
};

}  // namespace detail

/// One for each thread that reads; a small value that may be copied and sent.
template <class T>
class PublishedReader {
 public:
  explicit PublishedReader(std::shared_ptr<detail::PublishedState<T>> state) : state_(std::move(state)) {}

  /// The newest value; null as long as none was published. The reference is good until the next call, a copy of it as
  /// long as one likes.
  const std::shared_ptr<const T>& read() {
    if (state_->version.load(std::memory_order_acquire) != seen_) [[unlikely]] {
      const std::lock_guard lock{state_->mutex};
      held_ = state_->value;
      seen_ = state_->version.load(std::memory_order_relaxed);
    }
    return held_;
  }

  /// How many values there have been; tells two looks apart.
  std::uint64_t version() const noexcept { return state_->version.load(std::memory_order_acquire); }

 private:
  std::shared_ptr<detail::PublishedState<T>> state_;
  std::shared_ptr<const T> held_;
  std::uint64_t seen_ = 0;
};

template <class T>
class Published {
 public:
  Published() = default;
  explicit Published(T first) { publish(std::move(first)); }

  /// Replaces the value. The owner, on its thread.
  void publish(T value) { publish(std::make_shared<const T>(std::move(value))); }
  void publish(std::shared_ptr<const T> value) {
    const std::lock_guard lock{state_->mutex};
    state_->value.swap(value);  // the old one ends outside of the lock, if nobody holds it
    state_->version.fetch_add(1, std::memory_order_release);
  }

  PublishedReader<T> reader() const { return PublishedReader<T>{state_}; }

 private:
  std::shared_ptr<detail::PublishedState<T>> state_ = std::make_shared<detail::PublishedState<T>>();
};

}  // namespace troupe::base
