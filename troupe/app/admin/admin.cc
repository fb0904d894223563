// See admin.h for who may see what.
#include "troupe/app/admin/admin.h"

#include <fmt/format.h>

#include "troupe/app/admin/figures.h"
#include "troupe/web/bearer.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/form.h"
#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

using actor::Task;
using web::Request;
using web::Response;
using PartsPtr = std::shared_ptr<const AdminParts>;

Response never_cached(Response response) {
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Response refused(BehindProxy behind_proxy) {
  auto response = web::problem(
      401, behind_proxy == BehindProxy::yes
               ? "This is for an access token with the scope admin. The server stands behind a proxy, so that no "
                 "request counts as one of the machine itself."
               : "This is for the machine itself, or an access token with the scope admin.");
  response.headers.set("WWW-Authenticate", "Bearer scope=\"admin\"");
  return response;
}

/// Whether the token is good cannot be said now.
Response unanswered() {
  auto response = never_cached(web::problem(503, "The token cannot be checked: the database does not answer."));
  response.headers.set("Retry-After", "2");
  return response;
}

/// Nothing when the request may see what an operator sees, else the refusal.
Task<std::optional<Response>> refusal_of(PartsPtr parts, Request request) {
  const auto token = web::bearer_token(request);
  if (!token) co_return refused(parts->behind_proxy);
  if (!*token) {
    if (parts->behind_proxy == BehindProxy::no && is_local(request)) co_return std::nullopt;
    co_return refused(parts->behind_proxy);
  }
  auto claims = co_await parts->tokens.ask(oauth::ValidateToken{oauth::TokenText{std::string{**token}}});
  const bool nobody_knows =
      !claims && claims.error().domain.value_or(oauth::errors::temporarily_unavailable).status != 401;
  if (nobody_knows) co_return unanswered();
  if (!claims) co_return refused(parts->behind_proxy);
  // A token in a person's name opens nothing, as in the administration API: whoever may sign in could get one.
  if (claims->is_for(parts->audience) && !claims->user && claims->scope.contains(admin_scope)) co_return std::nullopt;
  co_return refused(parts->behind_proxy);
}

Task<Response> live(Request) { co_return never_cached(web::json_response(200, R"({"status":"live"})")); }

Response not_ready(std::string json, web::Refusal why) {
  auto response = never_cached(web::json_response(503, std::move(json)));
  response.refusal = why;
  return response;
}

Task<Response> ready(PartsPtr parts, Request request) {
  if (request.during_drain) co_return not_ready(R"({"status":"draining"})", web::Refusal::draining);
  const auto found = co_await parts->readiness.ask(GetReadiness{});
  if (found && !*found) co_return never_cached(web::json_response(200, R"({"status":"ready"})"));
  const auto [name, trouble] = found ? **found : DatabaseFault{"database", "does not answer"};
  co_return not_ready(fmt::format(R"({{"status":"not ready","{}":"{}"}})", name, trouble), web::Refusal::not_ready);
}

Task<Response> show_metrics(PartsPtr parts, Request request) {
  auto refusal = co_await refusal_of(parts, std::move(request));
  if (refusal) co_return *std::move(refusal);
  base::Samples samples;
  auto realtime = co_await parts->realtime.ask(realtime::CollectMetrics{});
  if (realtime) samples = *std::move(realtime);
  add_actor_figures(samples, actor::figures_of(*parts->system));
  const auto mailboxes = co_await parts->system->mailboxes();
  add_mailbox_figures(samples, mailboxes);
  add_dead_letter_figures(samples, *parts->system);
  add_process_figures(samples);
  const auto phases = co_await parts->system->shutdown_phases().progress();
  if (phases) add_shutdown_figures(samples, *phases);
  auto response = web::text_response(200, parts->metrics->scrape(std::move(samples)));
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  co_return never_cached(std::move(response));
}

Task<Response> inspect(PartsPtr parts, Request request) {
  auto refusal = co_await refusal_of(parts, std::move(request));
  if (refusal) co_return *std::move(refusal);
  auto actors = co_await parts->system->inspect();
  const auto types = actor::figures_of(*parts->system);
  co_return never_cached(web::json_response(200, tree_json(actors, types)));
}

/// POST begins, DELETE ends; `path` in the query is one that /inspect shows.
Task<Response> measure(PartsPtr parts, Request request) {
  const bool on = request.method == web::Method::post;
  const std::string query = request.query;
  auto refusal = co_await refusal_of(parts, std::move(request));
  if (refusal) co_return *std::move(refusal);
  const auto form = wire::parse_form(query);
  const auto path = form ? form->get("path") : std::nullopt;
  if (!path) co_return web::problem(400, "Name an actor: ?path=/realtime/router-0.");
  const bool found = co_await parts->system->measure(std::string{*path}, on);
  if (!found) co_return web::problem(404, "There is no actor at this path.");
  co_return never_cached(Response{.status = 204});
}

}  // namespace

bool is_local(const Request& request) {
  if (!request.peer.ip.is_loopback()) return false;
  for (const auto* header : {"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP",
                             "True-Client-IP", "CF-Connecting-IP", "Via", "Origin"}) {
    if (request.headers.has(header)) return false;
  }
  std::string_view host = request.header("Host");
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  const auto ip = net::IpAddress::parse(host);
  return wire::equal_ignoring_case(host, "localhost") || (ip && ip->is_loopback());
}

void add_admin(web::Router& router, PartsPtr parts) {
  using web::Method;
  const web::RouteOptions always{.during_drain = web::DuringDrain::answered};
  router.add(Method::get, "/health/live", live, always);
  router.add(
      Method::get, "/health/ready", [parts](Request request) { return ready(parts, std::move(request)); }, always);
  router.add(
      Method::get, "/metrics", [parts](Request request) { return show_metrics(parts, std::move(request)); }, always);
  router.add(Method::get, "/inspect", [parts](Request request) { return inspect(parts, std::move(request)); }, always);
  for (const Method method : {Method::post, Method::delete_}) {
    router.add(
        method, "/inspect/measure", [parts](Request request) { return measure(parts, std::move(request)); }, always);
  }
}

}  // namespace troupe::app
