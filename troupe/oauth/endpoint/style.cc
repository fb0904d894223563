// The stylesheet of the pages: light and dark by the browser's wish, readable on a phone.
#include "troupe/oauth/endpoint/endpoints.h"

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
main.wide { max-width: 40rem; }
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
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; line-height: 1.3; }
a { color: var(--accent); }
button.small { margin-top: .25rem; padding: .35rem .8rem; }
ul.cards { padding-left: 0; list-style: none; }
ul.cards > li { padding: .75rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
ul.cards p, ul.cards ul { margin-bottom: .25rem; }
.choices { display: flex; gap: .75rem; flex-wrap: wrap; }
.faint { color: var(--faint); }
.done { font-weight: 600; }
.problem { color: var(--alarm); font-weight: 600; }
)";

}  // namespace

Task<web::Response> pages_style(ServicePtr, web::Request) {
  web::Response response{.status = 200, .body = base::Bytes::copy(style)};
  response.headers.set("Content-Type", "text/css; charset=utf-8");
  response.headers.set("Cache-Control", "public, max-age=3600");
  co_return response;
}

}  // namespace troupe::oauth
