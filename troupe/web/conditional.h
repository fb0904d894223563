// Conditional requests (RFC 9110, section 13): whether a reader has what it asks for already.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "troupe/web/message.h"

namespace troupe::web {

/// Whether If-None-Match names this entity tag ("\"abc\"", its quotes included), or every one ("*"): then 304 is the
/// answer to a GET. Tags are compared weakly, W/"abc" as "abc" (sections 8.8.3.2 and 13.1.2).
bool is_known(const Request& request, std::string_view etag) noexcept;

/// A document that anybody may keep for so long: `whole()`, which gives the Response, or 304 without it where the
/// reader has what this entity tag stands for. Either bears the tag (section 15.4.5).
template <std::invocable Whole>
Response unless_known(const Request& request, std::string etag, int max_age_seconds, Whole whole) {
  Response response = is_known(request, etag) ? Response{.status = 304} : whole();
  response.headers.set("ETag", std::move(etag));
  response.headers.set("Cache-Control", "public, max-age=" + std::to_string(max_age_seconds));
  return response;
}

/// What If-Match says of a change to what bears this entity tag (section 13.1.1): nobody has said anything, it is the
/// one that was seen ("*" has seen any), or it has changed since. Tags are compared strongly: W/"abc" is no match.
enum class Seen : std::uint8_t { unsaid, same, other };
Seen seen(const Request& request, std::string_view etag) noexcept;

}  // namespace troupe::web
