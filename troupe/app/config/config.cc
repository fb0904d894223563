// See config.h for what these values are. Development mode differs from the defaults here alone.
#include "troupe/app/config/config.h"

namespace troupe::app {

Config development_defaults() {
  Config config;
  config.development = true;
  config.http.requests_by_address = {.per_second = 10'000, .burst = 20'000};
  config.realtime.frames = {.per_second = 100'000, .burst = 500'000};
  config.realtime.bytes = {.per_second = 1024.0 * 1024 * 1024, .burst = 1024.0 * 1024 * 1024};
  config.realtime.subscriptions_max = 100'000;
  config.realtime.connections_by_address_max = config.realtime.connections_max;
  return config;
}

}  // namespace troupe::app
