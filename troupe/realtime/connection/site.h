// ConnectionSite: what all connections of one core share: options, the decoder's memory, the
// routers, who verifies tokens, who has places, rates that they share, and figures.
//
// Made by the SystemSupervisor for each core; touched on that core only, once its
// ConnectionSupervisor has started. It outlives the connections.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "troupe/actor/actor.h"
#include "troupe/net/address.h"
#include "troupe/realtime/command/client.h"
#include "troupe/realtime/connection/admission.h"
#include "troupe/realtime/connection/compression.h"
#include "troupe/realtime/connection/connection_figures.h"
#include "troupe/realtime/connection/options.h"
#include "troupe/realtime/connection/presence_watchers.h"
#include "troupe/realtime/connection/shared_rate.h"
#include "troupe/realtime/connection/topic_pressure.h"
#include "troupe/realtime/protocol/decoder.h"
#include "troupe/realtime/protocol/identity.h"

namespace troupe::realtime {

using Verifier = actor::Ref<actor::Protocol<VerifyToken>>;
using ConnectionNumber = std::uint64_t;  // within a core

/// When each connection wants its on_time(); the earliest comes first. Each remembers its own time, never() while it
/// has none here.
class DueQueue {
 public:
  using Entry = std::pair<base::Instant, ConnectionNumber>;

  /// Replaces the time of a connection, `noted`, by another.
  void move(ConnectionNumber connection, base::Instant& noted, base::Instant at) {
    if (noted == at) return;
    auto node = entries_.extract({std::exchange(noted, at), connection});
    if (at == base::Instant::never()) return;
    if (node.empty()) {
      entries_.emplace(at, connection);
    } else {
      node.value() = {at, connection};
      entries_.insert(std::move(node));
    }
  }
  base::Instant earliest() const noexcept {
    return entries_.empty() ? base::Instant::never() : entries_.begin()->first;
  }
  ConnectionNumber first() const noexcept { return entries_.begin()->second; }

 private:
  std::set<Entry> entries_;
};

class ConnectionSupervisor;

/// The socket has closed.
struct LinkClosed {
  static constexpr auto message_class = actor::MessageClass::control;
};

/// A connection's actor has ended.
struct ConnectionEnded {
  static constexpr auto message_class = actor::MessageClass::control;
  ConnectionNumber connection;
};

struct ConnectionSite {
  ConnectionOptions options;
  SettingsPtr settings = default_settings();
  Routing routing;
  Verifier verifier;
  actor::Ref<actor::Protocol<AdmitUser>> door;
  actor::Ref<ConnectionSupervisor> supervisor;
  Decoder decoder;
  CoreCompression compression;
  DueQueue due;
  TopicPressure pressure;
  PresenceWatchers watchers;
  SharedRates<UserId> user_rates;
  SharedRates<net::IpAddress> address_rates;
  base::Instant armed = base::Instant::never();  // when the supervisor's timer will look at `due`
  std::map<TokenId, base::Instant> revoked;      // lately, for connections that are just being opened
  ConnectionFigures figures;
};

}  // namespace troupe::realtime
