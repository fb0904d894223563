// CurlTransport: the real way to a server, on libcurl. One thread, any number of connections at once.
#pragma once

#include <memory>
#include <string>

#include "troupe/attack/http/transport.h"

namespace troupe::attack {

struct CurlOptions {
  std::string ca_file;                                 // PEM; empty: the certificates that the system trusts
  base::Duration patience = std::chrono::seconds{60};  // a thousand answers at once may take a slow server so long
};

/// Throws std::runtime_error when libcurl cannot begin.
std::unique_ptr<Transport> curl_transport(CurlOptions options);

}  // namespace troupe::attack
