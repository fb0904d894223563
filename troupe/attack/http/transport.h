// Transport: the way to the server under attack. Real sockets for the command, a toy server in memory for tests.
//
// Blocking, for one thread. A redirect is never followed here, and a server that does not answer is an answer of
// status 0, since whether that is a mistake is for a row to judge.
#pragma once

#include <string>
#include <vector>

#include "troupe/attack/http/message.h"
#include "troupe/base/clock.h"

namespace troupe::attack {

class Transport {
 public:
  virtual ~Transport() = default;

  /// Sends all of them, each on a connection of its own, before it waits for the first answer. The answers are in the
  /// order of the requests.
  virtual std::vector<Answer> send_at_once(const std::vector<Request>& requests) = 0;

  /// Sends bytes as they are to an origin ("https://example.org:8443"), and gives all that comes back until the server
  /// closes or has been silent for two seconds; a megabyte at most.
  virtual std::string send_raw(const std::string& origin, const std::string& bytes) = 0;

  /// Lets time pass.
  virtual void wait(base::Duration duration) = 0;

  Answer send(const Request& request) { return send_at_once({request}).front(); }
};

}  // namespace troupe::attack
