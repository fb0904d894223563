// ConnectionSupervisor: opening, the one timer, and what concerns all connections of the core.
#include "troupe/realtime/connection/connection_supervisor.h"

#include <algorithm>
#include <new>

#include "troupe/realtime/connection/event_stream_link.h"
#include "troupe/realtime/connection/websocket_actor.h"

namespace troupe::realtime {

namespace {

// How long a revocation is remembered: longer than a verified token can take to reach its connection.
constexpr base::Duration revocation_kept = std::chrono::seconds{60};

// A topic's home that does not answer is asked again.
constexpr base::Duration spill_answer_within = std::chrono::seconds{2};
constexpr base::Duration spill_retry_after = std::chrono::seconds{1};

// What concerns many connections is done with each of them: one that there is no memory for closes, and the others have
// their turn.
template <class Step>
void do_with(Connection& connection, Step step) {
  try {
    step();
  } catch (const std::bad_alloc&) {
    connection.close(wire::close_code::internal_error, "out of memory");
  }
}

}  // namespace

actor::Supervision connection_supervision() {
  // Each connection counts its own failures and closes itself; a sum over all of them would let a few clients end
  // the connections of the others.
  return {.intensity = {.restarts = UINT32_MAX, .within = std::chrono::seconds{1}},
          .backoff = {.min = std::chrono::milliseconds{10},
                      .max = std::chrono::seconds{1},
                      .attempts_max = actor::Backoff::unbounded}};
}

void ConnectionSupervisor::started(actor::Context& ctx) {
  site_->supervisor = ctx.self(this);
  site_->figures.outbox.dropped.use(*site_->settings);
  site_->armed = base::Instant::never();
  if (!site_->pressure.empty()) handle(PressureBegins{}, ctx);
  if (!site_->revoked.empty()) handle(ForgetRevocations{}, ctx);
}

void ConnectionSupervisor::stopped(actor::Context&) {
  connections_.for_each([](Connection& connection) { connection.end(); });
}

void ConnectionSupervisor::handle(OpenConnection message, actor::Context& ctx) {
  open({site_, next_number_++, std::move(message.link), std::move(message.identity), std::move(message.lease),
        std::move(message.deflate), std::move(message.session), message.address},
       ctx);
}

void ConnectionSupervisor::handle(OpenEventStream message, actor::Context& ctx) {
  ConnectionParts parts{site_, next_number_++, open_event_stream(ctx.core(), std::move(message.response))};
  parts.identity = std::move(message.identity);
  parts.lease = std::move(message.lease);
  parts.address = message.address;
  parts.events = std::move(message.parts);
  open(std::move(parts), ctx);
}

void ConnectionSupervisor::open(ConnectionParts parts, actor::Context& ctx) {
  const auto number = parts.number;
  auto connection = base::make_local<Connection>(ctx.core(), std::move(parts));
  // A full mailbox answers `overloaded`; the pause in reading comes long before.
  auto capacity = static_cast<std::uint32_t>(site_->options.commands_pause * 2 + 16);
  // Without a name and unwatched, for either costs half a kilobyte; it says itself who it is, and when it ends.
  ctx.spawn<WebSocketActor>({.mailbox = {.capacity = capacity}, .restart = actor::Restart::transient}, connection);
  // It was let in before the doors were closed, and arrives behind those who were told to go.
  if (drained_at_) send_away(*connection, *drained_at_ - ctx.now(), ctx);
  connections_.add(number, std::move(connection));
}

void ConnectionSupervisor::handle(OpenEcho message, actor::Context& ctx) {
  ctx.spawn<EchoActor>({.restart = actor::Restart::temporary}, site_, std::make_shared<OpenEcho>(std::move(message)));
}

void ConnectionSupervisor::handle(const ConnectionEnded& message) { connections_.erase(message.connection); }

// Whatever is thrown, the clock goes on: nobody says anything to it while it is believed to be set.
void ConnectionSupervisor::handle(LookAtClock, actor::Context& ctx) {
  const auto now = ctx.now();
  try {
    while (site_->due.earliest() <= now) {
      auto& connection = static_cast<Connection&>(site_->due.first());
      // Guards against a connection that stays due: it gets its turn again with the next timer.
      site_->due.move(connection, base::Instant::never());
      do_with(connection, [&] { connection.on_time(now); });
    }
  } catch (...) {
    arm(ctx);
    throw;
  }
  arm(ctx);
}

void ConnectionSupervisor::arm(actor::Context& ctx) {
  site_->armed = base::Instant::never();  // should there be no memory for the timer, the next that is due says so
  const auto earliest = site_->due.earliest();
  if (earliest == base::Instant::never()) return ctx.cancel("clock");
  auto in = std::max(earliest - ctx.now(), base::Duration{std::chrono::milliseconds{1}});
  ctx.after(this, "clock", in, LookAtClock{});
  site_->armed = earliest;
}

// The pause after a question that nobody answered is made here, so that the connection may ask again at once.
actor::Task<void> ConnectionSupervisor::handle(ReadSpilled message, actor::Context& ctx) {
  const auto& wanted = message.wanted;
  ReadHistory request{wanted.topic, message.messages_max, Direction::since, wanted.after};
  const auto& home = site_->routing.home(wanted.topic.text());
  auto page = co_await home.within(spill_answer_within).ask(ReadTopic{std::move(request)});
  if (!page) co_await ctx.sleep(spill_retry_after);
  auto* connection = connections_.find(message.connection);
  if (connection == nullptr) co_return;
  connection->take_spilled(wanted, page ? std::optional{*std::move(page)} : std::nullopt);
}

// Most of the time everybody keeps up, and no timer is armed.
void ConnectionSupervisor::handle(PressureBegins, actor::Context& ctx) {
  ctx.after(this, "pressure", pressure_repeated, RepeatPressure{});
}

void ConnectionSupervisor::handle(RepeatPressure, actor::Context& ctx) {
  if (site_->pressure.empty()) return;
  handle(PressureBegins{}, ctx);
  const auto& routers = *site_->routing.routers;
  auto topics = site_->pressure.by_home(routers.size());
  for (std::size_t home = 0; home < routers.size(); ++home) {
    if (!topics[home].empty()) routers[home].tell(TopicsPressed{site_->routing.here, std::move(topics[home])});
  }
}

// By a timer of their own: where nobody is connected, no clock runs, and tokens are revoked all the same.
void ConnectionSupervisor::handle(ForgetRevocations, actor::Context& ctx) {
  auto& revoked = site_->revoked;
  std::erase_if(revoked, [&](const auto& entry) { return entry.second + revocation_kept <= ctx.now(); });
  if (!revoked.empty()) ctx.after(this, "revocations", revocation_kept, ForgetRevocations{});
}

void ConnectionSupervisor::handle(const TokenRevoked& message, actor::Context& ctx) {
  connections_.for_each([&](Connection& connection) {
    if (connection.token() != message.token) return;
    do_with(connection, [&] { connection.close_token("the token was revoked"); });
  });
  if (site_->revoked.empty()) ctx.after(this, "revocations", revocation_kept, ForgetRevocations{});
  site_->revoked[message.token] = ctx.now();
}

// Each gets a slot of its own, so that the rate at which they come back elsewhere is even from the first to the last;
// even rates of the cores add up to an even one. By lot, for those who came together shall not all leave together; and
// at a random time within the slot, for the slots of several cores, or nodes, begin at the same time.
void ConnectionSupervisor::handle(const DrainConnections& message, actor::Context& ctx) {
  const auto until = ctx.now() + message.over;
  drained_at_ = drained_at_ ? std::min(*drained_at_, until) : until;
  std::vector<Connection*> order;
  order.reserve(connections_.size());
  connections_.for_each([&](Connection& connection) { order.push_back(&connection); });
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[ctx.random().below(left)]);
  }
  const double slot = static_cast<double>(message.over.count()) / static_cast<double>(std::max(order.size(), 1uz));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double offset = slot * (static_cast<double>(i) + ctx.random().unit());
    const auto at = ctx.now() + base::Duration{static_cast<std::int64_t>(offset)};
    do_with(*order[i], [&] { order[i]->drain(at); });
  }
}

