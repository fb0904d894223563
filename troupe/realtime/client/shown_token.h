// ShownToken: which token a client shows on its open connection when the last one is about to end, and what the
// server's answer makes of it.
//
// Owned by one client, on its core. When it is asked for another one again is its owner's to know.
#pragma once

#include <optional>
#include <utility>

#include "troupe/realtime/client/client_socket.h"
#include "troupe/realtime/client/server_frame.h"

namespace troupe::realtime {

class ShownToken {
 public:
  /// `taken`: the token that the connection was opened with.
  explicit ShownToken(AccessToken taken) : taken_(std::move(taken)), last_(taken_) {}

  /// Another one than the last that was shown, to be shown now; nothing: there is none yet.
  std::optional<AccessToken> next(const RenewToken& renew) {
    auto renewed = renew(last_);
    if (renewed) last_ = *renewed;
    return renewed;
  }

  /// The token that the server has taken with this answer; nothing: it refuses it. What it refuses in passing may be
  /// shown again.
  std::optional<AccessToken> answered(const ServerFrame& answer) {
    if (answer.type == ServerFrameType::authenticated) return taken_ = last_;
    if (is_passing(answer.code)) last_ = taken_;
    return std::nullopt;
  }

 private:
  AccessToken taken_;
  AccessToken last_;  // taken or not
};

}  // namespace troupe::realtime
