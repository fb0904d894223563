// Workload: one kind of traffic between this process and one server, in slices.
//
// A workload connects in its constructor and sends nothing between slices, so that two
// servers can take turns on one core. A slice ends with nothing in flight.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::bench {

struct Target {
  std::string name;        // which side of the comparison this is: "floor", "troupe", "exact" or a peer's name
  std::uint16_t port = 0;  // on 127.0.0.1
  pid_t process = 0;       // whose processor time is counted
  std::vector<std::string> requests;  // http: sent in turn; none: the text of the options

  /// Whether it is a Troupe, which welcomes whoever connects.
  bool is_troupe() const noexcept { return name == "troupe" || name == "exact"; }
};

/// http: what is sent after what.
enum class RequestOrder : std::uint8_t { again, once, renew };

struct LoadOptions {
  std::string path = "/echo";                          // what the WebSocket upgrade asks for
  std::string text;                                    // echo: the message; http: the whole request
  std::string expected;                                // echo: how every answer begins
  std::size_t connections = 32;                        // echo, http: each has one message in flight
  std::size_t subscribers = 100;                       // fanout
  std::size_t in_flight = 1;                           // fanout: publications sent before their deliveries are awaited
  std::size_t payload_bytes = 64;                      // fanout: of a publication
  std::string subscribe = "bench.fanout";              // fanout, of side "troupe": the topic or pattern of all
  std::size_t patterns = 0;                            // fanout, of side "troupe": others that match nothing
  std::size_t changes = 0;                             // fanout, of side "troupe": of subscriptions, a second
  std::vector<std::string> tokens;                     // connect: shown in turn; none: nobody shows one
  RequestOrder order = RequestOrder::again;            // http
  std::uint64_t rate = 0;                              // http: requests a second; 0: as many as are answered
  bool any_status = false;                             // http: an answer other than 200 is one, too
  base::Duration patience = std::chrono::seconds{10};  // an answer later than this ends the bench
};

class Workload {
 public:
  virtual ~Workload() = default;
  /// Runs until `end`, then until all answers are in; gives the number of units done (messages, deliveries, requests).
  virtual std::uint64_t run_until(base::Instant end) = 0;
  /// How long each answer of the last slice took, where the workload knows.
  virtual std::vector<base::Duration> latencies() const { return {}; }
};

std::unique_ptr<Workload> make_echo(const Target& target, const LoadOptions& options);
std::unique_ptr<Workload> make_fanout(const Target& target, const LoadOptions& options);
std::unique_ptr<Workload> make_http(const Target& target, const LoadOptions& options);
std::unique_ptr<Workload> make_connect(const Target& target, const LoadOptions& options);

/// Opens `options.connections`, fifty of them to a topic, prints `held`, and keeps them until standard input ends.
void hold_idle(const Target& target, const LoadOptions& options);

}  // namespace troupe::bench
