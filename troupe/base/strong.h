// Strong types: ids that cannot be swapped, and secrets that cannot be printed.
//
// A `Strong<Tag, T>` is a T with a name of its own: two of different tags do not
// convert, compare or assign. A `Secret<T>` also refuses comparison and printing; who
// needs the value says `expose()` and is found by searching for that word.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace troupe::base {

template <class Tag, class T>
class Strong {
 public:
  using value_type = T;

  Strong() = default;
  explicit Strong(T value) : value_(std::move(value)) {}

  const T& value() const& noexcept { return value_; }
  T&& value() && noexcept { return std::move(value_); }

  friend bool operator==(const Strong&, const Strong&) = default;
  friend auto operator<=>(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

template <class T>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}

  /// The secret itself. The caller must not log, store or compare it other than in constant time.
  const T& expose() const noexcept { return value_; }

  bool operator==(const Secret&) const = delete;
  template <class Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

 private:
  T value_{};
};

}  // namespace troupe::base

template <class Tag, class T>
struct std::hash<troupe::base::Strong<Tag, T>> {
  std::size_t operator()(const troupe::base::Strong<Tag, T>& id) const noexcept { return std::hash<T>{}(id.value()); }
};
