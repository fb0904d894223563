// Reading requests: the parser's steps, and between head and body the router's word.
#include "troupe/web/request_reader.h"

#include <fmt/format.h>

#include "troupe/wire/url.h"

namespace troupe::web {

RequestReader::Step RequestReader::next(std::string_view& input) {
  while (true) {
    auto progress = parser_.next(input);
    if (!progress) {
      if (in_body_ && progress.error() == wire::Http1Error::body_too_large) return refuse_body();
      return refuse(wire::status_of(progress.error()), fmt::format("malformed request: {}", text(progress.error())));
    }
    switch (*progress) {
      case wire::Http1Progress::need_more:
        return in_body_ ? Step::in_body : parser_.is_idle() ? Step::idle : Step::in_head;
      case wire::Http1Progress::head:
        in_body_ = true;
        if (auto step = take_head()) return *step;
        break;
      case wire::Http1Progress::complete:
        in_body_ = false;
        current_.request.body = parser_.take_body();
        return Step::request;
    }
  }
}

std::optional<RequestReader::Step> RequestReader::take_head() {
  auto head = parser_.take_head();
  auto path = head.path == "*" ? head.path : wire::normalise_path(head.path);
  if (!path) return refuse(400, fmt::format("malformed path: {}", text(path.error())));

  current_.keep_alive = head.keep_alive;
  current_.tells_keep_alive = head.minor_version == 0;
  current_.request = {.method = method_of(head.method),
                      .method_text = std::move(head.method),
                      .path = std::move(*path),
                      .query = std::move(head.query),
                      .headers = Headers{std::move(head.fields)},
                      .peer = peer_};
  current_.match = router_.match(current_.request.method, current_.request.path);
  if (head.minor_version == 0 && std::holds_alternative<const UpgradeHandler*>(current_.match)) {
    current_.match = problem(426, "a WebSocket needs HTTP/1.1");
  }
  if (const auto* route = std::get_if<const Route*>(&current_.match)) {
    std::size_t bytes_max = (*route)->options.body_bytes_max;
    parser_.limit_body(bytes_max);
    // Refused before the client sends it, or begins to wait for our permission.
    if (!head.chunked && head.content_length > bytes_max) return refuse_body();
  } else if (head.expects_continue) {
    refusal_ = std::get_if<Response>(&current_.match) != nullptr ? std::move(std::get<Response>(current_.match))
                                                                 : problem(417, "a request of this path has no body");
    return Step::refused;
  }
  return head.expects_continue ? std::optional{Step::send_continue} : std::nullopt;
}

RequestReader::Step RequestReader::refuse(int status, std::string_view detail) {
  refusal_ = problem(status, detail);
  refusal_.refusal = Refusal::malformed;  // 501 and 505 are no failure of ours
  return Step::refused;
}

RequestReader::Step RequestReader::refuse_body() {
  const Route* route = Router::route_in(current_.match);
  const TooLarge too_large = route != nullptr ? route->options.too_large : nullptr;
  if (too_large != nullptr) {
    refusal_ = too_large(current_.request);
  } else {
    refuse(413, "the body is over this path's limit");
  }
  refusal_ = in_place_of(route, std::move(refusal_));
  return Step::refused;
}

}  // namespace troupe::web
