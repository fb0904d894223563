// Handle: one owner for one object that a C library gave us; closes it once, on every path.
//
//   using SqliteHandle = Handle<sqlite3, sqlite3_close>;
#pragma once

#include <memory>

namespace troupe::base {

template <auto close>
struct Closer {
  template <class T>
  void operator()(T* object) const noexcept {
    (void)close(object);
  }
};

template <class T, auto close>
using Handle = std::unique_ptr<T, Closer<close>>;

}  // namespace troupe::base
