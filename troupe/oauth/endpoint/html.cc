// See html.h.
#include "troupe/oauth/endpoint/html.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/wire/topic_scope.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view policy =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// What scopes mean to a person, those of topics apart; those of applications speak for themselves.
constexpr std::array meanings = {
    std::pair{std::string_view{"openid"}, Text::know_you},
    std::pair{std::string_view{"profile"}, Text::see_name},
    std::pair{std::string_view{"email"}, Text::see_email},
    std::pair{std::string_view{"offline_access"}, Text::stay},
    std::pair{std::string_view{"topic:>:subscribe"}, Text::receive_all},
    std::pair{std::string_view{"topic:>:publish"}, Text::send_to_all},
};

/// One scope as HTML, in words where we know what it allows.
std::string meaning_of(Language language, const std::string& scope) {
  if (const auto* known = std::ranges::find(meanings, scope, &std::pair<std::string_view, Text>::first);
      known != meanings.end())
    return std::string{say(language, known->second)};
  if (const auto topics = wire::parse_topic_scope(scope)) {
    const bool receives = topics->action == wire::TopicAction::subscribe;
    return say(language, receives ? Text::receive_from : Text::send_to, foreign(topics->pattern));
  }
  return foreign(scope);
}

}  // namespace

web::Response page(Language language, int status, std::string_view title, std::string_view body,
                   const PageFrame& frame) {
  const std::string heading = frame.heading.empty() ? escape(title) : frame.heading;
  auto response = never_cached(
      web::html_response(status, fmt::format(R"(<!doctype html>
<html lang="{}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
<link rel="stylesheet" href="{}">
<link rel="icon" href="data:,">
</head>
<body>
<main{}>
<h1>{}</h1>
{}</main>
</body>
</html>
)",
                                             tag_of(language), escape(title), stylesheet_path,
                                             frame.width == PageWidth::wide ? " class=\"wide\"" : "", heading, body)));
  response.headers.set("Content-Security-Policy", std::string{policy});
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  return response;
}

std::string hidden(std::string_view name, std::string_view value) {
  return fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", name, escape(value));
}

std::string escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string foreign(std::string_view text) { return fmt::format("<bdi>{}</bdi>", escape(text)); }

std::string list_of(Language language, const ScopeSet& scope) {
  std::string items;
  for (const std::string& token : scope) items += fmt::format("<li>{}</li>\n", meaning_of(language, token));
  return items;
}

std::string problem_note(std::string_view problem) {
  if (problem.empty()) return {};
  return fmt::format("<p class=\"problem\" role=\"alert\">{}</p>\n", escape(problem));
}

std::string time_element(base::UnixTime time) {
  const auto civil = fmt::gmtime(static_cast<std::time_t>(time.seconds()));
  return fmt::format("<time datetime=\"{0:%Y-%m-%dT%H:%M:%SZ}\">{0:%Y-%m-%d %H:%M} UTC</time>", civil);
}

}  // namespace troupe::oauth
