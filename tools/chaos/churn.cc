// A visitor has a time to go from the beginning; what happens to it before is counted.
#include "tools/chaos/churn.h"

#include <fmt/format.h>

#include <system_error>

namespace troupe::chaos {

using namespace std::chrono_literals;

void Churn::started(actor::Context& ctx) {
  ctx_ = &ctx;
  arrivals_.emplace(ctx.now(), options_.arrivals_per_second);
  ctx.every(this, "arrivals", 5ms, ArrivalsDue{});
}

void Churn::handle(ArrivalsDue, actor::Context& ctx) {
  base::Instant due;
  for (int i = 0; i < 100 && arrivals_->take(ctx.now(), due); ++i) arrive(ctx);
}

void Churn::arrive(actor::Context& ctx) {
  const auto number = ++numbered_;
  auto& visitor = *(visitors_[number] = std::make_unique<Visitor>(*this));
  realtime::ClientSocketEvents& events = visitor;
  try {
    visitor.socket =
        std::make_unique<realtime::ClientSocket>(ctx.core(), options_.dial(ctx.core()), options_.socket, events);
  } catch (const std::system_error&) {
    visitor.ended = true;
    ++figures_.refused;
  }
  ++figures_.arrived;
  const auto stay = static_cast<std::int64_t>(ctx.random().unit() * static_cast<double>(options_.stay_max.count()));
  ctx.after(this, base::Duration{stay}, GoAway{number});
}

void Churn::welcome(Visitor& visitor) {
  std::string topics;
  for (int i = 0; i < 3; ++i)
    topics += fmt::format(R"({}"soak.t{}")", i > 0 ? "," : "", ctx_->random().below(options_.topics));
  visitor.socket->send(wire::Opcode::text,
                       fmt::format(R"({{"type":"subscribe","id":"s","topics":[{}],"presence":true}})", topics));
  for (int i = 0; i < 2; ++i) {
    visitor.socket->send(wire::Opcode::text,
                         fmt::format(R"({{"type":"publish","topic":"soak.t{}","payload":"{:x>{}}"}})",
                                     ctx_->random().below(options_.topics), "", 20 + ctx_->random().below(400)));
    ++figures_.published;
  }
}

void Churn::Visitor::on_frame(wire::Opcode opcode, std::string_view message) {
  const auto frame = churn.reader_.read(opcode, message);
  if (!frame) return;
  if (frame->type == realtime::ServerFrameType::welcome) churn.welcome(*this);
  if (frame->type == realtime::ServerFrameType::message) ++churn.figures_.received;
  if (frame->type == realtime::ServerFrameType::error) ++churn.figures_.refused;
}

void Churn::Visitor::on_end(const realtime::SocketEnd& end) {
  if (end.cause != realtime::SocketEnd::Cause::closed) ++churn.figures_.refused;
  ended = true;
}

void Churn::handle(GoAway message, actor::Context& ctx) {
  const auto found = visitors_.find(message.visitor);
  if (found == visitors_.end()) return;
  auto& visitor = *found->second;
  if (visitor.socket && !visitor.ended && ctx.random().unit() >= options_.vanishing_share) {
    visitor.socket->close(wire::close_code::normal);
    return ctx.after(this, 6s, GoAway{message.visitor});
  }
  ++figures_.gone;
  visitors_.erase(found);
}

}  // namespace troupe::chaos
