// Signals are waited for, and forgotten when nobody does.
#include "troupe/app/platform/signals.h"

#include <doctest/doctest.h>
#include <poll.h>

using namespace troupe::app;
using namespace std::chrono_literals;

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
