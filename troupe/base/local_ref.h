// LocalRef: one of several owners of an object, all of them on one core; counted within the object, without atomics.
//
// Half as large as a std::shared_ptr, and without a block beside the object. The last owner ends the object. A LocalRef
// must not leave its core.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace troupe::base {

template <class T>
class LocalRef;

/// What a LocalRef may own; it is destroyed as the type that its first LocalRef names, or by a virtual destructor.
class LocallyOwned {
 public:
  LocallyOwned(const LocallyOwned&) = delete;
  LocallyOwned& operator=(const LocallyOwned&) = delete;

  bool has_one_owner() const noexcept { return owners_ == 1; }

 protected:
  LocallyOwned() = default;
  ~LocallyOwned() = default;

 private:
  template <class T>
  friend class LocalRef;
  std::uint32_t owners_ = 0;
};

template <class T>
class LocalRef {
 public:
  LocalRef() = default;
  LocalRef(std::nullptr_t) noexcept {}
  /// One more owner of an object that has some, or its first.
  explicit LocalRef(T& object) noexcept : object_(&object) { ++count(); }
  LocalRef(const LocalRef& other) noexcept : object_(other.object_) {
    if (object_ != nullptr) ++count();
  }
  LocalRef(LocalRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
    requires std::convertible_to<U*, T*>
  LocalRef(const LocalRef<U>& other) noexcept : object_(other.get()) {
    if (object_ != nullptr) ++count();
  }
  LocalRef& operator=(LocalRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~LocalRef() {
    if (object_ != nullptr && --count() == 0) std::unique_ptr<T>{object_}.reset();
  }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  void reset() noexcept { *this = nullptr; }

  friend bool operator==(const LocalRef&, const LocalRef&) = default;
  friend bool operator==(const LocalRef& ref, std::nullptr_t) noexcept { return ref.object_ == nullptr; }

 private:
  std::uint32_t& count() const noexcept { return static_cast<LocallyOwned&>(*object_).owners_; }

  T* object_ = nullptr;
};

template <class T, class... Args>
LocalRef<T> make_local(Args&&... args) {
  return LocalRef<T>{*std::make_unique<T>(std::forward<Args>(args)...).release()};
}

}  // namespace troupe::base
