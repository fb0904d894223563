// See socket_wait.h.
#include "troupe/store/socket_wait.h"

#include <poll.h>

#include <cerrno>
#include <system_error>

namespace troupe::store {

Waited BlockingWait::wait(int socket, actor::IoEvents interest, base::Duration at_most) {
  const int events = (interest.read ? POLLIN : 0) | (interest.write ? POLLOUT : 0);
  pollfd watched{.fd = socket, .events = static_cast<short>(events), .revents = 0};
  base::Clock& clock = base::system_clock();
  const base::Instant end = clock.now() + at_most;
  while (true) {
    const auto left = std::max(end - clock.now(), base::Duration::zero());
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int count = ::poll(&watched, 1, static_cast<int>(milliseconds));
    if (count > 0) return Waited::ready;
    if (count == 0) return Waited::late;
    if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "poll"};
  }
}

}  // namespace troupe::store
