// See form_post.h.
#include "troupe/oauth/endpoint/form_post.h"

#include <fmt/format.h>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/endpoint/html.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {

web::Response form_post_page(Language language, const std::string& action, const wire::Form& parameters) {
  constexpr std::string_view script = "document.forms[0].submit()";
  std::string fields;
  for (const auto& [name, value] : parameters) fields += hidden(name, value);
  auto response = page(language, 200, say(language, Text::back_title),
                       fmt::format("<form method=\"post\" action=\"{}\">\n{}<button type=\"submit\">{}</button>\n"
                                   "</form>\n<script>{}</script>\n",
                                   escape(action), fields, say(language, Text::go_on), script));
  static const std::string may_run =
      fmt::format("; script-src 'sha256-{}'", wire::to_base64(crypto::sha256(script).view()));
  const std::string policy{*response.headers.get("Content-Security-Policy")};
  response.headers.set("Content-Security-Policy", policy + may_run);
  return response;
}

}  // namespace troupe::oauth
