// Options of the real-time service as a whole; app/config fills them in.
//
// The defaults are those of a service on the open internet; a development configuration is
// more generous.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/realtime/connection/options.h"
#include "troupe/realtime/topic/message_router_actor.h"
#include "troupe/realtime/topic/presence_options.h"
#include "troupe/realtime/topic/session.h"
#include "troupe/realtime/topic/settings.h"

namespace troupe::realtime {

struct RealtimeOptions {
  std::size_t connections_max = 100'000;           // on this node
  std::size_t connections_by_address_max = 1'000;  // an office behind one address; of IPv6 one network of 64 bits
  std::size_t connections_by_user_max = 1'000;     // a back end may be one user with many machines
  std::chrono::seconds retry_after{5};             // told with 503
  SettingsPtr settings = default_settings();       // by namespace, and who may do what
  std::vector<std::string> allowed_origins;        // besides the page's own; "*" allows every one
  bool echo = false;                               // a place that sends everything back, for conformance suites
  std::size_t echo_bytes_max = 16 * 1024 * 1024;
  ConnectionOptions connection{};
  RouterOptions router{};
  SessionsOptions sessions{};
  PresenceOptions presence{};
  std::uint32_t router_mailbox = 64 * 1024;  // publications that wait for one core
  std::uint32_t door_mailbox = 16 * 1024;    // connections that come at the same moment
};

}  // namespace troupe::realtime
