// Subscribers come back by themselves, publishers after a moment; both tell all they see to one checker.
#include "tools/chaos/crowd.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace troupe::chaos {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t events_kept = 3000;  // for who looks for the cause of a violation
constexpr std::size_t event_bytes = 300;

}  // namespace

Crowd::Crowd(CrowdOptions options) : options_(std::move(options)) {}

void Crowd::started(actor::Context& ctx) {
  ctx_ = &ctx;
  for (std::size_t i = 0; i < options_.subscribers; ++i) {
    auto& listener = *listeners_.emplace_back(std::make_unique<Listener>(*this, fmt::format("subscriber-{}", i)));
    realtime::SubscriberOptions subscriber{.dial = options_.dial, .socket = options_.socket};
    subscriber.backoff = {.first = 50ms, .longest = 1s};
    subscriber.observer = &listener.witness;
    if (i % 10 == 9) {
      subscriber.topics.emplace_back("chaos.*");
    } else {
      for (std::size_t topic = 0; topic < options_.topics; ++topic) subscriber.topics.push_back(topic_name(topic));
    }
    realtime::SubscriberEvents& events = listener;
    listener.subscriber = std::make_unique<realtime::Subscriber>(ctx.core(), std::move(subscriber), events);
  }
  for (std::size_t i = 0; i < options_.publishers; ++i) {
    auto& publisher = *publishers_.emplace_back(std::make_unique<Publisher>(*this, fmt::format("publisher-{}", i)));
    publisher.index = i;
    connect(publisher);
  }
  publishing_.emplace(ctx.now() + 200ms, options_.publications_per_second);
  ctx.every(this, "publish", 2ms, PublishDue{});
}

// ---- publishers ----

void Crowd::connect(Publisher& publisher) {
  realtime::ClientSocketEvents& events = publisher;
  try {
    publisher.socket =
        std::make_unique<realtime::ClientSocket>(ctx_->core(), options_.dial(ctx_->core()), options_.socket, events);
  } catch (const std::system_error&) {
    ctx_->after(this, 100ms, PublishAgain{publisher.index});
  }
}

void Crowd::handle(PublishAgain message, actor::Context&) { connect(*publishers_[message.publisher]); }

void Crowd::Publisher::on_frame(wire::Opcode opcode, std::string_view message) {
  const auto frame = crowd.reader_.read(opcode, message);
  if (!frame) return crowd.broken("a frame that is none: " + frame.error());
  witness.received(opcode, message, *frame);
  if (frame->type == realtime::ServerFrameType::welcome) welcomed = true;
}

void Crowd::Publisher::on_end(const realtime::SocketEnd&) {
  welcomed = false;
  socket.reset();
  witness.closed();
  crowd.ctx_->entry()([&] { crowd.ctx_->after(&crowd, 100ms, PublishAgain{index}); });
}

void Crowd::handle(PublishDue, actor::Context& ctx) {
  if (!publishing_) return;
  base::Instant due;
  for (int i = 0; i < 100 && publishing_->take(ctx.now(), due); ++i) {
    auto& publisher = *publishers_[publishing_->taken() % publishers_.size()];
    if (publisher.welcomed) publish(publisher);
  }
}

void Crowd::publish(Publisher& publisher) {
  const auto topic = topic_name(ctx_->random().below(options_.topics));
  const std::size_t padding = ctx_->random().below(8) == 0 ? options_.large_bytes : 20;
  const auto number = ++publisher.numbered;
  const auto text =
      fmt::format(R"({{"type":"publish","id":"{}","topic":"{}","payload":{{"p":{},"n":{},"x":"{:x>{}}"}}}})", number,
                  topic, publisher.index, number, "", padding);
  publisher.witness.sent(wire::Opcode::text, text);
  publisher.socket->send(wire::Opcode::text, text);
  ++figures_.published;
}

void Crowd::handle(StopPublishing) {
  publishing_.reset();
  ctx_->cancel("publish");
}

// ---- what is done to subscribers ----

void Crowd::handle(CutSomebody, actor::Context& ctx) {
  listeners_[ctx.random().below(listeners_.size())]->subscriber->cut();
}

void Crowd::handle(SlowSomebody message, actor::Context& ctx) {
  const auto index = ctx.random().below(listeners_.size());
  auto& listener = *listeners_[index];
  if (std::exchange(listener.slow, true)) return;
  listener.subscriber->pause_reading();
  ctx.after(this, message.during, ReadAgain{index});
}

void Crowd::handle(ReadAgain message) {
  auto& listener = *listeners_[message.subscriber];
  listener.slow = false;
  listener.subscriber->resume_reading();
}

// ---- what is seen ----

void Crowd::Witness::sent(wire::Opcode opcode, std::string_view message) {
  crowd.remember(name, ">", message);
  judge.sent(opcode, message);
}
void Crowd::Witness::received(wire::Opcode opcode, std::string_view message, const realtime::ServerFrame& frame) {
  crowd.remember(name, "<", message);
  judge.received(opcode, message, frame);
}
void Crowd::Witness::closed() {
  crowd.remember(name, "closed", {});
  judge.closed();
}

/// The strings of the oldest are used again, so that this costs a copy.
void Crowd::remember(std::string_view who, std::string_view what, std::string_view text) {
  checker_.at(++events_);
  if (figures_.history.violations == 0 && checker_.figures().violations > 0) {
    figures_.history.violations = checker_.figures().violations;  // from here on the cause stays where it is
    last_.emplace_back("--- a violation ---");
  }
  std::string line;
  if (last_.size() >= events_kept) {
    if (figures_.history.violations > 0) return;
    line = std::move(last_.front());
    last_.pop_front();
  }
  line.assign(who).append(" ").append(what).append(" ").append(text.substr(0, event_bytes));
  last_.push_back(std::move(line));
}

void Crowd::handle(const Recorded& message) {
  std::string_view rest = message.lines;
  constexpr std::string_view before = R"({"observer":"subscriber")";
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.starts_with(before)) {
      broken("another process recorded a line of its own: " + std::string{line.substr(0, 100)});
      continue;
    }
    remember(message.observer, "recorded", line.substr(before.size()));
    const auto own = fmt::format(R"({{"observer":"{}"{})", message.observer, line.substr(before.size()));
    if (auto taken = recording_.line(own); !taken) broken(taken.error());
  }
}

void Crowd::handle(const ObserverGone& message) {
  remember(message.observer, "gone", {});
  checker_.closed(message.observer);
}

void Crowd::broken(std::string what) { broken_.push_back({events_, std::move(what)}); }

CrowdFigures Crowd::handle(const GetCrowdFigures&) const {
  auto figures = figures_;
  figures.history = checker_.figures();
  figures.violations = checker_.violations();
  figures.violations.insert(figures.violations.end(), broken_.begin(), broken_.end());
  figures.live = static_cast<std::size_t>(
      std::ranges::count_if(listeners_, [](const auto& each) { return each->subscriber->is_live(); }));
  figures.slow =
      static_cast<std::size_t>(std::ranges::count_if(listeners_, [](const auto& each) { return each->slow; }));
  return figures;
}

CrowdFigures Crowd::handle(const Judge&) {
  checker_.finish(true);
  const auto epochs = checker_.figures().epochs;
  if (options_.lasts && epochs > options_.topics)
    broken(fmt::format("{} topics had {} epochs, though their history lasts", options_.topics, epochs));
  return handle(GetCrowdFigures{});
}

std::string Crowd::handle(const GetLastEvents&) const {
  std::string all;
  for (const auto& line : last_) all.append(line).append("\n");
  return all;
}

}  // namespace troupe::chaos
