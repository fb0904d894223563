// SystemSupervisor: the tree, drawn once at the start.
#include "troupe/realtime/service/system_supervisor.h"

#include <fmt/format.h>

#include "troupe/realtime/topic/topic_journal.h"

namespace troupe::realtime {

actor::Supervision system_supervision() {
  const auto rules = actor::on<RoutingTableCorrupted>(actor::Directive::restart)
                         .on<ConfigurationError>(actor::Directive::restart)
                         .otherwise(actor::Directive::resume);
  // What fails again and again within its intensity ends the service; what fails now and then never does.
  return {.backoff = {.attempts_max = actor::Backoff::unbounded},
          .decide = [rules](const actor::Fault& fault) -> actor::Decision {
            // Tables of presence are built anew rather than trusted after a fault: all they hold others know, too.
            if (fault.error == nullptr || fault.child.name.starts_with("presence-")) return actor::Directive::restart;
            // So are the writers of topics: each topic is read anew.
            if (fault.child.name.starts_with("journal-")) return actor::Directive::restart;
            return rules(fault);
          }};
}

namespace {

AdmissionLimits limits_of(const RealtimeOptions& options) {
  return {options.connections_max, options.connections_by_address_max, options.connections_by_user_max};
}

}  // namespace

SystemSupervisor::SystemSupervisor(base::Published<RealtimeOptions> options, Verifier verifier, std::size_t cores)
    : published_(std::move(options)), options_(published_.reader().read()), verifier_(verifier), cores_(cores) {}

void SystemSupervisor::started(actor::Context& ctx) {
  doors_.server =
      ctx.spawn<ServerActor>({.name = "server", .mailbox = {.capacity = options_->door_mailbox}}, limits_of(*options_));
  auto router = options_->router;
  router.settings = options_->settings;
  for (std::size_t core = 0; core < cores_; ++core) {
    doors_.routers.push_back(ctx.spawn<MessageRouterActor>({.name = fmt::format("router-{}", core),
                                                            .core = static_cast<int>(core),
                                                            .mailbox = {.capacity = options_->router_mailbox}},
                                                           router, static_cast<CoreIndex>(core),
                                                           std::make_shared<RouterMemory>()));
  }
  routers_ = std::make_shared<const std::vector<RouterRef>>(doors_.routers);
  start_keepers(ctx);
  for (std::size_t core = 0; core < cores_; ++core) start_core(ctx, core);
  MetricsSources sources{doors_.server, doors_.routers, doors_.connections, *keepers_, doors_.presence};
  doors_.metrics = ctx.spawn<MetricsCollector>({.name = "metrics"}, std::move(sources));
}

void SystemSupervisor::start_keepers(actor::Context& ctx) {
  presence_started_.assign(cores_, false);
  actor::Ref<actor::Protocol<PresenceStarted>> self = ctx.self(this);
  for (std::size_t core = 0; core < cores_; ++core) {
    doors_.presence.push_back(ctx.spawn<PresenceActor>({.name = fmt::format("presence-{}", core),
                                                        .core = static_cast<int>(core),
                                                        .mailbox = {.capacity = options_->door_mailbox}},
                                                       options_->presence, static_cast<CoreIndex>(core), self));
  }
  presence_ = std::make_shared<const std::vector<PresenceRef>>(doors_.presence);
  std::vector<SessionsRef> keepers;
  for (std::size_t core = 0; core < cores_; ++core) {
    keepers.push_back(ctx.spawn<SessionsActor>({.name = fmt::format("sessions-{}", core),
                                                .core = static_cast<int>(core),
                                                .mailbox = {.capacity = options_->door_mailbox}},
                                               options_->sessions, static_cast<CoreIndex>(core), presence_));
  }
  keepers_ = std::make_shared<const std::vector<SessionsRef>>(std::move(keepers));
}

void SystemSupervisor::start_core(actor::Context& ctx, std::size_t core) {
  auto site = std::make_shared<ConnectionSite>();
  site->options = options_->connection;
  site->settings = options_->settings;
  site->compression.use(options_->connection.compression);
  site->routing = {routers_, static_cast<CoreIndex>(core), keepers_, presence_};
  site->verifier = verifier_;
  site->door = doors_.server;
  doors_.routers[core].tell(JoinRouters{routers_, start_journal(ctx, core)});
  doors_.sites.push_back(site);
  doors_.connections.push_back(ctx.spawn<ConnectionSupervisor>({.name = fmt::format("connections-{}", core),
                                                                .core = static_cast<int>(core),
                                                                .mailbox = {.capacity = options_->door_mailbox},
                                                                .supervision = connection_supervision()},
                                                               std::move(site)));
}

// None: the system was given no journal, so nothing outlives it.
std::optional<actor::Ref<TopicJournal>> SystemSupervisor::start_journal(actor::Context& ctx, std::size_t core) {
  auto journal = ctx.core().host().provided<actor::Journal>();
  if (!journal) return std::nullopt;
  const TopicJournalUser router = doors_.routers[core];
  return ctx.spawn<TopicJournal>({.name = fmt::format("journal-{}", core), .core = static_cast<int>(core)},
                                 std::move(journal), static_cast<CoreIndex>(core), cores_, router);
}

void SystemSupervisor::handle(const PresenceStarted& message) {
  const bool again = presence_started_[message.home];
  presence_started_[message.home] = true;
  JoinPresence join{{}, {}, again ? PresenceTables::lost : PresenceTables::empty};
  for (auto keeper : *keepers_) join.keepers.push_back(keeper);
  for (auto connections : doors_.connections) join.watchers.push_back(connections);
  doors_.presence[message.home].tell(std::move(join));
}

void SystemSupervisor::handle(UseOptions message) {
  options_ = std::move(message.options);
  published_.publish(options_);
  doors_.server.tell(UseAdmissionLimits{limits_of(*options_)});
  for (auto router : doors_.routers) router.tell(UseSettings{options_->settings});
  for (auto keeper : *keepers_) keeper.tell(UseSessionsOptions{options_->sessions});
  for (auto connections : doors_.connections) {
    connections.tell(UseConnectionOptions{options_->connection});
    connections.tell(UseSettings{options_->settings});
  }
}

void SystemSupervisor::handle(const TokenRevoked& message) {
  for (auto connections : doors_.connections) connections.tell(message);
}

actor::Task<void> SystemSupervisor::handle(RefuseConnections) {
  doors_.server.tell(CloseDoors{});
  co_await doors_.server.ask(MeasureServer{});  // it is answered behind what was told before
}

actor::Task<std::size_t> SystemSupervisor::handle(CountConnections) {
  const auto open = co_await open_connections();
  co_return open;
}

actor::Task<std::size_t> SystemSupervisor::handle(DrainRealtime message, actor::Context& ctx) {
  doors_.server.tell(CloseDoors{});
  for (auto connections : doors_.connections) connections.tell(DrainConnections{message.over});
  auto until = ctx.now() + message.over + options_->connection.flush_within + std::chrono::seconds{1};
  auto left = co_await open_connections();
  while (left > 0 && ctx.now() < until) {
    co_await ctx.sleep(std::chrono::milliseconds{50});
    left = co_await open_connections();
  }
  co_return left;
}

actor::Task<std::expected<PublishAck, PublishError>> SystemSupervisor::handle(PublishOwn message) {
  INVARIANT(message.topic.is_reserved(), "what the server tells of itself stands below system.");
  const RouterRef home = doors_.routers[home_of(message.topic.text(), doors_.routers.size())];
  PublishMessage publication{
      .publisher = {.core = 0, .receiver = 0, .user = UserId{"system"}},
      .publication = std::make_unique<Publish>(actor::CoreMemory{}, std::move(message.topic),
                                               Payload{.kind = PayloadKind::json, .bytes = std::move(message.json)})};
  auto ack = co_await home.within(std::chrono::seconds{5}).ask(std::move(publication));
  if (!ack) co_return std::unexpected(ack.error().domain.value_or(PublishError::overloaded));
  co_return *std::move(ack);
}

actor::Task<std::size_t> SystemSupervisor::open_connections() {
  std::size_t open = 0;
  for (auto connections : doors_.connections) {
    auto figures = co_await connections.ask(MeasureConnections{});
    if (figures) open += figures->open;
  }
  co_return open;
}

}  // namespace troupe::realtime
