// Router: which handler answers which method and path. Each core has its own, filled once
// at start; handlers run as coroutines inside the connection's actor.
//
// A path matches exactly, by a template whose segments in braces stand for any one segment, or
// by the longest pattern that ends in "/*", in this order. An unknown path is
// 404, a known one with another method 405 with Allow; HEAD is answered from GET, unless
// the route says that its GET is a deed, OPTIONS from what was added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "troupe/actor/task.h"
#include "troupe/web/message.h"

namespace troupe::web {

class ResponseStream;
class WebSocketLink;

/// Answers one request. An exception becomes 500 (and is counted), never a closed connection without a word.
using Handler = std::function<actor::Task<Response>(Request)>;

/// The request is taken: the 101 goes out, then `attach` gets the link, once, on the same core.
struct Accept {
  std::string subprotocol;  // one that the client offered; "" for none
  std::move_only_function<void(std::unique_ptr<WebSocketLink>)> attach;
  std::string extensions;  // what was agreed on of those that it offered; "" for none
};

/// What becomes of a request to speak WebSocket: refused with a response, or accepted.
using Upgrade = std::variant<Response, Accept>;
using UpgradeHandler = std::function<actor::Task<Upgrade>(Request)>;

/// The request is taken: the head goes out, then `attach` gets the body to write, once, on the same core.
struct Streaming {
  Response head;  // its body stays empty
  std::move_only_function<void(std::unique_ptr<ResponseStream>)> attach;
};

/// What becomes of a request for a response without an end: a response that has one, or the stream.
using StreamAnswer = std::variant<Response, Streaming>;
using StreamHandler = std::function<actor::Task<StreamAnswer>(Request)>;

/// What becomes of a request that comes while the server goes away.
enum class DuringDrain : std::uint8_t { refused, answered };

/// What a HEAD request gets where there is a route for GET.
enum class HeadRequests : std::uint8_t { as_get, refused };

/// Which pages may read what is answered in the place of a handler (413, 429, 500, 503), where browsers ask (CORS).
enum class RefusalReaders : std::uint8_t { same_origin, all };

/// What is answered to a request whose body is over the limit, in the manner of its path. Its body is not there.
using TooLarge = Response (*)(const Request& request);

struct RouteOptions {
  std::size_t body_bytes_max = 64 * 1024;           // forms and small JSON; more is 413
  DuringDrain during_drain = DuringDrain::refused;  // with 503: another server has the time to answer it
  HeadRequests head = HeadRequests::as_get;         // refused: with 405, since its GET does more than show something
  TooLarge too_large = nullptr;                     // null: a problem document, as HTTP APIs have it
  RefusalReaders refusal_readers = RefusalReaders::same_origin;  // all: for what clients in pages of others call
};

struct Route {
  Handler handler;
  RouteOptions options;
};

/// An answer in the place of the route's own, with leave to be read by whom the route says. It says nothing of anybody,
/// so nobody is asked who that is: who asks too often costs no more for it. `route`: null where there is none.
Response in_place_of(const Route* route, Response answer);

/// What stands at a place, for documents and their tests.
struct RouteName {
  enum class Kind : std::uint8_t { answer, upgrade, stream } kind = Kind::answer;
  Method method = Method::get;
  std::string pattern;
};

class Router {
 public:
  /// Adds a handler for `pattern`: "/oauth/token", "/items/{id}/parts" where any one segment may stand for the one in
  /// braces, or "/demo/*" for everything below /demo/. Adding the same method and pattern twice is a bug.
  void add(Method method, std::string pattern, Handler handler, RouteOptions options = {});

  /// Adds a place where WebSockets are opened by GET. A request that asks for no upgrade gets 426.
  void upgrade(std::string path, UpgradeHandler handler);

  /// Adds a place whose response to GET goes on for as long as its handler likes. There is no HEAD of it.
  void stream(std::string path, StreamHandler handler);

  /// What to do with a request for `method` and `path`: a route to run, an upgrade or a stream to try, or a response
  /// that is already clear (404, 405, 204 for OPTIONS). Pointers stay valid as long as the router.
  using Match = std::variant<const Route*, const UpgradeHandler*, const StreamHandler*, Response>;
  Match match(Method method, std::string_view path) const;
  /// The route in it; null where it is anything else.
  static const Route* route_in(const Match& match) noexcept;

  /// Everything that was added, by pattern and method.
  std::vector<RouteName> list() const;

 private:
  struct Place {
    std::map<Method, Route> routes;
    UpgradeHandler upgrade;
    StreamHandler stream;
  };

  Place& place(std::string pattern);
  static const Route* route_for(const Place& place, Method method);
  const Place* find(std::string_view path) const;
  static std::string allowed(const Place& place);

  std::map<std::string, Place, std::less<>> exact_;
  std::map<std::string, Place, std::less<>> templates_;
  std::map<std::string, Place, std::less<>> below_;  // by the pattern without its '*'
};

}  // namespace troupe::web
