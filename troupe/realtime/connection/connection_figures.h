// ConnectionFigures: what the connections of one core have done, counted on that core alone
// and added up when somebody asks.
//
// Each table has a fixed number of places: nothing that a client says makes it larger.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "troupe/realtime/connection/compression.h"
#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/error.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/topic/by_namespace.h"
#include "troupe/realtime/topic/spread.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

/// Who ended a connection: the server, also where it refused what came, or the client, also where it only vanished.
enum class ClosedBy : std::uint8_t { server, client };

/// Connections that have ended, by close code. A code that our protocol does not know counts as one of the others.
class CloseFigures {
 public:
  static constexpr std::uint16_t other = 0;
  static constexpr std::array<std::uint16_t, 18> codes{wire::close_code::normal,
                                                       wire::close_code::going_away,
                                                       wire::close_code::protocol_error,
                                                       wire::close_code::no_status,
                                                       wire::close_code::abnormal,
                                                       wire::close_code::invalid_payload,
                                                       wire::close_code::policy_violation,
                                                       wire::close_code::too_large,
                                                       wire::close_code::internal_error,
                                                       1012,  // the routing tables are built anew
                                                       wire::close_code::try_again_later,
                                                       close_codes::token_ended,
                                                       close_codes::heartbeat_lost,
                                                       close_codes::slow_consumer,
                                                       close_codes::replaced,
                                                       close_codes::idle,
                                                       close_codes::rate_limited,
                                                       other};

  void add(std::uint16_t code, ClosedBy by) noexcept { ++counts_[index_of(by)][place_of(code)]; }
  void add(const CloseFigures& figures) noexcept {
    for (std::size_t by = 0; by < counts_.size(); ++by) {
      for (std::size_t place = 0; place < codes.size(); ++place) counts_[by][place] += figures.counts_[by][place];
    }
  }
  std::uint64_t count(std::uint16_t code, ClosedBy by) const noexcept { return counts_[index_of(by)][place_of(code)]; }

 private:
  static std::size_t index_of(ClosedBy by) noexcept { return static_cast<std::size_t>(by); }
  static std::size_t place_of(std::uint16_t code) noexcept {
    auto known = std::ranges::find(codes, code);
    return static_cast<std::size_t>((known == codes.end() ? codes.end() - 1 : known) - codes.begin());
  }

  std::array<std::array<std::uint64_t, codes.size()>, 2> counts_{};
};

inline constexpr std::size_t overflow_policies = static_cast<std::size_t>(Overflow::backpressure) + 1;
inline constexpr std::size_t gap_reasons = static_cast<std::size_t>(GapReason::filtered) + 1;

/// Messages by the policy of their subscription.
using ByOverflow = std::array<std::uint64_t, overflow_policies>;

/// What outboxes did with what found no room.
struct OutboxFigures {
  ByNamespace<ByOverflow> dropped;                     // messages
  std::array<std::uint64_t, gap_reasons> gaps_told{};  // frames, by their reason
  std::size_t recovered_bytes = 0;                     // that wait in outboxes now

  std::uint64_t& dropped_by(Overflow overflow, std::string_view topic) noexcept {
    return dropped.of(topic)[static_cast<std::size_t>(overflow)];
  }
  std::uint64_t& told(GapReason reason) noexcept { return gaps_told[static_cast<std::size_t>(reason)]; }
};

/// How far a drain is: of the connections that are to go, how many were told, have gone, and are still there.
struct DrainFigures {
  std::uint64_t told = 0;
  std::uint64_t gone = 0;
  std::uint64_t left = 0;
};

struct ConnectionFigures {
  std::uint64_t opened = 0;
  std::uint64_t open = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t frames_refused = 0;
  std::uint64_t frames_limited = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t writes = 0;
  std::uint64_t waiting = 0;  // messages in outboxes
  std::uint64_t waiting_bytes = 0;
  std::uint64_t spill_pages = 0;
  std::uint64_t spill_lost = 0;
  std::uint64_t closed_rate_limited = 0;
  std::uint64_t closed_slow = 0;
  std::uint64_t closed_heartbeat = 0;
  std::uint64_t closed_token = 0;
  CloseFigures closes;
  OutboxFigures outbox;
  DrainFigures drain;
  SampledTime decoding;
  SampledTime writing;
  Spread queue_depth;  // messages in an outbox, and how long the first of them has waited, when a write begins
  Spread queue_wait;
  CompressionFigures compression;
};

}  // namespace troupe::realtime
