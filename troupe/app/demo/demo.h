// Demo: the chat page below /demo/, in development mode only.
//
// The page is four files beside this one, built into the executable: its own three, and troupe.js,
// which is clients/js in one file. It is an ordinary public client: it signs in by authorization
// code with PKCE and chats over one WebSocket.
#pragma once

#include <string>

#include "troupe/web/router.h"

namespace troupe::app {

struct DemoClient {
  std::string client_id;
  std::string scope;  // what the page asks for
};

/// Adds the page's routes to one core's router.
void add_demo(web::Router& router, DemoClient client);

}  // namespace troupe::app
