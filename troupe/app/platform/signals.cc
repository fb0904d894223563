// See signals.h.
#include "troupe/app/platform/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace troupe::app {

using namespace std::chrono_literals;

Signals::Signals(std::initializer_list<int> wanted) {
  ::sigemptyset(&set_);
  for (const int signal : wanted) ::sigaddset(&set_, signal);
  ::sigprocmask(SIG_BLOCK, &set_, &before_);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is told by its write, as a full disk is
}

Signals::~Signals() {
  while (wait(0s)) continue;
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int Signals::wait() const {
  int signal = 0;
  ::sigwait(&set_, &signal);
  return signal;
}

std::optional<int> Signals::wait(base::Duration within) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(within);
  const timespec time{seconds.count(), static_cast<long>((within - seconds) / 1ns)};
  int signal = ::sigtimedwait(&set_, nullptr, &time);
  while (signal < 0 && errno == EINTR) signal = ::sigtimedwait(&set_, nullptr, &time);  // it was stopped and went on
  return signal > 0 ? std::optional{signal} : std::nullopt;
}

net::Descriptor Signals::descriptor() const {
  net::Descriptor made{::signalfd(-1, &set_, SFD_NONBLOCK | SFD_CLOEXEC)};
  if (!made) throw std::system_error{errno, std::generic_category(), "signalfd"};
  return made;
}

namespace {

/// In the middle of anything: what is on the disk is whole at every moment, and locks go with the process.
void end_at_once(int) {
  constexpr std::string_view line = "troupe: told to end before it had started\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
  ::_exit(0);
}

}  // namespace

EndsAtOnce::EndsAtOnce() {
  struct sigaction action{};
  action.sa_handler = end_at_once;
  ::sigaction(SIGTERM, &action, &terminate_before_);
  ::sigaction(SIGINT, &action, &interrupt_before_);
  sigset_t ending{};
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGTERM);
  ::sigaddset(&ending, SIGINT);
  ::sigprocmask(SIG_UNBLOCK, &ending, &before_);
}

EndsAtOnce::~EndsAtOnce() {
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  ::sigaction(SIGTERM, &terminate_before_, nullptr);
  ::sigaction(SIGINT, &interrupt_before_, nullptr);
}

void send_to_main(int signal) { ::kill(::getpid(), signal); }

}  // namespace troupe::app
