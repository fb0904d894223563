// See demo.h.
#include "troupe/app/demo/demo.h"

#include "troupe/app/demo/files.h"
#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

// Scripts and styles of our own origin alone, and no frame around us; 'self' also covers ws: to the same host.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

web::Handler file(std::string_view type, std::string_view text) {
  const base::Bytes body{text};
  return [type = std::string{type}, body](web::Request) -> actor::Task<web::Response> {
    co_return web::Response{
        .status = 200,
        .headers = {{"Content-Type", type},
                    {"Content-Security-Policy", std::string{content_policy}},
                    {"Cache-Control", "no-cache"}},
        .body = body,
    };
  };
}

}  // namespace

void add_demo(web::Router& router, DemoClient client) {
  router.add(web::Method::get, "/",
             [](web::Request) -> actor::Task<web::Response> { co_return web::redirect(303, "/demo/"); });
  router.add(web::Method::get, "/demo/", file("text/html; charset=utf-8", demo_files::index_html));
  router.add(web::Method::get, "/demo/demo.css", file("text/css; charset=utf-8", demo_files::demo_css));
  router.add(web::Method::get, "/demo/demo.js", file("text/javascript; charset=utf-8", demo_files::demo_js));
  router.add(web::Method::get, "/demo/troupe.js", file("text/javascript; charset=utf-8", demo_files::troupe_js));
  std::string json;
  wire::JsonWriter{json}
      .begin_object()
      .member("client_id", client.client_id)
      .member("scope", client.scope)
      .end_object();
  router.add(web::Method::get, "/demo/client.json", file("application/json", json));
}

}  // namespace troupe::app
