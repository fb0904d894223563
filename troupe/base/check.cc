// See check.h.
#include "troupe/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace troupe::base {

void invariant_failed(const char* file, int line, const char* text, const char* why) noexcept {
  std::fprintf(stderr, "%s:%d: invariant `%s` does not hold: %s\n", file, line, text, why);
  std::fflush(stderr);
  std::abort();
}

}  // namespace troupe::base
