// See library.h.
#include "troupe/late/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

namespace troupe::late {

Library::Library(const char* file, const char* package) : file_(file), handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  const char* why = ::dlerror();
  throw std::runtime_error{
      fmt::format("{} cannot be opened: install the package {} ({})", file, package, why != nullptr ? why : "?")};
}

void* Library::address_of(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) throw std::runtime_error{fmt::format("{} has no function {}: it is too old", file_, name)};
  return found;
}

}  // namespace troupe::late
