// The server: from an accepted stream to a supervised connection.
#include "troupe/web/http_server.h"

#include <utility>

#include "troupe/base/log.h"

namespace troupe::web {
namespace {

constexpr base::Duration over_after = std::chrono::seconds{1};  // without a connection that could not be taken

}  // namespace

void HttpServer::started(actor::Context& ctx) {
  ctx_ = &ctx;
  entry_ = ctx.entry();
  auto own = options_.metrics == nullptr ? std::make_unique<base::Metrics>() : nullptr;
  HttpMetrics metrics{own ? *own : *options_.metrics};
  site_ =
      std::make_shared<HttpSite>(Router{}, Guard{options_.guard}, options_.http, metrics,
                                 base::make_local<ReceiveBudget>(options_.http.receiving_bytes_max), std::move(own));
  options_.routes(site_->router, ctx);
  listener_ = options_.listen(ctx.core());
  address_ = listener_->address();
  listener_->start(*this);
}

void HttpServer::on_stream(std::unique_ptr<net::Stream> stream) {
  entry_([&] {
    const auto address = stream->peer().ip;
    if (!by_address_.enter(address)) {
      site_->metrics.connections_refused.add();
      return stream.reset();
    }
    auto handover = std::make_shared<std::unique_ptr<net::Stream>>(std::move(stream));
    auto connection = ctx_->spawn<HttpConnection>({.restart = actor::Restart::temporary}, site_, std::move(handover));
    connections_.emplace(connection.address().cell->id(), Open{connection, address});
    site_->metrics.connections.add(1);
    ctx_->watch(this, connection);
    if (is_full()) listener_->pause();
  });
}

/// Descriptors come back when connections end; until then there is nothing to do but wait a little.
void HttpServer::on_exhausted() {
  entry_([&] {
    exhausted_at_ = ctx_->now();
    if (exhaustion_.failed(exhausted_at_))
      base::log::warning("web", "no descriptors are left; accepting pauses", {{"address", address_.text()}});
    ctx_->after(this, std::chrono::milliseconds{100}, ResumeAccepting{});
    if (!std::exchange(looks_, true)) ctx_->after(this, over_after, LookAtAccepting{});
  });
}

/// It is over when a second has passed in which all who came were taken.
void HttpServer::handle(LookAtAccepting) {
  looks_ = false;
  if (!listener_) return;
  const base::Duration since = ctx_->now() - exhausted_at_;
  if (since < over_after) {
    looks_ = true;
    ctx_->after(this, over_after - since, LookAtAccepting{});
  } else if (const auto lasted = exhaustion_.worked(exhausted_at_)) {
    base::log::info("web", "descriptors are there again; accepting goes on",
                    {{"address", address_.text()}, {"lasted_ms", *lasted / std::chrono::milliseconds{1}}});
  }
}

void HttpServer::handle(ResumeAccepting) {
  if (listener_ && !is_full()) listener_->resume();
}

void HttpServer::handle(actor::Terminated message) {
  const auto ended = connections_.find(message.id);
  if (ended == connections_.end()) return;
  bool was_full = is_full();
  by_address_.leave(ended->second.address);
  connections_.erase(ended);
  site_->metrics.connections.add(-1);
  if (listener_ && was_full && !is_full()) listener_->resume();
}

void HttpServer::handle(Drain) {
  site_->draining = true;
  for (const auto& [id, open] : connections_) open.connection.tell(DrainConnection{});
}

actor::Task<std::size_t> HttpServer::handle(Close message, actor::Context& ctx) {
  constexpr auto look_every = std::chrono::milliseconds{20};
  const base::Instant until = ctx.now() + message.within;
  listener_.reset();
  handle(Drain{});  // also those who came meanwhile
  while (!connections_.empty() && ctx.now() < until) {
    co_await ctx.sleep(look_every);
  }
  co_return connections_.size();
}

void HttpServer::inspect(actor::Inspection& out) const {
  out.add("address", address_.text());
  out.add("connections", connections_.size());
}

}  // namespace troupe::web
