// What was heard becomes text by the view; what happened, a sentence.
#include "troupe/app/client/topic_listener.h"

#include <fmt/format.h>

namespace troupe::app {

void TopicListener::started(actor::Context& ctx) {
  ctx_ = &ctx;
  entry_ = ctx.entry();
  auto options = options_.subscriber;
  if (options_.record) options.observer = &recorder_.emplace("subscriber", options_.record);
  realtime::SubscriberEvents& events = *this;
  subscriber_ = std::make_unique<realtime::Subscriber>(ctx.core(), std::move(options), events);
}

void TopicListener::handle(StopListening) {
  stopping_ = true;
  subscriber_->close();
}

void TopicListener::on_message(const realtime::ServerFrame& message) {
  entry_([&] {
    if (stopping_) return;
    options_.view.append(unwritten_, message);
    ctx_->core().at_turn_end(*this);
    if (++received_ == options_.count) {
      stopping_ = true;
      subscriber_->close();
    }
  });
}

void TopicListener::on_turn_end() {
  entry_([&] { write(); });
}

void TopicListener::on_gap(const realtime::ServerFrame& gap) {
  tell(fmt::format("gap: {} {}..{} will not come ({})", gap.topic, gap.from, gap.to, gap.reason));
}

void TopicListener::on_loss(const realtime::Loss& loss) {
  if (loss.from > 0) return tell(fmt::format("lost: {} {}..{} is no longer kept", loss.topic, loss.from, loss.to));
  tell(fmt::format("lost: {} goes on from now; what came meanwhile is not known", loss.topic));
}

void TopicListener::on_live() { tell("subscribed"); }

void TopicListener::on_interrupted(const std::string& why, base::Duration wait) {
  tell(fmt::format("{}; again in {:.1f} s", why, std::chrono::duration<double>(wait).count()));
}

void TopicListener::on_note(const std::string& words) { tell(words); }

void TopicListener::on_over(const std::string& why) {
  entry_([&] { end(stopping_ ? std::nullopt : std::optional{why}); });
}

void TopicListener::write() {
  if (unwritten_.empty()) return;
  const std::error_code error = options_.out(std::exchange(unwritten_, {}));
  if (!error) return;
  if (error != std::errc::broken_pipe) unwritable_ = fmt::format("messages cannot be written: {}", error.message());
  if (!std::exchange(stopping_, true)) subscriber_->close();
}

/// What was received before comes before it.
void TopicListener::tell(std::string_view words) {
  entry_([&] {
    write();
    std::string line;
    options_.view.append_note(line, words, ctx_->wall());
    options_.err(line);
  });
}

void TopicListener::end(std::optional<std::string> why) {
  if (std::exchange(ended_, true)) return;
  write();
  options_.done(unwritable_ ? std::move(unwritable_) : std::move(why));
}

}  // namespace troupe::app
