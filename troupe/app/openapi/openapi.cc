// See openapi.h.
#include "troupe/app/openapi/openapi.h"

#include <fmt/format.h>

#include "troupe/app/openapi/files.h"
#include "troupe/crypto/digest.h"
#include "troupe/web/conditional.h"

namespace troupe::app {
std::string_view openapi_document() noexcept { return openapi_files::openapi_json; }

void add_openapi(web::Router& router) {
  const base::Bytes body{openapi_document()};
  const auto etag = fmt::format("\"{}\"", crypto::hex(crypto::sha256(openapi_document()).view().substr(0, 8)));
  router.add(web::Method::get, "/openapi.json", [body, etag](web::Request request) -> actor::Task<web::Response> {
    co_return web::unless_known(request, etag, 3600, [&] {
      return web::Response{.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = body};
    });
  });
}

}  // namespace troupe::app
