// See memory_bus.h.
#include "troupe/actor/runtime/memory_bus.h"

#include <deque>
#include <mutex>
#include <utility>

namespace troupe::actor {

struct MemoryBus::Shared {
  explicit Shared(MemoryBusOptions its_options) : options(its_options) {}
  const MemoryBusOptions options;
  std::mutex mutex;           // guards the next, and all that nodes have
  std::vector<Node*> joined;  // in the order in which they came
};

class MemoryBus::Node final : public Bus {
 public:
  explicit Node(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() override { leave(); }

  void join(std::function<void()> wake) override {
    const std::lock_guard lock{shared_->mutex};
    wake_ = std::move(wake);
    shared_->joined.push_back(this);
  }

  void leave() noexcept override {
    const std::lock_guard lock{shared_->mutex};
    std::erase(shared_->joined, this);
    waiting_.clear();
    missed_ = 0;
    told_ = false;
  }

  Sent publish(BusMessage message) override {
    const auto shared_by_all = std::make_shared<const BusMessage>(std::move(message));
    const std::lock_guard lock{shared_->mutex};
    bool everywhere = true;
    for (Node* node : shared_->joined) {
      if (node != this) everywhere &= node->put(shared_by_all);
    }
    return everywhere ? Sent::sent : Sent::full;
  }

  std::vector<Arrival> take(std::size_t most) override {
    const std::lock_guard lock{shared_->mutex};
    std::vector<Arrival> taken;
    while (taken.size() < most && !waiting_.empty()) {
      taken.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (taken.size() < most) {
      if (missed_ > 0) taken.push_back({nullptr, std::exchange(missed_, 0)});
      told_ = taken.size() == most;  // then it comes again by itself
    }
    return taken;
  }

 private:
  /// False: it is full. With the lock.
  bool put(const std::shared_ptr<const BusMessage>& message) {
    const bool fits = waiting_.size() < shared_->options.waiting_max;
    if (fits) {
      waiting_.push_back({message, std::exchange(missed_, 0)});
    } else {
      ++missed_;
    }
    if (!std::exchange(told_, true)) wake_();
    return fits;
  }

  const std::shared_ptr<Shared> shared_;
  std::function<void()> wake_;
  std::deque<Arrival> waiting_;
  std::uint64_t missed_ = 0;  // since the newest that waits
  bool told_ = false;         // that something has come
};

MemoryBus::MemoryBus(MemoryBusOptions options) : shared_(std::make_shared<Shared>(options)) {}

std::shared_ptr<Bus> MemoryBus::node() { return std::make_shared<Node>(shared_); }

}  // namespace troupe::actor
