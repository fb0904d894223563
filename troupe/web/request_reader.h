// RequestReader: bytes of one connection become requests, each with what the router says
// about it. It stops at every step at which its connection has something to decide.
//
// Owned by an HttpConnection. It holds one request at a time and no more of the next one
// than an incomplete head.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "troupe/net/address.h"
#include "troupe/web/message.h"
#include "troupe/web/router.h"
#include "troupe/wire/http1.h"

namespace troupe::web {

/// A whole request and what to do with it.
struct RoutedRequest {
  Request request;
  Router::Match match;
  bool keep_alive = true;
  bool tells_keep_alive = false;  // to its client, which speaks HTTP/1.0
};

class RequestReader {
 public:
  RequestReader(const Router& router, const wire::Http1Limits& limits, const net::PeerAddress& peer)
      : router_(router), parser_(limits), peer_(peer) {}

  enum class Step : std::uint8_t {
    idle,           // all is read; nothing of a next request has come
    in_head,        // all is read, inside a head
    in_body,        // all is read, inside a body
    send_continue,  // a head has come whose client waits for "100 Continue"; read on after it is sent
    request,        // a request is whole: take_request()
    refused,        // the connection has lost its place: answer with take_refusal() and close
  };

  /// Takes bytes off the front of `input` up to the next step.
  Step next(std::string_view& input);

  /// How much is held of a body that is not whole.
  std::size_t body_bytes() const noexcept { return parser_.body_bytes(); }

  /// Whether the request that is refused, or not whole, is one of HEAD: its answer has no body.
  bool asks_for_head() const noexcept { return parser_.asks_for_head(); }

  /// Lets go of what has come of a request that will not be answered.
  void forget() {  // with its memory, which an assignment would keep
    (void)std::exchange(parser_, wire::Http1Parser{});
    (void)std::exchange(current_, {});
  }

  RoutedRequest take_request() noexcept { return std::move(current_); }
  Response take_refusal() noexcept { return std::move(refusal_); }

 private:
  std::optional<Step> take_head();
  Step refuse(int status, std::string_view detail);
  Step refuse_body();

  const Router& router_;
  wire::Http1Parser parser_;
  net::PeerAddress peer_;
  RoutedRequest current_;
  Response refusal_;
  bool in_body_ = false;
};

}  // namespace troupe::web