void ConnectionSupervisor::send_away(Connection& connection, base::Duration over, actor::Context& ctx) {
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(over.count(), 1));
  connection.drain(ctx.now() + base::Duration{static_cast<std::int64_t>(ctx.random().below(spread))});
}

void ConnectionSupervisor::handle(const CloseConnections& message) {
  connections_.for_each(
      [&](Connection& connection) { do_with(connection, [&] { connection.close(message.code, message.reason); }); });
}

void ConnectionSupervisor::handle(const ReplaceConnection& message) {
  if (auto* connection = connections_.find(message.connection)) connection->replace(message.session);
}

// Whatever becomes of it the home is told, for it tells nobody anything more before.
void ConnectionSupervisor::handle(const DeliverPresence& message) {
  const auto& home = (*site_->routing.presence)[message.home];
  try {
    tell_watchers(message);
  } catch (...) {
    home.tell(PresenceDelivered{});
    throw;
  }
  home.tell(PresenceDelivered{});
}

void ConnectionSupervisor::tell_watchers(const DeliverPresence& message) {
  for (const auto& [topic, frame] : message.frames) {
    const auto* watching = site_->watchers.of(topic);
    if (watching == nullptr) continue;
    for (auto number : *watching) {
      auto* connection = connections_.find(number);
      if (connection == nullptr) continue;
      do_with(*connection, [&] { connection->answer(frame); });  // who comes again asks who is there
    }
  }
}

