// HttpPost: one request to a server that the operator has named, on the thread that calls it.
//
// For the blocking pool: it waits. Only http and https are spoken, without a user in the URL, nothing is redirected,
// and the answer's body is thrown away, however long it is.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace troupe::app {

/// Sends `body` as application/json, with further `headers` ("Name: value", without line breaks). Empty: the answer was
/// 2xx; else what went wrong.
std::string post_json(const std::string& url, const std::string& body, std::chrono::milliseconds within,
                      const std::vector<std::string>& headers = {});

}  // namespace troupe::app
