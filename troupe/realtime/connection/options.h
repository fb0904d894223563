// Options of a connection: its limits, its heartbeat, its outbox.
#pragma once

#include <chrono>
#include <cstddef>

#include "troupe/base/clock.h"
#include "troupe/realtime/connection/compression.h"
#include "troupe/realtime/connection/heartbeat.h"
#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/connection/shared_rate.h"
#include "troupe/web/token_bucket.h"

namespace troupe::realtime {

using web::RateLimit;

struct ConnectionOptions {
  std::size_t frame_bytes_max = 1024 * 1024;
  RateLimit frames{.per_second = 1000, .burst = 5000};
  RateLimit bytes{.per_second = 4.0 * 1024 * 1024, .burst = 64.0 * 1024 * 1024};
  // Of all connections of a user, and from an address (an office, or a proxy that nobody trusts), on one core.
  TrafficLimit user{.frames = {.per_second = 2'000, .burst = 10'000},
                    .bytes = {.per_second = 8.0 * 1024 * 1024, .burst = 128.0 * 1024 * 1024}};
  TrafficLimit address{.frames = {.per_second = 10'000, .burst = 50'000},
                       .bytes = {.per_second = 40.0 * 1024 * 1024, .burst = 640.0 * 1024 * 1024}};
  std::size_t subscriptions_max = 1000;
  std::size_t histories_max = 8;                               // under way at once
  std::size_t histories_bytes_of_user_max = 32 * 1024 * 1024;  // on a core, beside his first page
  std::size_t histories_bytes_of_all_max = 256 * 1024 * 1024;  // of all on a core: as much as history itself
  std::size_t commands_pause = 128;                // commands that wait for their turn before reading pauses
  std::size_t commands_bytes_pause = 1024 * 1024;  // and their frames: one of the largest, and what a read brings
  base::Duration authenticate_within = std::chrono::seconds{5};
  base::Duration resume_within = std::chrono::seconds{5};    // of a session that goes on; then without positions
  base::Duration expiry_warning = std::chrono::seconds{60};  // token_expiring comes so long before the end, or halfway
  base::Duration flush_within = std::chrono::seconds{5};     // of a draining connection
  std::size_t failures_max = 5;                              // of its commands, within the time below: then 1011
  base::Duration failures_within = std::chrono::seconds{30};
  base::Duration idle_timeout{};  // of a client that says nothing; zero: it may be silent
  HeartbeatOptions heartbeat{};
  OutboxLimits outbox{};
  CompressionOptions compression{};
};

}  // namespace troupe::realtime
