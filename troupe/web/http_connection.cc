// The connection's life: reading, serving, writing, ending. Events of the stream enter the
// actor through its Entry, so a fault in them is the actor's.
#include "troupe/web/http_connection.h"

#include <algorithm>
#include <utility>

#include "troupe/base/check.h"
#include "troupe/base/log.h"
#include "troupe/web/handshake.h"
#include "troupe/web/response_stream.h"
#include "troupe/web/response_text.h"
#include "troupe/web/websocket_link.h"

namespace troupe::web {
namespace {

constexpr std::size_t forgotten_at_once = 64 * 1024;  // of what was sent, while more waits
constexpr std::size_t kept_bytes = 4 * 1024;          // of memory for the next answer, while nothing waits

/// The result of the work, or what its exception says.
template <class T>
actor::Task<std::expected<T, std::string>> attempt(actor::Task<T> work) {
  try {
    T result = co_await std::move(work);
    co_return result;
  } catch (const std::exception& error) {
    co_return std::unexpected(std::string{error.what()});
  } catch (...) {
    co_return std::unexpected(std::string{"an exception of an unknown kind"});
  }
}

bool is_answered_during_drain(const Route* route) {
  return route != nullptr && route->options.during_drain == DuringDrain::answered;
}

Response too_much_received() {
  auto response = problem(503, "too much is being received; try again later");
  response.headers.set("Retry-After", "1");
  response.refusal = Refusal::limit;
  return response;
}

Response going_away() {
  auto response = problem(503, "the server is going away");
  response.headers.set("Retry-After", "1");  // by a new connection, which finds another server
  response.refusal = Refusal::draining;
  return response;
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpSite> site, StreamHandover stream)
    : site_(std::move(site)),
      stream_(std::move(*stream)),
      reader_(site_->router, site_->options.limits, stream_ ? stream_->peer() : net::PeerAddress{}),
      receiving_(site_->receiving),
      came_late_(site_->draining),
      draining_(site_->draining) {}

void HttpConnection::started(actor::Context& ctx) {
  ctx_ = &ctx;
  entry_ = ctx.entry();
  if (!stream_) return end();  // a restart: the stream went with the first incarnation
  enter(Phase::idle);
  stream_->start(*this);
}

void HttpConnection::inspect(actor::Inspection& out) const {
  if (!stream_) return;
  out.add("peer", stream_->peer().text());
  out.add("backlog_bytes", backlog_bytes());
  out.add("unsent_bytes", unsent_.size() - sent_);
  out.add("held_bytes", backlog_.capacity() + unsent_.capacity());
}

// --- reading ---------------------------------------------------------------------------

void HttpConnection::on_bytes(std::span<char> bytes) {
  entry_([&] {
    std::string_view text{bytes.data(), bytes.size()};
    switch (phase_) {
      case Phase::idle:
      case Phase::in_head:
      case Phase::in_body:
        return hold_back(read(text));
      case Phase::serving:
      case Phase::stalled:
        if (given_up_) return;
        return hold_back(text);
      case Phase::closing:
      case Phase::lingering:
      case Phase::ended:
        return;
    }
  });
}

/// Gives what is behind the request that is to be served now; else all has been read.
std::string_view HttpConnection::read(std::string_view bytes) {
  using Step = RequestReader::Step;
  while (true) {
    const auto step = reader_.next(bytes);
    if (step == Step::send_continue) {
      unsent_ += "HTTP/1.1 100 Continue\r\n\r\n";
      send_at_turn_end();
      continue;
    }
    if (step == Step::request) {
      request_ = reader_.take_request();
      enter(Phase::serving);
      ctx_->self(this).tell(ServeRequest{});
      return bytes;
    }
    pause_at(step);
    return {};
  }
}

/// All has been read, up to such a place.
void HttpConnection::pause_at(RequestReader::Step step) {
  using Step = RequestReader::Step;
  if (step == Step::refused) return respond_and_close(reader_.take_refusal());
  if (input_ended_ || (draining_ && step == Step::idle)) keep_alive_ = false;  // no more comes, or is wanted
  if (!keep_alive_) return end_when_sent();
  if (step == Step::idle) return enter(Phase::idle);
  enter(step == Step::in_head ? Phase::in_head : Phase::in_body);
}

// Others sent, and this one had held for the longest. Also from inside of another connection's events. Answers that are
// owed go first.
void HttpConnection::give_up_received() {
  entry_([&] {
    if (phase_ != Phase::serving && phase_ != Phase::stalled) return respond_and_close(too_much_received());
    given_up_ = true;
    forget_backlog();
    wait_for_room();  // to throw away what still comes
  });
}

/// Keeps what came behind the request that is being served; past the limit the client has to wait.
void HttpConnection::hold_back(std::string_view bytes) {
  if (!bytes.empty()) {
    if (backlog_read_ * 2 >= backlog_.size()) backlog_.erase(0, std::exchange(backlog_read_, 0));
    backlog_ += bytes;
  }
  wait_for_room();
  count_received();
}

/// What is held of what the client has sent, in a request that is not whole or behind one that is served. It may have
/// to be given up at once.
void HttpConnection::count_received() {
  if (phase_ >= Phase::closing) return;
  receiving_.hold(*this, backlog_bytes() + (phase_ == Phase::in_body ? reader_.body_bytes() : 0));
}

void HttpConnection::forget_backlog() {  // and its memory
  (void)std::exchange(backlog_, {});
  backlog_read_ = 0;
}

/// Reads on as long as no more is held back than may be.
void HttpConnection::wait_for_room() {
  const bool is_full = backlog_bytes() > site_->options.backlog_bytes_max;
  if (stream_ == nullptr || is_full == std::exchange(paused_, is_full)) return;
  is_full ? stream_->pause_reading() : stream_->resume_reading();
}

/// Goes on with what has been held back, unless the client does not take its answers.
void HttpConnection::next_request() {
  if (!keep_alive_) return enter(Phase::closing);
  if (unsent_.size() - sent_ > site_->options.unsent_bytes_max) return enter(Phase::stalled);
  if (given_up_) return respond_and_close(too_much_received());
  enter(Phase::idle);
  // In its place: to copy the rest for each of many requests would take the square of them.
  const auto left = read(std::string_view{backlog_}.substr(backlog_read_));
  backlog_read_ = backlog_.size() - left.size();
  if (left.empty()) forget_backlog();
  wait_for_room();
  count_received();
}

void HttpConnection::on_closed(net::CloseReason reason) {
  entry_([&] {
    input_ended_ = true;
    if (reason == net::CloseReason::reset || phase_ == Phase::lingering) return lost();
    const bool is_reading = phase_ == Phase::idle || phase_ == Phase::in_head || phase_ == Phase::in_body;
    if (is_reading) end_when_sent();
  });
}

// --- serving ---------------------------------------------------------------------------

actor::Task<void> HttpConnection::handle(ServeRequest, actor::Context& ctx) {
  auto [request, match, keep_alive, tells_keep_alive] = std::move(*request_);
  request_.reset();
  keep_alive_ = keep_alive;

  // 1. Who asks.
  request.secure = site_->options.secure;
  site_->guard.identify(request, ctx.random());
  request.during_drain = site_->draining;
  Asked asked{.head_only = request.method == Method::head,
              .tells_keep_alive = tells_keep_alive,
              .secure = request.secure,
              .method = request.method_text,
              .path = request.path,
              .request_id = request.request_id,
              .at = ctx.now()};
  if (site_->options.trace.enabled) trace(request, ctx);
  const bool may_upgrade = std::holds_alternative<const UpgradeHandler*>(match);
  const Request handshake = may_upgrade ? request : Request{};
  const Route* route = Router::route_in(match);

  // 2. The answer: a response, a WebSocket, or a response without an end.
  auto answered = co_await attempt(answer(std::move(request), std::move(match)));
  if (client_is_gone_) {
    end();
    co_return;
  }
  if (!answered) answered = in_place_of(route, failed(asked, answered.error()));
  if (auto* accept = std::get_if<Accept>(&*answered)) {
    hand_over(handshake, std::move(*accept), asked);
    co_return;
  }
  if (auto* streaming = std::get_if<Streaming>(&*answered)) {
    hand_over(std::move(*streaming), asked);
    co_return;
  }

  // 3. Sent, and on to what has come meanwhile.
  respond(std::move(std::get<Response>(*answered)), std::move(asked));
  next_request();
}

/// Lets the request be a part of its client's trace, or of one that begins here.
void HttpConnection::trace(const Request& request, actor::Context& ctx) const {
  auto parent = base::parse_traceparent(request.header("traceparent"));
  const bool sampled = parent ? parent->sampled : ctx.random().unit() < site_->options.trace.share;
  if (!sampled) return;
  if (!parent) parent = base::TraceContext{.sampled = true};
  ctx.trace(*parent, std::string{request.method_text} + " " + request.path);
}

/// The guard's word, the router's, or a handler's.
actor::Task<HttpConnection::Answer> HttpConnection::answer(Request request, Router::Match match) {
  const Route* route = Router::route_in(match);
  if (auto refused = site_->guard.refuse(request, ctx_->now())) co_return in_place_of(route, std::move(*refused));
  if (came_late_ && !is_answered_during_drain(route)) co_return in_place_of(route, going_away());
  if (auto* ready = std::get_if<Response>(&match)) co_return std::move(*ready);
  if (route != nullptr) {
    Response response = co_await route->handler(std::move(request));
    co_return response;
  }
  if (auto* stream = std::get_if<const StreamHandler*>(&match)) {
    StreamAnswer answer = co_await (**stream)(std::move(request));
    co_return std::visit([](auto& one) -> Answer { return std::move(one); }, answer);
  }
  if (auto refusal = handshake_refusal(request)) co_return std::move(*refusal);
  Upgrade upgrade = co_await (*std::get<const UpgradeHandler*>(match))(std::move(request));
  co_return std::visit([](auto& one) -> Answer { return std::move(one); }, upgrade);
}

/// One line for each answer that is a failure, with the id that the client got. The query may hold secrets.
void HttpConnection::tell_failure(int status, const Asked& asked) {
  base::log::warning(
      "web", "a request failed",
      {{"method", asked.method}, {"path", asked.path}, {"status", status}, {"request", asked.request_id}});
}

/// What a client is told when a handler threw; the reason is for the log alone.
Response HttpConnection::failed(Asked& asked, std::string_view what) {
  site_->metrics.handler_faults.add();
  asked.failure_is_told = true;
  base::log::error("web", "a handler failed",
                   {{"method", asked.method}, {"path", asked.path}, {"request", asked.request_id}, {"what", what}});
  return problem(500, "the server failed to answer; this has been noted");
}

/// Sends the 101 behind all earlier answers, gives the stream away and ends.
void HttpConnection::hand_over(const Request& request, Accept accept, const Asked& asked) {
  if (input_ended_) return end_when_sent();                      // it has gone meanwhile, and its stream says so once
  if (given_up_) return respond_and_close(too_much_received());  // what it has said behind the handshake
  site_->metrics.answered(101, ctx_->now() - asked.at);
  append_response(unsent_, handshake_response(request, accept.subprotocol, accept.extensions),
                  {.with_body = false, .request_id = request.request_id, .date = {}});
  flush();
  auto link = open_websocket(ctx_->core(), std::move(stream_), site_->receiving, unsent_.substr(sent_),
                             backlog_.substr(backlog_read_));
  unsent_ = {};
  sent_ = 0;
  end();
  accept.attach(std::move(link));
}

/// Sends the head behind all earlier answers, gives the stream away and ends.
void HttpConnection::hand_over(Streaming streaming, const Asked& asked) {
  INVARIANT(is_writable(streaming.head), "the head of a stream is made by us");
  if (input_ended_) return end_when_sent();  // who says no more while it is answered is not there to listen either
  site_->metrics.answered(streaming.head.status, ctx_->now() - asked.at);
  append_response(unsent_, std::move(streaming.head),
                  {.with_body = false,
                   .body_follows = true,
                   .keep_alive = false,
                   .secure = asked.secure,
                   .request_id = asked.request_id,
                   .date = site_->date.at(ctx_->wall())});
  flush();
  auto response = open_response(ctx_->core(), std::move(stream_), unsent_.substr(sent_));
  unsent_ = {};
  sent_ = 0;
  end();
  streaming.attach(std::move(response));
}

// --- writing ---------------------------------------------------------------------------

void HttpConnection::respond(Response response, Asked asked) {
  if (!is_writable(response)) response = failed(asked, "a header of its response would break a line");
  if (draining_ || response.headers.has_token("connection", "close")) keep_alive_ = false;
  site_->metrics.answered(response.status, ctx_->now() - asked.at, response.refusal);
  const bool is_failure = response.status >= 500 && response.refusal == Refusal::none;
  if (is_failure && !asked.failure_is_told) tell_failure(response.status, asked);
  append_response(unsent_, std::move(response),
                  {.with_body = !asked.head_only,
                   .keep_alive = keep_alive_,
                   .tells_keep_alive = asked.tells_keep_alive,
                   .secure = asked.secure,
                   .request_id = asked.request_id,
                   .date = site_->date.at(ctx_->wall())});
  send_at_turn_end();
}

void HttpConnection::respond_and_close(Response response) {
  keep_alive_ = false;
  respond(std::move(response), {.head_only = reader_.asks_for_head(), .at = ctx_->now()});
  reader_.forget();
  enter(Phase::closing);
}

/// What is unsent goes in the one write at the end of this turn.
void HttpConnection::send_at_turn_end() { ctx_->core().at_turn_end(*this); }

void HttpConnection::on_turn_end() {
  entry_([&] { flush(); });
}

void HttpConnection::on_writable() {
  entry_([&] { flush(); });
}

void HttpConnection::flush() {
  if (!stream_) return;
  if (!all_is_sent()) {
    iovec rest{unsent_.data() + sent_, unsent_.size() - sent_};
    std::size_t taken = stream_->write_some({&rest, 1});
    sent_ += taken;
    if (!all_is_sent()) watch_client(taken);
    if (sent_ >= forgotten_at_once && sent_ * 2 >= unsent_.size()) unsent_.erase(0, std::exchange(sent_, 0));
  }
  if (all_is_sent()) {
    write_deadline_ = base::Instant::never();
    if (unsent_.capacity() > kept_bytes) (void)std::exchange(unsent_, {});
    unsent_.clear();
    sent_ = 0;
    const bool begins_to_idle = phase_ == Phase::idle && phase_deadline_ == base::Instant::never();
    if (begins_to_idle && (draining_ || input_ended_)) return end();
    if (begins_to_idle) arm(phase_deadline_ = ctx_->now() + site_->options.idle_time_max);
  }
  if (phase_ == Phase::stalled && unsent_.size() - sent_ <= site_->options.unsent_bytes_max) return next_request();
  if (phase_ != Phase::closing || !all_is_sent()) return;
  if (input_ended_) return end();
  // Closing at once could destroy the last answer on its way, when the client is still sending.
  enter(Phase::lingering);
  stream_->shutdown_write();
}

/// Answers wait, and the client just took so much of them. A byte now and then earns no more time, or it would hold
/// them for ever.
void HttpConnection::watch_client(std::size_t taken) {
  const bool begins = write_deadline_ == base::Instant::never();
  taken_in_time_ = begins ? 0 : taken_in_time_ + taken;
  if (!begins && taken_in_time_ < site_->options.write_bytes_min) return;
  taken_in_time_ = 0;
  arm(write_deadline_ = ctx_->now() + site_->options.write_time_max);
}

// --- time and the end ------------------------------------------------------------------

/// Every change of phase begins its time anew; staying in one does not.
void HttpConnection::enter(Phase phase) {
  if (phase_ == phase) return;
  phase_ = phase;
  const HttpOptions& options = site_->options;
  switch (phase) {
    case Phase::idle:
      if (all_is_sent()) return arm(phase_deadline_ = ctx_->now() + options.idle_time_max);
      phase_deadline_ = base::Instant::never();  // until it is: who still takes an answer is not silent
      return;
    case Phase::in_head:
      return arm(phase_deadline_ = ctx_->now() + options.head_time_max);
    case Phase::in_body:
      return arm(phase_deadline_ = ctx_->now() + options.body_time_max);
    case Phase::lingering:
      return arm(phase_deadline_ = ctx_->now() + options.linger_time_max);
    case Phase::closing:
    case Phase::ended:
      forget_backlog();
      receiving_.hold(*this, 0);
      [[fallthrough]];
    case Phase::serving:  // a handler's own questions have their deadlines
    case Phase::stalled:
      phase_deadline_ = base::Instant::never();
  }
}

/// One message is under way at most for each time that comes before all others.
void HttpConnection::arm(base::Instant when) {
  if (when >= check_at_) return;
  check_at_ = when;
  ctx_->after(this, when - ctx_->now(), CheckDeadlines{});
}

void HttpConnection::handle(CheckDeadlines, actor::Context& ctx) {
  if (ctx.now() >= check_at_) check_at_ = base::Instant::never();
  if (phase_ == Phase::ended) return;
  if (ctx.now() >= write_deadline_) return lost();
  if (ctx.now() >= phase_deadline_) {
    bool is_reading = phase_ == Phase::in_head || phase_ == Phase::in_body;
    return is_reading ? respond_and_close(problem(408, "the request took too long to arrive")) : end();
  }
  base::Instant next = std::min(write_deadline_, phase_deadline_);
  if (next != base::Instant::never()) arm(next);
}

void HttpConnection::handle(DrainConnection, actor::Context&) {
  draining_ = true;
  if (phase_ == Phase::idle && all_is_sent()) end();
}

/// Nobody is there any more. A handler at work is let finish, for its effects may be half done.
void HttpConnection::lost() {
  if (phase_ != Phase::serving) return end();
  client_is_gone_ = true;
  stream_->close();
}

/// Nothing more is read.
void HttpConnection::end_when_sent() {
  keep_alive_ = false;
  all_is_sent() ? end() : enter(Phase::closing);
}

void HttpConnection::end() {
  enter(Phase::ended);
  stream_.reset();
  ctx_->stop();
}

}  // namespace troupe::web
