// See check.h.
#include "troupe/base/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace troupe::base {
namespace {

constinit std::atomic<void (*)()> more{nullptr};

}  // namespace

void on_broken_invariant(void (*say_more)()) noexcept { more.store(say_more, std::memory_order_relaxed); }

void invariant_failed(const char* file, int line, const char* text, const char* why) noexcept {
  std::fprintf(stderr, "%s:%d: invariant `%s` does not hold: %s\n", file, line, text, why);
  std::fflush(stderr);
  // Once: what it says may break an invariant itself.
  if (auto* say_more = more.exchange(nullptr, std::memory_order_relaxed)) say_more();
  std::abort();
}

}  // namespace troupe::base
