// ConnectionSite: what all connections of one core share: options, the decoder's memory, the
// routers, who verifies tokens, who has places, rates that they share, and figures.
//
// Made by the SystemSupervisor for each core; touched on that core only, once its
// ConnectionSupervisor has started. It outlives the connections.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/net/address.h"
#include "troupe/realtime/command/client.h"
#include "troupe/realtime/connection/admission.h"
#include "troupe/realtime/connection/compression.h"
#include "troupe/realtime/connection/connection_figures.h"
#include "troupe/realtime/connection/due_queue.h"
#include "troupe/realtime/connection/options.h"
#include "troupe/realtime/connection/outbox_pool.h"
#include "troupe/realtime/connection/presence_watchers.h"
#include "troupe/realtime/connection/shared_rate.h"
#include "troupe/realtime/connection/topic_pressure.h"
#include "troupe/realtime/connection/turn_writers.h"
#include "troupe/realtime/protocol/decoder.h"
#include "troupe/realtime/protocol/identity.h"
#include "troupe/realtime/topic/byte_ledger.h"

namespace troupe::realtime {

using Verifier = actor::Ref<actor::Protocol<VerifyToken>>;
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
  TurnWriters writers;
  TopicPressure pressure;
  PresenceWatchers watchers;
  SharedRates<UserId> user_rates;
  SharedRates<net::IpAddress> address_rates;
  base::Instant armed = base::Instant::never();  // when the supervisor's timer will look at `due`
  std::map<TokenId, base::Instant> revoked;      // lately, for connections that are just being opened
  ByteLedger histories_bytes;                    // of pages of history that are under way
  ConnectionFigures figures;
  OutboxPool outboxes{options.outbox, figures.outbox};
};

}  // namespace troupe::realtime
