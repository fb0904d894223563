// Opening a stream in six steps: the page, the token's form, the wish, the user, the permission, the place.
#include "troupe/realtime/service/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "troupe/realtime/api/answers.h"
#include "troupe/realtime/command/subscribe.h"
#include "troupe/realtime/service/service.h"
#include "troupe/wire/form.h"

namespace troupe::realtime {

namespace {

using api::problem_of;

std::unexpected<ClientError> bad(std::string message) {
  return std::unexpected(ClientError{ErrorCode::bad_request, std::move(message), {}});
}

// The topics of the query, each once, and none that lies in another one: what comes by both would come by its name, and
// not say where the pattern is.
std::expected<std::vector<TopicPattern>, ClientError> topics_of(const wire::Form& query) {
  std::vector<TopicPattern> topics;
  for (const auto& [name, value] : query) {
    if (name != "topic") continue;
    auto topic = TopicPattern::parse(value);
    if (!topic) return bad(fmt::format("`topic` {}", describe(topic.error())));
    auto contains = [&](const TopicPattern& other) { return other.contains(*topic); };
    if (std::ranges::any_of(topics, contains)) continue;
    std::erase_if(topics, [&](const TopicPattern& other) { return topic->contains(other); });
    topics.push_back(*std::move(topic));
  }
  if (topics.empty()) return bad("`topic` is missing");
  if (topics.size() > stream_topics_max) return bad(fmt::format("a stream has at most {} topics", stream_topics_max));
  return topics;
}

// Where the client was: the header, which browsers send by themselves, or the query, for who cannot send it.
std::string_view last_id_of(const web::Request& request, const wire::Form& query) {
  if (auto header = request.headers.get("Last-Event-ID")) return *header;
  return query.get("last_event_id").value_or("");
}

std::expected<wire::Form, ClientError> query_of(const web::Request& request) {
  auto query = wire::parse_form(request.query, {.parameters_max = query_parameters_max});
  if (!query) return bad(fmt::format("the query cannot be read: {}", wire::text(query.error())));
  for (const std::string_view once : {"overflow", "last_event_id"})
    if (query->count(once) > 1) return bad(fmt::format("`{}` comes twice", once));
  return *std::move(query);
}

// What is no id leaves the cursor as it is, and so do topics of which it says nothing: they begin with what comes now,
// and the confirmation says so.
std::expected<EventStreamParts, ClientError> wish_of(const web::Request& request, const wire::Form& query) {
  auto topics = topics_of(query);
  if (!topics) return std::unexpected(std::move(topics.error()));
  auto named = query.get("overflow");
  auto overflow = named ? overflow_of(*named) : std::nullopt;
  if (named && (!overflow || reaches_publishers(*overflow)))
    return bad(fmt::format("`overflow` cannot be `{}`", *named));
  StreamCursor cursor{*topics};
  (void)cursor.read(last_id_of(request, query));
  return EventStreamParts{Subscribe{cursor.topics(), cursor.known(), overflow}, std::move(cursor)};
}

// What the last id says that the stream had, and may not be read any more, is taken out of the wish and told as lost,
// so that the others go on; unless nothing would be left.
std::optional<ClientError> refusal_of(EventStreamParts& wish, const Identity& identity,
                                      const RealtimeSettings& settings) {
  const bool has_token = !identity.token.value().empty();
  const auto permissions =
      Permissions::from(identity.scopes, has_token ? settings.grants_with_token() : settings.grants_without_token());
  const auto is_lost = [&](const TopicPattern& topic) {
    return wish.cursor.had(topic) && !permissions.may_subscribe(topic);
  };
  auto& [topics, recover, overflow, presence] = wish.subscribe;
  if (!std::ranges::all_of(topics, is_lost)) {
    std::ranges::copy_if(topics, std::back_inserter(wish.lost), is_lost);
    std::erase_if(topics, is_lost);
    std::erase_if(recover, [&](const auto& place) { return is_lost(place.first); });
  }
  return forbids(wish.subscribe, permissions, settings);
}

actor::Task<web::StreamAnswer> open(web::Request request, DoorPtr door) {
  auto options = door->options.read();
  if (!origin_allowed(request, options->allowed_origins)) {  // 1. is it a page that we know
    co_return web::problem(403, "This origin may not connect.");
  }
  auto query = query_of(request);
  if (!query) co_return problem_of(query.error());
  auto token = token_of(request);  // 2. can that be a token, before a wish is read that costs more
  if (!token) co_return unauthorized();
  auto wish = wish_of(request, *query);  // 3. what is wanted
  if (!wish) co_return problem_of(wish.error());
  Identity identity;           // 4. who is it
  std::optional<UserId> user;  // none without a token: an anonymous one is new each time
  if (*token) {
    auto identified = co_await identify(**std::move(token), door);
    if (!identified) co_return std::move(identified.error());
    identity = *std::move(identified);
    user = identity.user;
  } else if (options->settings->anonymous() == Anonymous::allowed) {
    identity = anonymous(door->core.random());
  } else {
    co_return token_needed();
  }
  auto limited = over_rates(request.peer.ip, user ? &*user : nullptr, request.query.size(), *door);
  if (limited) co_return problem_of(*limited);
  auto refused = refusal_of(*wish, identity, *door->site->settings);  // 5. may they
  if (refused) co_return problem_of(*refused);
  auto lease = co_await door->doors->server.ask(Admit{request.peer.ip, user});  // 6. is there room
  if (!lease) co_return turned_away(*options, lease.error());
  web::Response head{.headers = {{"Content-Type", "text/event-stream"},
                                 {"Cache-Control", "no-store"},
                                 {"X-Accel-Buffering", "no"}}};  // proxies of that kind would keep events back
  auto attach =
      [door, opening = OpenEventStream{{}, std::move(identity), *std::move(lease), *std::move(wish), request.peer.ip}](
          std::unique_ptr<web::ResponseStream> response) mutable {
        opening.response = std::move(response);
        door->site->supervisor.tell(std::move(opening));
      };
  co_return web::Streaming{std::move(head), std::move(attach)};
}

// A page that may connect may also read what it is answered. Cookies play no part.
void allow_page(web::Response& response, std::string origin) {
  response.headers.set("Access-Control-Allow-Origin", std::move(origin));
  response.headers.add("Vary", "Origin");
}

actor::Task<web::StreamAnswer> open_for_page(web::Request request, DoorPtr door) {
  std::optional<std::string> origin;
  if (origin_allowed(request, door->options.read()->allowed_origins)) origin = request.headers.get("Origin");
  auto answer = co_await open(std::move(request), door);
  if (origin) {
    auto* streaming = std::get_if<web::Streaming>(&answer);
    allow_page(streaming != nullptr ? streaming->head : std::get<web::Response>(answer), *origin);
  }
  co_return answer;
}

// What a browser asks before it lets a page send a token in the header.
actor::Task<web::Response> preflight(web::Request request, DoorPtr door) {
  auto origin = request.headers.get("Origin");
  if (!origin_allowed(request, door->options.read()->allowed_origins)) {
    co_return web::problem(403, "This origin may not connect.");
  }
  web::Response response{.status = 204, .headers = {{"Allow", "GET, OPTIONS"}}};
  if (!origin) co_return response;
  allow_page(response, std::string{*origin});
  response.headers.add("Access-Control-Allow-Methods", "GET");
  response.headers.add("Access-Control-Allow-Headers", "Authorization, Last-Event-ID");
  response.headers.add("Access-Control-Max-Age", "600");
  co_return response;
}

}  // namespace

void add_events(web::Router& router, const DoorPtr& door) {
  router.stream("/events", [door](web::Request request) { return open_for_page(std::move(request), door); });
  router.add(web::Method::options, "/events",
             [door](web::Request request) { return preflight(std::move(request), door); });
}

}  // namespace troupe::realtime
