// HttpServer: one core's listening place, its router and its connections.
//
// One of it stands on each core that serves. It supervises its connections, none of which
// is ever restarted, bounds their number, in all and of one address, and goes away in two steps: a drain refuses what
// is new but what must still be answered, such as health; closing stops listening. Every request at hand is answered.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/trouble.h"
#include "troupe/net/address_places.h"
#include "troupe/net/listener.h"
#include "troupe/web/http_connection.h"

namespace troupe::web {

struct HttpServerOptions {
  /// Makes the listener on the server's core: net::listen_tcp, or a memory network's.
  std::function<std::unique_ptr<net::Listener>(actor::Core&)> listen;
  /// Fills the core's own router.
  std::function<void(Router&, actor::Context&)> routes;
  GuardOptions guard{};
  HttpOptions http{};
  base::Metrics* metrics = nullptr;      // counts there; must outlive the server. None: counts for itself
  std::size_t connections_max = 20'000;  // on this core, without WebSockets; past it they wait in the backlog
  /// Of those, from one address (IPv6: /64) that is no trusted proxy; past it they are closed at once.
  std::size_t connections_by_address_max = 1'000;
};

/// Where the server listens.
struct GetAddress {
  using reply = net::Endpoint;
};

/// What its router has.
struct ListRoutes {
  using reply = std::vector<RouteName>;
};

/// How many HTTP connections are open on this core.
struct GetConnections {
  using reply = std::size_t;
};

/// From now on, connections end when their request at hand is answered. New ones are still taken, for routes that
/// are answered during a drain; everything else is told 503, to try again elsewhere.
struct Drain {};

/// Stop listening too, and wait for the requests at hand: how many connections are left, which is none unless they
/// took longer than `within`.
struct Close {
  base::Duration within{};
  using reply = std::size_t;
};

struct ResumeAccepting {};  // to itself, after the process ran out of descriptors
struct LookAtAccepting {};  // and a while later: whether it has done so since

class HttpServer final : private net::ListenerEvents {
 public:
  static constexpr std::string_view actor_type = "HttpServer";
  static constexpr bool interleaves = true;  // connections end while it waits for them

  explicit HttpServer(HttpServerOptions options)
      : options_(std::move(options)),
        by_address_(options_.connections_by_address_max, options_.guard.trusted_proxies) {}

  void started(actor::Context& ctx);
  net::Endpoint handle(const GetAddress&) const { return address_; }
  std::vector<RouteName> handle(const ListRoutes&) const { return site_->router.list(); }
  std::size_t handle(const GetConnections&) const { return connections_.size(); }
  void handle(Drain message);
  actor::Task<std::size_t> handle(Close message, actor::Context& ctx);
  void handle(ResumeAccepting message);
  void handle(LookAtAccepting message);
  void handle(actor::Terminated message);
  void inspect(actor::Inspection& out) const;

 private:
  struct Open {
    actor::Ref<HttpConnection> connection;
    net::IpAddress address;
  };

  void on_stream(std::unique_ptr<net::Stream> stream) override;
  void on_exhausted() override;
  bool is_full() const noexcept { return connections_.size() >= options_.connections_max; }

  HttpServerOptions options_;
  std::shared_ptr<HttpSite> site_;
  std::map<actor::ActorId, Open> connections_;
  net::AddressPlaces by_address_;  // of connections_
  actor::Context* ctx_ = nullptr;
  actor::Entry entry_;
  std::unique_ptr<net::Listener> listener_;  // null when it has closed
  net::Endpoint address_;
  base::Trouble exhaustion_;  // of descriptors
  base::Instant exhausted_at_{};
  bool looks_ = false;  // a LookAtAccepting is under way
};

}  // namespace troupe::web
