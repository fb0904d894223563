// Dialect: how a server of the fan-out bench wants to be spoken to, by the name of its side.
//
// Troupe, its floor and the peers do the same job: whoever subscribed gets what is published.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/load/websocket_client.h"

namespace troupe::bench {

struct Dialect {
  /// What is said once, before anything else, and what is awaited before and after.
  struct Step {
    std::string_view say;  // nothing where it is empty
    std::string_view await;
  };
  Opcode opcode = Opcode::text;
  std::string_view subscriber_path = "/ws";
  std::string_view publisher_path = "/ws";
  std::vector<Step> greeting;
  std::string_view subscribe;                // `{}` stands for the topics, as JSON strings with commas between
  std::string_view subscribed;               // how the answer says yes; empty: there is none
  std::string_view publish;                  // `{0}` stands for the payload, `{1}` for its bytes
  std::string_view publish_and_acknowledge;  // the same where an answer is wanted; empty: there is none
  std::string_view delivered;                // what each delivery holds once
  std::string_view are_you_here;             // a ping of its own
  std::string_view i_am;                     // and the answer

  std::string subscription(std::string_view topics) const;
  /// A publication whose payload has so many bytes, at least twelve; `acknowledged` if that can be had.
  std::string publication(std::size_t payload_bytes, bool acknowledged) const;
  /// How many deliveries are in what came.
  std::size_t deliveries_in(std::string_view payload) const;

  WebSocketClient publisher(std::uint16_t port) const { return connect(port, publisher_path); }
  WebSocketClient subscriber(std::uint16_t port) const { return connect(port, subscriber_path); }

 private:
  WebSocketClient connect(std::uint16_t port, std::string_view path) const;
};

/// That of "floor", "troupe", "exact" (a Troupe that another is compared with), or a peer; ends the process for others.
const Dialect& dialect_of(std::string_view side);

}  // namespace troupe::bench
