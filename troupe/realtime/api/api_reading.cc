// presence, history and topics: pages of what the homes of topics know. The scope alone gives
// them; what a routing rule shows only to some stays hidden from the others.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/realtime/api/answers.h"
#include "troupe/realtime/api/api.h"
#include "troupe/realtime/api/caller.h"
#include "troupe/realtime/api/query.h"
#include "troupe/realtime/command/history.h"
#include "troupe/wire/json.h"

namespace troupe::realtime::api {

namespace {

constexpr std::size_t limit_default = 100;
constexpr std::size_t limit_max = 1000;

actor::Task<web::Response> presence(web::Request request, Caller, DoorPtr door) {
  Query query{request.query};
  auto topic = query.topic();
  auto limit = query.limit(limit_default, limit_max);
  auto after = query.text("after", user_bytes_max);
  if (query.failed()) co_return problem_of(query.error());
  if (door->site->settings->of(*topic).presence == Presence::off) {
    co_return problem_of(
        {ErrorCode::forbidden, fmt::format("presence is off in the namespace of `{}`", topic->text()), {}});
  }
  auto home = door->site->routing.presence_home(topic->text());
  auto page = co_await home.ask(ReadPresence{*topic, limit, UserId{std::move(after).value_or("")}});
  if (!page) co_return no_answer();
  co_return body_of(PresenceState{topic->text(), page->count, std::move(page->users), std::move(page->next)});
}

actor::Task<web::Response> history(web::Request request, Caller caller, DoorPtr door) {
  Query query{request.query};
  auto topic = query.topic();
  auto limit = query.limit(limit_default, limit_max);
  auto since = query.position("since");
  auto before = query.position("before");
  if (since && before) query.fail("before", "excludes `since`");
  if (query.failed()) co_return problem_of(query.error());
  auto direction = since ? Direction::since : before ? Direction::before : Direction::newest;
  auto position = since ? *std::move(since) : before ? *std::move(before) : Position{};
  auto name = topic->text();
  auto home = door->site->routing.home(name);
  auto page = co_await home.ask(ReadTopic{ReadHistory{*std::move(topic), limit, direction, std::move(position)}});
  if (!page) co_return no_answer();
  hide_from(caller.identity, *page);
  co_return page_of(name, *page);
}

web::Response listing_of(const TopicsPage& page) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().key("topics").begin_array();
  for (const auto& topic : page.topics) {
    writer.begin_object()
        .member("topic", topic.name)
        .member("epoch", topic.top.epoch.value())
        .member("offset", topic.top.offset)
        .member("kept", topic.kept)
        .end_object();
  }
  writer.end_array();
  if (page.more) writer.member("next", page.topics.back().name);
  writer.end_object();
  return web::json_response(200, std::move(json));
}

// Each home gives its first ones; the first of all of them are the page.
actor::Task<web::Response> topics(web::Request request, Caller, DoorPtr door) {
  Query query{request.query};
  auto pattern = TopicPattern::parse(query.text("pattern", base::topic_bytes_max).value_or(">"));
  if (!pattern) query.fail("pattern", describe(pattern.error()));
  if (pattern && pattern->is_reserved()) query.fail("pattern", "is the server's own");
  auto limit = query.limit(limit_default, limit_max);
  auto after = query.text("after", base::topic_bytes_max).value_or("");
  if (query.failed()) co_return problem_of(query.error());
  TopicsPage all;
  for (auto home : *door->site->routing.routers) {
    auto page = co_await home.ask(ListTopics{*pattern, after, limit});
    if (!page) co_return no_answer();
    std::ranges::move(page->topics, std::back_inserter(all.topics));
    all.more |= page->more;
  }
  std::ranges::sort(all.topics, {}, &ListedTopic::name);
  if (all.topics.size() > limit) {
    all.topics.resize(limit);
    all.more = true;
  }
  co_return listing_of(all);
}

}  // namespace

void add_reading(web::Router& router, const DoorPtr& door) {
  add_route(router, web::Method::get, "/api/v1/presence", read_scope, presence, door);
  add_route(router, web::Method::get, "/api/v1/history", read_scope, history, door);
  add_route(router, web::Method::get, "/api/v1/topics", read_scope, topics, door);
}

}  // namespace troupe::realtime::api
