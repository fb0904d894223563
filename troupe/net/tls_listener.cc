// Handshakes in the order in which they began, which is that of their deadlines.
#include "troupe/net/tls_listener.h"

#include <deque>
#include <list>

#include "troupe/actor/runtime/core.h"
#include "troupe/base/check.h"
#include "troupe/net/address_places.h"
#include "troupe/net/tls_stream.h"

namespace troupe::net {
namespace {

struct Counters {
  explicit Counters(base::Metrics& metrics)
      : established(of(metrics, "established")),
        failed(of(metrics, "failed")),
        late(of(metrics, "late")),
        refused(of(metrics, "refused")) {}
  static base::Counter& of(base::Metrics& metrics, const char* outcome) {
    return metrics.counter("troupe_tls_handshakes_total", "TLS handshakes by how they ended.", {{"outcome", outcome}});
  }

  base::Counter& established;
  base::Counter& failed;
  base::Counter& late;
  base::Counter& refused;  // not begun, for their address had its share under way
};

class TlsListener final : public Listener, private ListenerEvents {
 public:
  TlsListener(actor::Core& core, std::unique_ptr<Listener> below, base::PublishedReader<crypto::TlsContext> contexts,
              const TlsListenerOptions& options)
      : core_(core),
        below_(std::move(below)),
        contexts_(std::move(contexts)),
        options_(options),
        by_address_(options.handshakes_by_address_max, options.exempt) {
    if (options.metrics != nullptr) counters_.emplace(*options.metrics);
  }

  void start(ListenerEvents& events) override {
    events_ = &events;
    below_->start(*this);
  }

  void pause() override {
    paused_ = true;
    below_->pause();
  }

  void resume() override {
    paused_ = false;
    if (!is_full()) below_->resume();
    arm();  // no event may come from inside this call
  }

  const Endpoint& address() const override { return below_->address(); }

 private:
  /// A handshake under way.
  struct Handshake final : TlsHandshakeEvents {
    explicit Handshake(TlsListener& its_listener) : listener(its_listener) {}
    void on_handshake(Outcome outcome) override { listener.end(place, outcome); }

    TlsListener& listener;
    std::unique_ptr<TlsStream> stream;
    base::Instant until;
    std::list<Handshake>::iterator place;
  };

  struct Timer : actor::TimerNode {
    explicit Timer(TlsListener& owner) noexcept : TimerNode(&Timer::fire), listener(owner) {}
    static void fire(TimerNode& node) noexcept { static_cast<Timer&>(node).listener.on_timer(); }
    TlsListener& listener;
  };

  void on_stream(std::unique_ptr<Stream> stream) override {
    const auto& context = contexts_.read();
    INVARIANT(context != nullptr, "a certificate is in force before anybody comes");
    const auto from = stream->peer().ip;
    if (!by_address_.enter(from)) {
      if (counters_) counters_->refused.add();
      return;  // the stream closes its connection
    }
    std::unique_ptr<TlsStream> tls;
    try {
      tls = std::make_unique<TlsStream>(core_, std::move(stream), *context);
      handshakes_.emplace_back(*this);
    } catch (...) {
      by_address_.leave(from);
      throw;
    }
    const auto place = std::prev(handshakes_.end());
    place->stream = std::move(tls);
    place->until = core_.now() + options_.handshake_time_max;
    place->place = place;
    if (is_full()) below_->pause();
    if (handshakes_.size() == 1) arm();
    place->stream->shake_hands(&*place, TlsStream::Hello::wait);
  }

  void on_exhausted() override { events_->on_exhausted(); }

  /// Who has shaken hands and waits for a place counts, too.
  bool is_full() const noexcept { return handshakes_.size() + ready_.size() >= options_.handshakes_max; }

  void arm() {
    if (!ready_.empty() && !paused_) {
      core_.timers().arm(timer_, core_.now());
    } else if (!handshakes_.empty()) {
      core_.timers().arm(timer_, handshakes_.front().until);
    }
  }

  /// Whoever has not done it in time is let go; whoever is ready is handed on.
  void on_timer() noexcept {
    const bool was_full = is_full();
    while (!handshakes_.empty() && handshakes_.front().until <= core_.now()) {
      if (counters_) counters_->late.add();
      by_address_.leave(handshakes_.front().stream->peer().ip);
      handshakes_.pop_front();  // the stream closes its connection
    }
    hand_on();
    listen_again(was_full);
    arm();
  }

  void end(std::list<Handshake>::iterator handshake, TlsHandshakeEvents::Outcome outcome) {
    const bool was_full = is_full();
    const bool well = outcome == TlsHandshakeEvents::Outcome::established;
    if (counters_) (well ? counters_->established : counters_->failed).add();
    if (well) {
      ready_.push_back(std::move(handshake->stream));
    } else {
      by_address_.leave(handshake->stream->peer().ip);
    }
    handshakes_.erase(handshake);
    hand_on();
    listen_again(was_full);
  }

  void listen_again(bool was_full) {
    if (was_full && !is_full() && !paused_) below_->resume();
  }

  void hand_on() {
    while (!ready_.empty() && !paused_) {
      auto stream = std::move(ready_.front());
      ready_.pop_front();
      by_address_.leave(stream->peer().ip);
      events_->on_stream(std::move(stream));
    }
  }

  actor::Core& core_;
  std::unique_ptr<Listener> below_;
  base::PublishedReader<crypto::TlsContext> contexts_;
  TlsListenerOptions options_;
  std::optional<Counters> counters_;
  ListenerEvents* events_ = nullptr;
  std::list<Handshake> handshakes_;
  AddressPlaces by_address_;                      // of handshakes_ and ready_
  std::deque<std::unique_ptr<TlsStream>> ready_;  // while the owner has paused
  Timer timer_{*this};
  bool paused_ = false;
};

}  // namespace

std::unique_ptr<Listener> listen_tls(actor::Core& core, std::unique_ptr<Listener> below,
                                     base::PublishedReader<crypto::TlsContext> contexts,
                                     const TlsListenerOptions& options) {
  return std::make_unique<TlsListener>(core, std::move(below), std::move(contexts), options);
}

}  // namespace troupe::net
