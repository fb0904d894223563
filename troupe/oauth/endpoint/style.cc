// See style.h. Light and dark by the browser's wish, readable on a phone.
#include "troupe/oauth/endpoint/style.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/html.h"
#include "troupe/web/conditional.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view rules = R"(* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%; max-width: 26rem; padding: 2rem; background: var(--paper); border-radius: .75rem; overflow-wrap: anywhere;
}
main.wide { max-width: 40rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
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
/* The second click of a double click on the page before is no answer to what this one asks. */
button[name=decision] { animation: ask .7s; }
@keyframes ask { from, to { pointer-events: none; } }
button.quiet { color: var(--ink); background: transparent; border-color: var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; line-height: 1.3; }
a { color: var(--accent); }
button.small { margin-top: .25rem; padding: .35rem .8rem; }
ul.cards { padding-left: 0; list-style: none; }
ul.cards > li { padding: .75rem 0; border-bottom: 1px solid var(--line); }
ul.cards p, ul.cards ul { margin-bottom: .25rem; }
.choices { display: flex; gap: .75rem; flex-wrap: wrap; }
.faint { color: var(--faint); }
.done { font-weight: 600; }
.problem { color: var(--alarm); font-weight: 600; }
)";

std::string colours_of(const Palette& palette) {
  return fmt::format(
      "  --ground: {}; --paper: {}; --ink: {}; --faint: {}; --line: {};\n"
      "  --accent: {}; --on-accent: {}; --alarm: {};\n",
      palette.ground.text(), palette.paper.text(), palette.ink.text(), palette.faint.text(), palette.line.text(),
      palette.accent.text(), ink_on(palette.accent).text(), palette.alarm.text());
}

/// `text` as a string of CSS: what could end it, or begin anything else, is written as its number.
std::string css_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f || c == '"' || c == '\\' || c == '<') {
      out += fmt::format("\\{:x} ", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// The logo above each page. Its text is for those who hear the page; browsers that cannot give an image of the style a
/// text take the line before.
std::string logo_rule(const Look& look) {
  if (look.logo == nullptr) return {};
  return fmt::format(
      "main::before {{\n  content: \"\"; content: \"\" / {}; display: block; height: 3rem; margin-bottom: 1.5rem;\n"
      "  background: url(\"{}{}\") no-repeat left center / contain;\n}}\n",
      css_string(look.logo_text), logos_path, look.logo->name);
}

}  // namespace

std::string stylesheet(const Look& look) {
  return fmt::format(
      ":root {{\n  color-scheme: light dark;\n{}}}\n@media (prefers-color-scheme: dark) {{ :root {{\n{}}} }}\n{}{}",
      colours_of(look.light), colours_of(look.dark), rules, logo_rule(look));
}

Task<web::Response> pages_style(ServicePtr service, web::Request http) {
  co_return web::unless_known(http, service->style_etag, 3600, [&] {
    return web::Response{
        .status = 200, .headers = {{"Content-Type", "text/css; charset=utf-8"}}, .body = service->style};
  });
}

// An image may be an SVG, which is a document of our origin when somebody opens it alone: it runs nothing there, loads
// nothing, and is of no origin.
Task<web::Response> pages_logo(ServicePtr service, web::Request http) {
  const auto& logo = service->options.look.logo;
  if (logo == nullptr || http.path.substr(logos_path.size()) != logo->name) {
    co_return web::problem(404, "there is no such image");
  }
  web::Response response{.status = 200, .body = logo->bytes};
  response.headers.set("Content-Type", logo->type);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.set("Cache-Control", "public, max-age=31536000, immutable");
  co_return response;
}

}  // namespace troupe::oauth
