// See dialect.h.
#include "bench/load/dialect.h"

#include <fmt/format.h>

#include <cstdlib>
#include <map>

namespace troupe::bench {
namespace {

constexpr std::string_view troupe_subscribe = R"({{"type":"subscribe","id":"s","topics":[{}]}})";
constexpr std::string_view troupe_publish = R"({{"type":"publish","topic":"bench.fanout","payload":{0}}})";
constexpr std::string_view troupe_publish_with_id =
    R"({{"type":"publish","id":"p","topic":"bench.fanout","payload":{0}}})";
constexpr std::string_view confirmed = "\"subscription_confirmed\"";

// The floor and `ws` welcome nobody; but for that they speak as Troupe does.
const Dialect plain{.subscribe = troupe_subscribe,
                    .subscribed = confirmed,
                    .publish = troupe_publish,
                    .publish_and_acknowledge = troupe_publish_with_id,
                    .delivered = "\"type\":\"message\""};
const Dialect troupe_itself{.greeting = {{"", "\"welcome\""}},
                            .subscribe = troupe_subscribe,
                            .subscribed = confirmed,
                            .publish = troupe_publish,
                            .publish_and_acknowledge = troupe_publish_with_id,
                            .delivered = "\"type\":\"message\""};
const Dialect socket_io{.subscriber_path = "/socket.io/?EIO=4&transport=websocket",
                        .publisher_path = "/socket.io/?EIO=4&transport=websocket",
                        .greeting = {{"", "\"sid\""}, {"40", "40{"}},
                        .subscribe = R"(42["subscribe",{}])",
                        .subscribed = "\"subscribed\"",
                        .publish = R"(42["publish","bench.fanout",{0}])",
                        .delivered = "42[\"message\"",
                        .are_you_here = "2",
                        .i_am = "3"};
const Dialect nats{.opcode = Opcode::binary,
                   .subscriber_path = "/",
                   .publisher_path = "/",
                   .greeting = {{"", "INFO "}, {"CONNECT {\"verbose\":false}\r\nPING\r\n", "PONG"}},
                   .subscribe = "SUB bench.fanout 1\r\nPING\r\n",
                   .subscribed = "PONG",
                   .publish = "PUB bench.fanout {1}\r\n{0}\r\n",
                   .delivered = "MSG bench.fanout",
                   .are_you_here = "PING\r\n",
                   .i_am = "PONG\r\n"};
const Dialect nchan{.subscriber_path = "/sub?id=bench.fanout",
                    .publisher_path = "/pub?id=bench.fanout",
                    .subscribe = "",
                    .subscribed = "",
                    .publish = "{0}",
                    .delivered = "{\"text\":\""};

}  // namespace

std::string Dialect::subscription(std::string_view topics) const {
  return client_frame(opcode, fmt::format(fmt::runtime(subscribe), topics));
}

std::string Dialect::publication(std::size_t payload_bytes, bool acknowledged) const {
  const std::string text(payload_bytes - std::string_view{R"({"text":""})"}.size(), 'x');
  const auto payload = fmt::format(R"({{"text":"{}"}})", text);
  const auto form = acknowledged && !publish_and_acknowledge.empty() ? publish_and_acknowledge : publish;
  return client_frame(opcode, fmt::format(fmt::runtime(form), payload, payload.size()));
}

std::size_t Dialect::deliveries_in(std::string_view payload) const {
  std::size_t found = 0;
  for (auto at = payload.find(delivered); at != std::string_view::npos; at = payload.find(delivered, at + 1)) ++found;
  return found;
}

WebSocketClient Dialect::connect(std::uint16_t port, std::string_view path) const {
  WebSocketClient client{port, std::string{path}};
  for (const auto& [say, await] : greeting) {
    if (!say.empty()) client.send(client_frame(opcode, say));
    client.wait_for(await);
  }
  return client;
}

const Dialect& dialect_of(std::string_view side) {
  static const std::map<std::string_view, const Dialect*> known{
      {"floor", &plain},         {"npm ws", &plain},     {"troupe", &troupe_itself}, {"exact", &troupe_itself},
      {"socket.io", &socket_io}, {"nats-server", &nats}, {"nchan", &nchan},
  };
  const auto found = known.find(side);
  if (found != known.end()) return *found->second;
  fmt::print(stderr, "load: nobody knows how to speak to '{}'\n", side);
  std::exit(1);
}

}  // namespace troupe::bench
