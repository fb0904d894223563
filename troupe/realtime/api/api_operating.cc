// connections and users: who is there, page by page, and sending them away.
#include <fmt/format.h>

#include "troupe/realtime/api/answers.h"
#include "troupe/realtime/api/api.h"
#include "troupe/realtime/api/caller.h"
#include "troupe/realtime/api/query.h"
#include "troupe/wire/json.h"

namespace troupe::realtime::api {

namespace {

constexpr std::size_t limit_default = 100;
constexpr std::size_t limit_max = 1000;
constexpr std::string_view connections_path = "/api/v1/connections/";
constexpr std::string_view users_path = "/api/v1/users/";
constexpr std::string_view connections_suffix = "/connections";

// A place in the list of all connections: core after core, on each in the order in which they came.
struct Cursor {
  std::size_t core = 0;
  ConnectionNumber number = 0;
};

std::optional<Cursor> cursor_of(std::string_view text, std::size_t cores) {
  auto dot = std::min(text.find('.'), text.size());
  auto core = number_of(text.substr(0, dot));
  auto number = number_of(text.substr(std::min(dot + 1, text.size())));
  if (!core || !number || *core >= cores) return std::nullopt;
  return Cursor{static_cast<std::size_t>(*core), *number};
}

void append(wire::JsonWriter& writer, const ListedConnection& connection) {
  writer.begin_object()
      .member("connection_id", connection.id.value())
      .member("user", connection.user.value())
      .member("subscriptions", connection.subscriptions)
      .member("queue", connection.queue)
      .member("address", connection.address.text())
      .member("protocol", connection.is_stream ? "events" : "websocket")
      .end_object();
}

actor::Task<web::Response> connections(web::Request request, Caller, DoorPtr door) {
  Query query{request.query};
  const auto& cores = door->doors->connections;
  auto after = query.text("after", 64);
  auto cursor = after ? cursor_of(*after, cores.size()) : Cursor{};
  if (!cursor) query.fail("after", "must be the `next` of an earlier page");
  const auto limit = query.limit(limit_default, limit_max);
  if (query.failed()) co_return problem_of(query.error());
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().key("connections").begin_array();
  std::size_t listed = 0;
  while (cursor->core < cores.size() && listed < limit) {
    const auto wanted = limit - listed;
    auto page = co_await cores[cursor->core].ask(ListConnections{cursor->number, wanted});
    if (!page) co_return no_answer();
    for (const auto& connection : *page) append(writer, connection);
    listed += page->size();
    // A full page ends where its last one stands; a short one is the end of its core.
    cursor = page->size() == wanted ? Cursor{cursor->core, page->back().number} : Cursor{cursor->core + 1, 0};
  }
  writer.end_array();
  if (cursor->core < cores.size()) writer.member("next", fmt::format("{}.{}", cursor->core, cursor->number));
  writer.end_object();
  co_return web::json_response(200, std::move(json));
}

actor::Task<web::Response> users(web::Request request, Caller, DoorPtr door) {
  Query query{request.query};
  auto after = query.text("after", user_bytes_max).value_or("");
  const auto limit = query.limit(limit_default, limit_max);
  if (query.failed()) co_return problem_of(query.error());
  auto page = co_await door->doors->server.ask(ListUsers{UserId{std::move(after)}, limit});
  if (!page) co_return no_answer();
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().member("count", page->count).key("users").begin_array();
  for (const auto& [user, count] : page->users) {
    writer.begin_object().member("user", user.value()).member("connections", count).end_object();
  }
  writer.end_array();
  if (page->more) writer.member("next", page->users.back().first.value());
  writer.end_object();
  co_return web::json_response(200, std::move(json));
}

// On all cores; nothing when one of them does not answer.
template <class Message>
actor::Task<std::optional<std::size_t>> close_all(Message message, DoorPtr door) {
  std::size_t closed = 0;
  for (auto core : door->doors->connections) {
    auto here = co_await core.ask(message);
    if (!here) co_return std::nullopt;
    closed += *here;
  }
  co_return closed;
}

actor::Task<web::Response> close_connection(web::Request request, Caller, DoorPtr door) {
  const ClientError unknown{ErrorCode::not_found, "there is no such connection", {}};
  const auto id = ShortId::parse(std::string_view{request.path}.substr(connections_path.size()));
  if (!id) co_return problem_of(unknown);
  auto closed = co_await close_all(CloseConnection{ConnectionId{*id}}, door);
  if (!closed) co_return no_answer();
  if (*closed == 0) co_return problem_of(unknown);
  co_return web::Response{.status = 204};
}

actor::Task<web::Response> close_user(web::Request request, Caller, DoorPtr door) {
  std::string_view user{request.path};
  user.remove_prefix(users_path.size());
  if (!user.ends_with(connections_suffix) || user.size() == connections_suffix.size()) {
    co_return problem_of({ErrorCode::not_found, "there is nothing at this path", {}});
  }
  user.remove_suffix(connections_suffix.size());
  auto closed = co_await close_all(CloseUser{UserId{std::string{user}}}, door);
  if (!closed) co_return no_answer();
  std::string json;
  wire::JsonWriter{json}.begin_object().member("closed", *closed).end_object();
  co_return web::json_response(200, std::move(json));
}

}  // namespace

void add_operating(web::Router& router, const DoorPtr& door) {
  using web::Method;
  add_route(router, Method::get, "/api/v1/connections", admin_scope, connections, door);
  add_route(router, Method::get, "/api/v1/users", admin_scope, users, door);
  add_route(router, Method::delete_, std::string{connections_path} + "*", admin_scope, close_connection, door);
  add_route(router, Method::delete_, std::string{users_path} + "*", admin_scope, close_user, door);
}

}  // namespace troupe::realtime::api
