// The doors: who may open a WebSocket, and to whom it is then given.
#include "troupe/realtime/service/service.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/realtime/api/api.h"
#include "troupe/realtime/connection/echo.h"
#include "troupe/realtime/service/door.h"
#include "troupe/realtime/service/events.h"
#include "troupe/web/bearer.h"
#include "troupe/web/handshake.h"
#include "troupe/wire/form.h"

namespace troupe::realtime {

namespace {

constexpr std::string_view bearer_subprotocol = "bearer.";
constexpr std::string_view native_subprotocol = "troupe.v1";

// The bearer of a token is echoed to nobody: only the native protocol is chosen (spec of `bearer.`).
std::string chosen_subprotocol(const web::Request& request) {
  auto offered = web::offered_subprotocols(request);
  return std::ranges::find(offered, native_subprotocol) == offered.end() ? "" : std::string{native_subprotocol};
}

std::optional<wire::DeflateAgreement> agree_on_deflate(const web::Request& request, const RealtimeOptions& options) {
  auto policy = deflate_policy(options.connection.compression);
  return policy ? wire::choose_deflate(web::offered_extensions(request), *policy) : std::nullopt;
}

std::string response_of(const std::optional<wire::DeflateAgreement>& agreement) {
  return agreement ? agreement->response : std::string{};
}

actor::Task<web::Upgrade> open(web::Request request, DoorPtr door) {
  auto options = door->options.read();
  if (!origin_allowed(request, options->allowed_origins)) {  // 1. is it a page that we know
    co_return web::problem(403, "This origin may not connect.");
  }
  std::optional<Identity> identity;  // 2. who is it
  std::optional<UserId> user;        // none without a token: an anonymous one is new each time
  auto token = token_of(request);
  if (!token) co_return unauthorized();
  if (*token) {
    auto identified = co_await identify(**std::move(token), door);
    if (!identified) co_return std::move(identified.error());
    identity = *std::move(identified);
    user = identity->user;
  } else if (options->settings->anonymous() == Anonymous::allowed) {
    identity = anonymous(door->core.random());
  }
  auto lease = co_await door->doors->server.ask(Admit{request.peer.ip, std::move(user)});  // 3. is there room
  if (!lease) co_return turned_away(*options, lease.error());
  auto deflate = agree_on_deflate(request, *options);
  auto agreed = response_of(deflate);
  auto attach = [door, opening = OpenConnection{{},
                                                std::move(identity),
                                                *std::move(lease),
                                                std::move(deflate),
                                                session_of(request),
                                                request.peer.ip}](std::unique_ptr<web::WebSocketLink> link) mutable {
    opening.link = std::move(link);
    door->site->supervisor.tell(std::move(opening));
  };
  co_return web::Accept{chosen_subprotocol(request), std::move(attach), std::move(agreed)};
}

actor::Task<web::Upgrade> echo(web::Request request, DoorPtr door) {
  auto options = door->options.read();
  if (!origin_allowed(request, options->allowed_origins)) {
    co_return web::problem(403, "This origin may not connect.");
  }
  auto lease = co_await door->doors->server.ask(Admit{request.peer.ip});
  if (!lease) co_return turned_away(*options, lease.error());
  auto deflate = agree_on_deflate(request, *options);
  auto attach = [door, lease = *std::move(lease), bytes_max = options->echo_bytes_max,
                 deflate](std::unique_ptr<web::WebSocketLink> link) mutable {
    door->site->supervisor.tell(OpenEcho{std::move(link), std::move(lease), bytes_max, std::move(deflate)});
  };
  co_return web::Accept{"", std::move(attach), response_of(deflate)};
}

}  // namespace

std::expected<std::optional<std::string>, TokenRefusal> token_of(const web::Request& request) {
  constexpr auto invalid = std::unexpected(TokenRefusal::invalid);
  auto shown = web::bearer_token(request);
  if (!shown) return invalid;
  for (auto offered : web::offered_subprotocols(request)) {
    if (*shown) break;
    if (offered.starts_with(bearer_subprotocol)) shown = offered.substr(bearer_subprotocol.size());
  }
  std::optional<std::string> token;
  if (*shown) {
    token = std::string{**shown};
  } else {
    auto query = wire::parse_form(request.query, {.parameters_max = query_parameters_max});
    if (!query || query->count("access_token") > 1) return invalid;
    if (auto value = query->get("access_token")) token = std::string{*value};
  }
  if (token && token->empty()) return invalid;
  return token;
}

std::optional<SessionId> session_of(const web::Request& request) {
  auto query = wire::parse_form(request.query);
  if (!query || query->count("session") != 1) return std::nullopt;
  auto id = ShortId::parse(*query->get("session"));
  return id ? std::optional{SessionId{*id}} : std::nullopt;
}

bool origin_allowed(const web::Request& request, const std::vector<std::string>& allowed) {
  auto origin = request.headers.get("Origin");
  if (!origin) return true;  // not a browser's page
  if (std::ranges::any_of(allowed, [&](const std::string& one) { return one == "*" || one == *origin; })) return true;
  auto authority = origin->find("://");
  return authority != std::string_view::npos && origin->substr(authority + 3) == request.header("Host");
}

Realtime Realtime::start(actor::System& system, RealtimeOptions options, Verifier verifier) {
  Realtime realtime;
  realtime.options_.publish(std::move(options));
  realtime.verifier_ = verifier;
  realtime.supervisor_ = system.spawn<SystemSupervisor>({.name = "realtime", .supervision = system_supervision()},
                                                        realtime.options_, verifier, system.core_count());
  auto doors = system.block_on(realtime.supervisor_.ask(GetDoors{}));
  if (!doors) throw std::runtime_error("the real-time service did not start: " + doors.error().what);
  realtime.doors_ = std::make_shared<const Doors>(*std::move(doors));
  return realtime;
}

void Realtime::routes(web::Router& router, int core) const {
  auto* here = actor::Core::current();
  INVARIANT(here != nullptr && here->index() == core, "a core's routes are made on that core");
  auto site = doors_->sites[static_cast<std::size_t>(core)];
  auto door = std::make_shared<Door>(Door{options_.reader(), doors_, std::move(site), verifier_, *here});
  add_api(router, door, options_.reader().read()->connection.frame_bytes_max);
  router.upgrade("/ws", [door](web::Request request) { return open(std::move(request), door); });
  add_events(router, door);
  if (!options_.reader().read()->echo) return;
  router.upgrade("/echo", [door](web::Request request) { return echo(std::move(request), door); });
}

}  // namespace troupe::realtime