void ConnectionSupervisor::handle(const RepeatPresence& message) {
  const auto& homes = *site_->routing.presence;
  homes[message.home].tell(WatchesRepeated{site_->routing.here, site_->watchers.topics(message.home, homes.size())});
}

void ConnectionSupervisor::handle(UseSettings message) {
  site_->settings = std::move(message.settings);
  site_->figures.outbox.dropped.use(*site_->settings);
  connections_.for_each([](Connection& connection) { do_with(connection, [&] { connection.review(); }); });
}

void ConnectionSupervisor::handle(const UseConnectionOptions& message) {
  site_->options = message.options;
  site_->compression.use(message.options.compression);
}

ConnectionFigures ConnectionSupervisor::handle(const MeasureConnections&) const {
  auto figures = site_->figures;
  figures.compression = site_->compression.figures();
  connections_.for_each([&](const Connection& connection) {
    figures.waiting += connection.outbox().waiting();
    figures.waiting_bytes += connection.outbox().waiting_bytes();
  });
  return figures;
}

std::vector<ListedConnection> ConnectionSupervisor::handle(const ListConnections& message) const {
  std::vector<ListedConnection> list;
  connections_.visit_after(message.after, [&](Connection& connection) {
    if (list.size() == message.limit) return false;
    if (connection.is_going()) return true;
    const auto& session = connection.session();
    list.push_back({connection.number(), session.connection, session.identity.user, session.subscription_count(),
                    connection.figures().queue, connection.address(), connection.is_stream()});
    return true;
  });
  return list;
}

template <class Which>
std::size_t ConnectionSupervisor::dismiss(Which&& which) {
  std::size_t closed = 0;
  connections_.for_each([&](Connection& connection) {
    if (connection.is_going() || !which(connection.session())) return;
    do_with(connection, [&] { connection.dismiss(); });
    ++closed;
  });
  return closed;
}

std::size_t ConnectionSupervisor::handle(const CloseConnection& message) {
  return dismiss([&](const Session& session) { return session.connection == message.id; });
}

std::size_t ConnectionSupervisor::handle(const CloseUser& message) {
  return dismiss([&](const Session& session) { return session.identity.user == message.user; });
}

void ConnectionSupervisor::inspect(actor::Inspection& out) const {
  out.add("connections", connections_.size());
  out.add("frames_in", site_->figures.frames_in);
  out.add("bytes_out", site_->figures.bytes_out);
  out.add("revoked_lately", site_->revoked.size());
}

}  // namespace troupe::realtime
