// Beside: connections of core 0 beside those of the service, which reach its routers by a list of their own: a test may
// take routers out of it, as if they could not be asked.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/realtime/topic/sessions_actor.h"

namespace troupe::realtime::testing {

struct Beside {
  std::shared_ptr<std::vector<RouterRef>> routers;
  std::size_t network;  // of the world's

  /// A socket of a user who may subscribe to everything.
  Socket connect(RealtimeWorld& world) const {
    auto socket = std::make_unique<TestSocket>(world.networks[network]->connect({{}, 80}), "/ws", "");
    world.world.run_until_idle();
    socket->take();
    return socket;
  }
};

inline Beside open_beside(RealtimeWorld& world, ConnectionOptions options, net::MemoryNetworkOptions with = {}) {
  auto doors = world.world.block_on(world.realtime->supervisor().ask(GetDoors{}));
  auto routers = std::make_shared<std::vector<RouterRef>>(doors->routers);
  auto site = std::make_shared<ConnectionSite>();
  site->options = std::move(options);
  auto presence = std::make_shared<const std::vector<PresenceRef>>(doors->presence);
  auto keeper = world.world.spawn<SessionsActor>({}, SessionsOptions{}, CoreIndex{0}, presence);
  site->routing = {routers, 0, std::make_shared<const std::vector<SessionsRef>>(2, keeper), presence};
  site->verifier = world.world.spawn<TokenReader>({});
  site->door = doors->server;
  auto connections = world.world.spawn<ConnectionSupervisor>({.supervision = connection_supervision()}, site);
  with.faults.random = &world.world.random();
  world.networks.push_back(std::make_unique<net::MemoryNetwork>(world.world.core(0), with));
  web::HttpServerOptions http;
  http.listen = [net = world.networks.back().get()](actor::Core&) { return net->listen({{}, 80}); };
  http.routes = [connections](web::Router& router, actor::Context&) {
    router.upgrade("/ws", [connections](web::Request) -> actor::Task<web::Upgrade> {
      co_return web::Accept{"",
                            [connections](std::unique_ptr<web::WebSocketLink> link) {
                              Identity identity{UserId{"slow"}, {"topic:>:subscribe"}, TokenId{"t"}, {}};
                              connections.tell(OpenConnection{std::move(link), identity, nullptr, {}, {}});
                            },
                            ""};
    });
  };
  world.world.spawn<web::HttpServer>({}, http);
  world.world.run_until_idle();
  return {std::move(routers), world.networks.size() - 1};
}

}  // namespace troupe::realtime::testing
