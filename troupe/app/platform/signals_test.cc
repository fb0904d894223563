// Signals are waited for, and forgotten when nobody does.
#include "troupe/app/platform/signals.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

/// How a process ends that does `deed`: its status, or the signal that ended it, negative.
int ending_of(void (*deed)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    deed();
    ::_exit(7);
  }
  int status = 0;
  REQUIRE_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("who is told to end while the start waits ends at once and well, and outside of that goes on") {
  for (const auto deed : {+[] {
                            const Signals signals{SIGTERM, SIGINT};
                            const EndsAtOnce here;
                            ::raise(SIGTERM);
                          },
                          +[] {
                            const Signals signals{SIGTERM, SIGINT};
                            ::raise(SIGINT);  // a moment before
                            const EndsAtOnce here;
                          }})
    CHECK_EQ(ending_of(deed), 0);
  CHECK_EQ(ending_of([] {
             const Signals signals{SIGTERM, SIGINT};
             {
               const EndsAtOnce here;
             }
             ::raise(SIGTERM);
             if (signals.wait(0s) != SIGTERM) ::_exit(8);
           }),
           7);
}

TEST_CASE("a signal that is waited for is given, one that nobody waited for ends nothing") {
  {
    const Signals signals{SIGUSR1, SIGUSR2};
    CHECK_FALSE(signals.wait(0s).has_value());
    const auto descriptor = signals.descriptor();
    pollfd watched{descriptor.get(), POLLIN, 0};
    CHECK_EQ(::poll(&watched, 1, 0), 0);
    send_to_main(SIGUSR1);
    CHECK_EQ(::poll(&watched, 1, 1000), 1);
    CHECK_EQ(signals.wait(), SIGUSR1);
    send_to_main(SIGUSR2);
  }
  sigset_t pending;
  ::sigpending(&pending);
  CHECK_EQ(::sigismember(&pending, SIGUSR2), 0);
}
