// publish, broadcast and direct: the body is read as a frame is, judged as a command is, and
// sent under the key of the Idempotency-Key header.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/realtime/api/answers.h"
#include "troupe/realtime/api/api.h"
#include "troupe/realtime/api/caller.h"
#include "troupe/realtime/command/direct.h"
#include "troupe/realtime/command/publish.h"
#include "troupe/wire/json.h"

namespace troupe::realtime::api {

namespace {

constexpr std::size_t key_bytes_max = 64;

Asker asker(const Caller& caller, const Door& door) {
  return {caller.identity, caller.permissions, *door.site->settings, door.site->routing};
}

// The key of a request; empty when it has none.
std::expected<std::string, ClientError> key_of(const web::Request& request) {
  auto key = request.headers.get("Idempotency-Key");
  if (!key) return std::string{};
  if (request.headers.count("Idempotency-Key") > 1 || key->empty() || key->size() > key_bytes_max) {
    return std::unexpected(ClientError{
        ErrorCode::bad_request, fmt::format("`Idempotency-Key` must be one of 1 to {} bytes", key_bytes_max), {}});
  }
  return std::string{*key};
}

// That readers are slow, or as many topics there as there may be, is what limits are for.
bool is_limit(PublishError error) { return error == PublishError::overloaded || error == PublishError::slow_reader; }
bool is_limit(DirectError error) { return error == DirectError::overloaded; }

template <class Error>
web::Response problem_of(const actor::Failure<Error>& failure) {
  if (failure.domain == Error::key_used_before) return key_used_before();
  auto response = api::problem_of(error_of(failure));
  if (failure.domain && is_limit(*failure.domain)) response.refusal = web::Refusal::limit;
  return response;
}

actor::Task<web::Response> publish_one(web::Request request, Caller caller, DoorPtr door) {
  auto key = key_of(request);
  if (!key) co_return api::problem_of(key.error());
  auto command = door->site->decoder.decode_publish(request.body);
  if (!command) co_return api::problem_of(command.error());
  (*command)->idempotency_key = *std::move(key);
  (*command)->exclude_self = false;  // nobody is there to be excluded
  auto judged = judge(*std::move(command), asker(caller, *door));
  if (!judged) co_return api::problem_of(judged.error());
  auto home = door->site->routing.home(judged->message.publication->topic.text());
  auto ack = co_await Publishing{*std::move(judged), home};
  co_return ack ? body_of(*ack) : problem_of(ack.error());
}

// What became of each topic: its ack, or its error.
web::Response results_of(const std::vector<TopicName>& topics, const std::vector<Published>& results) {
  const auto failed = std::ranges::count_if(results, [](const Published& result) { return !result; });
  if (failed == std::ssize(results)) return problem_of(results.front().error());
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().key("results").begin_array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    writer.begin_object().member("topic", topics[i].text());
    if (const auto& ack = results[i]) {
      writer.member("delivered_to", ack->delivered_to)
          .member("queued", ack->queued)
          .member("epoch", ack->position.epoch.value())
          .member("offset", ack->position.offset);
      if (!ack->redirected_to.empty()) writer.member("redirected_to", ack->redirected_to.view());
    } else {
      auto error = error_of(ack.error());
      writer.key("error").begin_object();
      writer.member("code", text(error.code)).member("message", error.message).end_object();
    }
    writer.end_object();
  }
  writer.end_array().end_object();
  return web::json_response(failed == 0 ? 200 : 207, std::move(json));
}

// All topics are judged before anything is published to one of them.
std::expected<std::vector<JudgedPublication>, ClientError> judge_all(const Broadcast& broadcast, const std::string& key,
                                                                     const Asker& asker) {
  std::vector<JudgedPublication> all;
  for (const auto& topic : broadcast.topics) {
    auto one = std::make_unique<Publish>(actor::CoreMemory{}, topic, broadcast.payload, false, key, Priority::normal,
                                         KeyedOperation::broadcast);
    auto judged = judge(std::move(one), asker);
    if (!judged) return std::unexpected(std::move(judged.error()));
    all.push_back(*std::move(judged));
  }
  return all;
}

actor::Task<web::Response> broadcast(web::Request request, Caller caller, DoorPtr door) {
  auto key = key_of(request);
  if (!key) co_return api::problem_of(key.error());
  auto command = door->site->decoder.decode_broadcast(request.body);
  if (!command) co_return api::problem_of(command.error());
  auto judged = judge_all(*command, *key, asker(caller, *door));
  if (!judged) co_return api::problem_of(judged.error());
  for (std::size_t more = 1; more < judged->size(); ++more) {  // the request itself counts as the first
    auto limited = over_rates(request.peer.ip, &caller.identity.user, command->payload.bytes.size(), *door);
    if (limited) co_return api::problem_of(*limited);
  }
  std::vector<Published> results;
  for (auto& one : *judged) {
    auto home = door->site->routing.home(one.message.publication->topic.text());
    auto ack = co_await Publishing{std::move(one), home};
    results.push_back(std::move(ack));
  }
  co_return results_of(command->topics, results);
}

actor::Task<web::Response> send_direct(web::Request request, Caller caller, DoorPtr door) {
  auto key = key_of(request);
  if (!key) co_return api::problem_of(key.error());
  auto command = door->site->decoder.decode_direct(request.body);
  if (!command) co_return api::problem_of(command.error());
  auto inbox = TopicName::parse(inbox_topic(command->user));
  if (!inbox) co_return api::problem_of({ErrorCode::bad_request, "`user` cannot be the id of a user", {}});
  command->idempotency_key = *std::move(key);
  auto home = door->site->routing.home(inbox->text());
  auto ack = co_await home.ask(SendDirect{caller.identity.user, *std::move(command)});
  co_return ack ? body_of(*ack) : problem_of(ack.error());
}

}  // namespace

void add_publishing(web::Router& router, const DoorPtr& door, std::size_t body_bytes_max) {
  const web::RouteOptions options{.body_bytes_max = body_bytes_max};
  add_route(router, web::Method::post, "/api/v1/publish", publish_scope, publish_one, door, options);
  add_route(router, web::Method::post, "/api/v1/broadcast", publish_scope, broadcast, door, options);
  add_route(router, web::Method::post, "/api/v1/direct", publish_scope, send_direct, door, options);
}

}  // namespace troupe::realtime::api

namespace troupe::realtime {

void add_api(web::Router& router, const DoorPtr& door, std::size_t body_bytes_max) {
  api::add_publishing(router, door, body_bytes_max);
  api::add_reading(router, door);
  api::add_operating(router, door);
}

}  // namespace troupe::realtime
