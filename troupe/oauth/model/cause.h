// Cause: what a deed comes of, as the audit trail tells it.
//
// It travels in the messages that ask for the deed. What a request brings along as its id has been
// checked by web/guard.h, so it may stand in logs and in the trail as it is.
#pragma once

#include <string>

namespace troupe::oauth {

struct Cause {
  std::string request{};  // the X-Request-Id of the HTTP request; "" for what no request has asked for
  std::string by{};       // who did it, where the event's client and user do not say: "command line", "schedule"
};

}  // namespace troupe::oauth
