// EchoActor: what came in one turn leaves in one write.
#include "troupe/realtime/connection/echo.h"

#include <array>

namespace troupe::realtime {

EchoActor::EchoActor(std::shared_ptr<ConnectionSite> site, EchoHandover handover)
    : site_(std::move(site)), parts_(std::move(handover)) {
  limits_.control_bytes_max = SIZE_MAX;  // bounded by the pause in reading instead
}

void EchoActor::started(actor::Context& ctx) {
  core_ = &ctx.core();
  self_ = ctx.self(this);
  link_ = std::move(parts_->link);
  if (link_ == nullptr) return ctx.stop();
  if (parts_->deflate) outbox_.code_with(&compression_.emplace(site_->compression, *parts_->deflate));
  link_->start(*this, {.message_bytes_max = parts_->message_bytes_max},
               compression_ ? &compression_->inflater() : nullptr);
}

void EchoActor::on_message(web::Opcode opcode, std::string_view message) {
  FrameBuilder builder{message.size()};
  builder.body() += message;
  outbox_.push_control(std::move(builder).finish(opcode));
  if (outbox_.control_bytes() > limits_.control_bytes_pause) link_->pause_reading();
  core_->at_turn_end(*this);
}

void EchoActor::on_turn_end() {
  std::array<iovec, 64> parts;
  while (auto used = outbox_.gather(parts)) {
    std::size_t offered = 0;
    for (const auto& part : std::span{parts}.first(used)) offered += part.iov_len;
    auto taken = link_->write_some(std::span{parts}.first(used));
    outbox_.written(taken);
    if (taken < offered) return;  // on_writable() follows
  }
  link_->resume_reading();
}

}  // namespace troupe::realtime
