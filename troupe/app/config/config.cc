// See config.h for what these values are. Development mode differs from the defaults here alone.
#include "troupe/app/config/config.h"

namespace troupe::app {

Config development_defaults() {
  Config config;
  config.development = true;
  config.http.requests_by_address = {.per_second = 10'000, .burst = 20'000};
  config.http.connections_by_address_max = config.http.connections_max;
  config.server.tls_handshakes_by_address_max = 1000;
  config.realtime.frames = {.per_second = 100'000, .burst = 500'000};
  constexpr double GiB = 1024.0 * 1024 * 1024;
  config.realtime.bytes = {.per_second = GiB, .burst = GiB};
  config.realtime.subscriptions_max = 100'000;
  config.realtime.user = config.realtime.address = {.frames = {.per_second = 1'000'000, .burst = 5'000'000},
                                                    .bytes = {.per_second = 8 * GiB, .burst = 8 * GiB}};
  config.realtime.connections_by_address_max = config.realtime.connections_max;
  config.realtime.connections_by_user_max = config.realtime.connections_max;
  return config;
}

}  // namespace troupe::app
