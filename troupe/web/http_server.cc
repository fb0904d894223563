// The server: from an accepted stream to a supervised connection.
#include "troupe/web/http_server.h"

namespace troupe::web {

void HttpServer::started(actor::Context& ctx) {
  ctx_ = &ctx;
  entry_ = ctx.entry();
  site_ = std::make_shared<HttpSite>(HttpSite{.guard = Guard{options_.guard}, .options = options_.http});
  options_.routes(site_->router, ctx);
  listener_ = options_.listen(ctx.core());
  address_ = listener_->address();
  listener_->start(*this);
}

void HttpServer::on_stream(std::unique_ptr<net::Stream> stream) {
  entry_([&] {
    auto handover = std::make_shared<std::unique_ptr<net::Stream>>(std::move(stream));
    auto connection = ctx_->spawn<HttpConnection>({.restart = actor::Restart::temporary}, site_, std::move(handover));
    connections_.emplace(connection.address().cell->id(), connection);
    ctx_->watch(this, connection);
    if (is_full()) listener_->pause();
  });
}

/// Descriptors come back when connections end; until then there is nothing to do but wait a little.
void HttpServer::on_exhausted() {
  entry_([&] { ctx_->after(this, 100ms, ResumeAccepting{}); });
}

void HttpServer::handle(ResumeAccepting) {
  if (listener_ && !is_full()) listener_->resume();
}

void HttpServer::handle(actor::Terminated message, actor::Context& ctx) {
  bool was_full = is_full();
  connections_.erase(message.id);
  if (listener_ && was_full && !is_full()) listener_->resume();
  if (!listener_ && connections_.empty()) ctx.stop();
}

void HttpServer::handle(Drain, actor::Context& ctx) {
  listener_.reset();
  for (const auto& [id, connection] : connections_) connection.tell(DrainConnection{});
  if (connections_.empty()) ctx.stop();
}

void HttpServer::inspect(actor::Inspection& out) const {
  out.add("address", address_.text());
  out.add("connections", connections_.size());
  out.add("requests", site_ ? site_->requests : 0);
  out.add("handler_faults", site_ ? site_->handler_faults : 0);
}

}  // namespace troupe::web
