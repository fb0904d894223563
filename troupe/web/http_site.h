// HttpSite: what all connections of one core share: routes, guard, limits and figures.
//
// Made by the core's HttpServer; each connection holds it too, so it outlives them all.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>

#include "troupe/base/clock.h"
#include "troupe/base/metrics.h"
#include "troupe/web/guard.h"
#include "troupe/web/message.h"
#include "troupe/web/receive_budget.h"
#include "troupe/web/router.h"
#include "troupe/wire/http1.h"

namespace troupe::web {

/// Which requests are traced. A client that sends a sampled `traceparent` is followed; of the others a share.
struct TraceOptions {
  bool enabled = false;  // somebody takes the spans
  double share = 0;      // 0 to 1
};

struct HttpOptions {
  wire::Http1Limits limits{};
  base::Duration idle_time_max = std::chrono::seconds{75};  // between requests: more than proxies before us keep theirs
  base::Duration head_time_max = std::chrono::seconds{5};   // for all of a head, however slowly it drips
  base::Duration body_time_max = std::chrono::seconds{30};  // for all of a body
  base::Duration write_time_max = std::chrono::seconds{30};  // for a client to take as much as the next line says of
  std::size_t write_bytes_min = 16 * 1024;                   // what waits for it, or the rest: some 500 bytes a second
  base::Duration linger_time_max = std::chrono::seconds{2};  // for our last words to arrive before we close
  std::size_t backlog_bytes_max = 64 * 1024;                 // pipelined requests that wait; past it reading pauses
  std::size_t unsent_bytes_max = 256 * 1024;                 // answers that wait; past it no further request is served
  std::size_t receiving_bytes_max = 256 * 1024 * 1024;  // received and of no use yet, on one core: see ReceiveBudget
  bool secure = false;                                  // what comes has come through TLS
  TraceOptions trace{};
};

/// What is counted about HTTP. The families are shared by all cores.
class HttpMetrics {
 public:
  /// `metrics` must outlive this.
  explicit HttpMetrics(base::Metrics& metrics);

  /// One answer: its status, the time from the whole request to the answer, and why, where it is 5xx and no failure.
  void answered(int status, base::Duration took, Refusal refusal = Refusal::none) noexcept;

  base::Gauge& connections;
  base::Counter& connections_refused;  // their address had as many as it may
  base::Counter& handler_faults;       // exceptions of handlers, and responses that could not be written

 private:
  std::array<base::Counter*, 5> responses_{};       // by the first digit of the status
  std::array<base::Counter*, refusals> refused_{};  // 5xx that are not among those; none for Refusal::none
  base::Histogram& seconds_;
};

struct HttpSite {
  Router router;
  Guard guard;
  HttpOptions options;
  HttpMetrics metrics;
  base::LocalRef<ReceiveBudget> receiving;
  std::unique_ptr<base::Metrics> own_metrics;  // where nobody handed any in
  bool draining = false;                       // set by the server; who comes from now on comes late
  wire::HttpDate date{};
};

}  // namespace troupe::web
