// See offload.h.
#include "troupe/actor/offload/offload.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

class ThreadOffload final : public Offload {
 public:
  explicit ThreadOffload(OffloadOptions options) : queued_max_(options.queued_max) {
    INVARIANT(options.threads > 0, "without a thread no blocking job ever ends (OffloadOptions::threads)");
    threads_.reserve(options.threads);
    try {
      for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      end();
      throw std::system_error{error.code(), fmt::format("of {} threads for blocking jobs {} can be made",
                                                        options.threads, threads_.size())};
    }
  }
  ~ThreadOffload() override { end(); }

  bool submit(Core&, std::move_only_function<void()> job) override {
    {
      const std::lock_guard lock{mutex_};
      if (jobs_.size() >= queued_max_) return false;
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
  }

 private:
  void end() {
    {
      const std::lock_guard lock{mutex_};
      stop_ = true;
      jobs_.clear();
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  void work() {
    std::unique_lock lock{mutex_};
    while (true) {
      changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (stop_) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }

  const std::size_t queued_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> jobs_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Offload> thread_offload(OffloadOptions options) { return std::make_unique<ThreadOffload>(options); }

}  // namespace troupe::actor
