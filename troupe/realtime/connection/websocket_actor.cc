// WebSocketActor: from a command's type to the function that runs it.
#include "troupe/realtime/connection/websocket_actor.h"

#include "troupe/realtime/command/run.h"

namespace troupe::realtime {

actor::Task<void> WebSocketActor::started(actor::Context& ctx) {
  connection_->attach(ctx.self(this));
  co_await connection_->arrive();
  if (!connection_->is_stream()) co_return;
  if (auto wanted = connection_->take_wanted(); wanted && connection_->is_open()) {
    connection_->begin();
    co_await run(*std::move(wanted), {}, *connection_);
    connection_->finish();
  }
  connection_->end_empty_stream();  // also of an earlier incarnation that failed at it
}

void WebSocketActor::stopped(actor::Context&) { connection_->depart(); }

actor::Task<void> WebSocketActor::handle(RunCommand message) {
  auto& [id, command] = connection_->begin(std::move(message.command));
  if (connection_->drops_commands()) co_return connection_->finish();
  auto task = std::visit([&](auto& chosen) { return run(std::move(chosen), id, *connection_); }, command);
  co_await std::move(task);
  connection_->finish();
}

actor::Task<void> WebSocketActor::handle(ResumeAnyway) {
  connection_->begin();
  if (connection_->session().restored) co_await run(Resume{}, {}, *connection_);
  connection_->finish();
}

// Commands wait meanwhile. Who cannot be restored comes back by itself.
actor::Task<void> WebSocketActor::handle(RestoreRoutes, actor::Context& ctx) {
  constexpr int tries_max = 10;
  constexpr std::uint16_t service_restart = 1012;
  connection_->begin();
  for (int tries = 0; connection_->has_lost_routes() && tries < tries_max; ++tries) {
    if (tries > 0) co_await ctx.sleep(std::chrono::milliseconds{50 + ctx.random().below(100)});
    co_await connection_->restore();
  }
  if (connection_->has_lost_routes()) connection_->close(service_restart, "the routing tables are being built anew");
  connection_->finish();
}

void WebSocketActor::inspect(actor::Inspection& out) const {
  const auto& session = connection_->session();
  auto figures = connection_->figures();
  out.add("connection", std::string{session.connection.value()});
  out.add("user", std::string{session.identity.user.value()});
  out.add("subscriptions", session.subscription_count());
  out.add("queue", figures.queue);
}

}  // namespace troupe::realtime
