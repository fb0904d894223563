// HttpPost: one request to a collector of ours, on the thread that calls it.
//
// For the blocking pool: it waits. Only http and https are spoken, nothing is redirected, and the answer's body is
// thrown away; one of more than 64 KiB is an error.
#pragma once

#include <chrono>
#include <string>

namespace troupe::app {

/// Sends `body` as application/json. Empty: the answer was 2xx; else what went wrong.
std::string post_json(const std::string& url, const std::string& body, std::chrono::milliseconds within);

}  // namespace troupe::app
