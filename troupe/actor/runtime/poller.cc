// See poller.h.
#include "troupe/actor/runtime/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <system_error>

#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

class EpollPoller final : public Poller {
 public:
  EpollPoller() : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (epoll_ < 0 || event_ < 0) fail("epoll");
    // Edge-triggered: each write wakes once, and nobody needs to read the count.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) != 0) fail("epoll_ctl");
  }
  ~EpollPoller() override {
    close(event_);
    close(epoll_);
  }

  void add(int fd, IoEvents interest, IoHandler& handler) override { control(EPOLL_CTL_ADD, fd, interest, handler); }
  void change(int fd, IoEvents interest, IoHandler& handler) override { control(EPOLL_CTL_MOD, fd, interest, handler); }
  void remove(int fd, IoHandler& handler) noexcept override {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    for (int i = at_ + 1; i < fetched_; ++i) {
      if (events_[static_cast<std::size_t>(i)].data.ptr == &handler) events_[static_cast<std::size_t>(i)].events = 0;
    }
  }

  bool wait(std::optional<base::Duration> timeout) override {
    fetched_ = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), milliseconds(timeout));
    if (fetched_ < 0 && errno != EINTR) fail("epoll_wait");
    return fetched_ > 0;
  }

  void dispatch() override {
    for (at_ = 0; at_ < fetched_; ++at_) {
      const epoll_event& event = events_[static_cast<std::size_t>(at_)];
      if (event.events == 0) continue;
      if (event.data.ptr == nullptr) continue;  // a wake-up bears no news beyond itself
      static_cast<IoHandler*>(event.data.ptr)
          ->on_io({.read = (event.events & (EPOLLIN | EPOLLRDHUP)) != 0,
                   .write = (event.events & EPOLLOUT) != 0,
                   .closed = (event.events & (EPOLLERR | EPOLLHUP)) != 0});
    }
    fetched_ = 0;
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    // The counter is never read, and 2^64 wake-ups never come; there is nothing else that this write can fail with.
    [[maybe_unused]] const auto n = write(event_, &one, sizeof one);
  }

 private:
  static int milliseconds(std::optional<base::Duration> timeout) {
    if (!timeout) return -1;
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
  }

  void control(int operation, int fd, IoEvents interest, IoHandler& handler) {
    epoll_event event{};
    if (interest.read) event.events |= EPOLLIN;
    if (interest.write) event.events |= EPOLLOUT;
    event.data.ptr = &handler;
    if (epoll_ctl(epoll_, operation, fd, &event) != 0) fail("epoll_ctl");
  }

  int epoll_;
  int event_;
  int at_ = 0;
  int fetched_ = 0;
  std::array<epoll_event, 256> events_{};
};

class SimulatedPoller final : public Poller {
 public:
  void add(int, IoEvents, IoHandler&) override { INVARIANT(false, "no descriptor exists in a simulation"); }
  void change(int, IoEvents, IoHandler&) override { INVARIANT(false, "no descriptor exists in a simulation"); }
  void remove(int, IoHandler&) noexcept override {}
  bool wait(std::optional<base::Duration>) override { return false; }
  void dispatch() override {}
  void wake() noexcept override {}
};

}  // namespace

std::unique_ptr<Poller> epoll_poller() { return std::make_unique<EpollPoller>(); }
std::unique_ptr<Poller> simulated_poller() { return std::make_unique<SimulatedPoller>(); }

}  // namespace troupe::actor
