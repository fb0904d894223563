// The figures of HTTP: families and the choice among them.
#include "troupe/web/http_site.h"

#include <algorithm>

namespace troupe::web {

HttpMetrics::HttpMetrics(base::Metrics& metrics)
    : connections(metrics.gauge("troupe_http_connections", "Open HTTP connections, without WebSockets.")),
      connections_refused(metrics.counter("troupe_http_connections_refused_total",
                                          "Connections closed at once, for their address had as many as it may.")),
      handler_faults(metrics.counter("troupe_http_handler_faults_total", "Requests whose handler failed.")),
      seconds_(metrics.histogram("troupe_http_request_seconds", "Time from a whole request to its answer.",
                                 base::latency_bounds())) {
  for (std::size_t digit = 1; digit <= responses_.size(); ++digit) {
    responses_[digit - 1] =
        &metrics.counter("troupe_http_responses_total", "Answers by the class of their status; 5xx are failures.",
                         {{"status", std::to_string(digit) + "xx"}});
  }
  constexpr std::array<const char*, refusals> reasons{"", "draining", "limit", "not_ready", "malformed"};
  for (std::size_t i = 1; i < refusals; ++i) {
    refused_[i] = &metrics.counter("troupe_http_refused_total", "Answers of 5xx that are no failure, by their reason.",
                                   {{"reason", reasons[i]}});
  }
}

void HttpMetrics::answered(int status, base::Duration took, Refusal refusal) noexcept {
  auto index = static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
  const bool is_refused = status >= 500 && refusal != Refusal::none;
  (is_refused ? refused_[static_cast<std::size_t>(refusal)] : responses_[index])->add();
  seconds_.observe(std::chrono::duration<double>{took}.count());
}

}  // namespace troupe::web
