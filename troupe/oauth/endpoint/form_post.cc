// See form_post.h.
#include "troupe/oauth/endpoint/form_post.h"

#include <fmt/format.h>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view script = "document.forms[0].submit()";

constexpr std::string_view page = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Back to the application</title>
<link rel="stylesheet" href="{}">
</head>
<body>
<main>
<h1>Back to the application</h1>
<form method="post" action="{}">
{}<button type="submit">Continue</button>
</form>
</main>
<script>{}</script>
</body>
</html>
)";

}  // namespace

web::Response form_post_page(const std::string& action, const wire::Form& parameters) {
  std::string fields;
  for (const auto& [name, value] : parameters) {
    fields += fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(name), escape(value));
  }
  auto response =
      never_cached(web::html_response(200, fmt::format(page, stylesheet_path, escape(action), fields, script)));
  static const std::string policy = fmt::format(
      "default-src 'none'; style-src 'self'; script-src 'sha256-{}'; base-uri 'none'; frame-ancestors 'none'",
      wire::to_base64(crypto::sha256(script).view()));
  response.headers.set("Content-Security-Policy", policy);
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  return response;
}

}  // namespace troupe::oauth
