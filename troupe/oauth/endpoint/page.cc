// See page.h.
#include "troupe/oauth/endpoint/page.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view style = R"(:root {
  color-scheme: light dark;
  --ground: #f4f4f1; --paper: #ffffff; --ink: #1d1f23; --faint: #5c626d; --line: #8a909b;
  --accent: #1f4fbf; --on-accent: #ffffff; --alarm: #9c1c1c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181c; --paper: #20232a; --ink: #eceef2; --faint: #a9b0bd; --line: #6b7280;
    --accent: #8fb2ff; --on-accent: #10131a; --alarm: #ff9c9c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--paper); border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
ul { margin: 0 0 1rem; padding-left: 1.25rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input {
  width: 100%; margin-top: .25rem; padding: .6rem .75rem; font: inherit;
  color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: .5rem;
}
button {
  margin-top: 1.5rem; padding: .65rem 1.25rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: .5rem;
}
button.quiet { color: var(--ink); background: transparent; border-color: var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.choices { display: flex; gap: .75rem; flex-wrap: wrap; }
.faint { color: var(--faint); }
.problem { color: var(--alarm); font-weight: 600; }
)";

constexpr std::string_view policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

web::Response page(int status, std::string_view title, std::string_view body) {
  auto response =
      never_cached(web::html_response(status, fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
<link rel="stylesheet" href="{}">
</head>
<body>
<main>
<h1>{}</h1>
{}</main>
</body>
</html>
)",
                                                          escape(title), stylesheet_path, escape(title), body)));
  response.headers.set("Content-Security-Policy", std::string{policy});
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  return response;
}

std::string hidden(std::string_view name, std::string_view value) {
  return fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", name, escape(value));
}

std::string hidden(const FormPlace& place) {
  return hidden("flow", place.flow.value()) + hidden("csrf", place.csrf.expose());
}

/// What a scope means to a person; scopes of applications speak for themselves.
std::string_view meaning_of(std::string_view scope) {
  constexpr std::array meanings = {
      std::pair<std::string_view, std::string_view>{"openid", "Know who you are here"},
      std::pair<std::string_view, std::string_view>{"profile", "See your user name"},
      std::pair<std::string_view, std::string_view>{"email", "See your e-mail address"},
      std::pair<std::string_view, std::string_view>{"offline_access", "Stay signed in when you are away"},
  };
  for (const auto& [name, meaning] : meanings) {
    if (name == scope) return meaning;
  }
  return {};
}

std::string list_of(const ScopeSet& scope) {
  std::string items;
  for (const std::string& token : scope) {
    std::string_view meaning = meaning_of(token);
    items += fmt::format("<li>{}</li>\n", meaning.empty() ? escape(token) : std::string{meaning});
  }
  return items;
}

/// The host that the answer goes to, or the scheme of a native application.
std::string destination_of(const std::string& redirect_uri) {
  auto url = wire::parse_url(redirect_uri);
  if (!url) return redirect_uri;
  return url->host.empty() ? url->scheme : url->host;
}

}  // namespace

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

web::Response login_page(int status, const FormPlace& place, const Client& client, std::string_view name,
                         std::string_view problem) {
  std::string notice =
      problem.empty() ? "" : fmt::format("<p class=\"problem\" role=\"alert\">{}</p>\n", escape(problem));
  return page(status, "Sign in",
              fmt::format(R"(<p class="faint">to continue to {}</p>
{}<form method="post" action="/login">
{}<label for="username">User name</label>
<input id="username" name="username" value="{}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
</form>
)",
                          escape(client.metadata.name), notice, hidden(place), escape(name)));
}

web::Response consent_page(const FormPlace& place, const AuthRequest& request, std::string_view user_name) {
  return page(200, fmt::format("Allow {}?", request.client->metadata.name),
              fmt::format(R"(<p>You are signed in as <strong>{}</strong>. {} asks to:</p>
<ul>
{}</ul>
<p class="faint">The answer goes to {}.</p>
<form method="post" action="/consent">
{}<div class="choices">
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" class="quiet">Deny</button>
</div>
</form>
)",
                          escape(user_name), escape(request.client->metadata.name), list_of(request.scope),
                          escape(destination_of(request.redirect_uri)), hidden(place)));
}

web::Response logout_page(const CsrfToken& csrf) {
  return page(200, "Sign out?",
              fmt::format(R"(<p>You will be signed out in this browser.</p>
<form method="post" action="/oauth/logout">
{}<button type="submit" name="decision" value="sign-out">Sign out</button>
</form>
)",
                          hidden("csrf", csrf.expose())));
}

web::Response notice_page(std::string_view title, std::string_view text) {
  return page(200, title, fmt::format("<p>{}</p>\n", escape(text)));
}

web::Response error_page(const OauthError& error) {
  auto response = page(error.status, "This did not work",
                       fmt::format("<p>{}</p>\n<p class=\"faint\">Error: {}. Go back to the application and try again; "
                                   "if it happens again, tell its makers.</p>\n",
                                   escape(error.description), escape(error.code)));
  if (error.retry_after.count() > 0) response.headers.add("Retry-After", std::to_string(error.retry_after.count()));
  return response;
}

web::Response lost_flow_page(int status) {
  return page(status, "This page has expired",
              "<p>It was open for too long, has been used already, or belongs to another browser. "
              "Go back to the application and sign in again.</p>\n");
}

Task<web::Response> pages_style(ServicePtr, web::Request) {
  web::Response response{.status = 200, .body = base::Bytes::copy(style)};
  response.headers.set("Content-Type", "text/css; charset=utf-8");
  response.headers.set("Cache-Control", "public, max-age=3600");
  co_return response;
}

}  // namespace troupe::oauth
