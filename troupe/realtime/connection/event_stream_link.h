// EventStreamLink: a streamed response as the link of a connection, so that one Connection serves
// both protocols. It takes whole events where a WebSocket takes frames.
//
// A ping is a comment, and the socket's taking it is its answer: there is no other. Instead of a close frame the last
// event says why the stream ends. Nothing ever comes in. It keeps the bytes of a comment or of the last event only.
#pragma once

#include <memory>

#include "troupe/web/response_stream.h"
#include "troupe/web/websocket_link.h"

namespace troupe::realtime {

/// The link over a response whose head has been sent.
std::unique_ptr<web::WebSocketLink> open_event_stream(actor::Core& core, std::unique_ptr<web::ResponseStream> response);

}  // namespace troupe::realtime
