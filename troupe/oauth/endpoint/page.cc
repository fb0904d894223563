// See page.h.
#include "troupe/oauth/endpoint/page.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/html.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

std::string fields_of(const FormPlace& place) {
  return hidden("flow", place.flow.value()) + hidden("csrf", place.csrf.expose());
}

/// The host that the answer goes to, or the scheme of a native application.
std::string destination_of(const std::string& redirect_uri) {
  auto url = wire::parse_url(redirect_uri);
  if (!url) return redirect_uri;
  return url->host.empty() ? url->scheme : url->host;
}

}  // namespace

web::Response login_page(int status, const FormPlace& place, std::string_view goal, std::string_view name,
                         std::string_view problem) {
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
                          escape(goal), problem_note(problem), fields_of(place), escape(name)));
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
                          escape(destination_of(request.redirect_uri)), fields_of(place)));
}

web::Response logout_page(const LogoutRequest& remembered, const CsrfToken& proof) {
  std::string fields;
  for (const auto& [name, value] : parameters_of(remembered)) {
    if (name != "id_token_hint") fields += hidden(name, value);
  }
  return page(200, "Sign out?",
              fmt::format(R"(<p>You will be signed out in this browser.</p>
<form method="post" action="/oauth/logout">
{}{}<button type="submit">Sign out</button>
</form>
)",
                          fields, hidden("csrf", proof.expose())));
}

web::Response signed_out_page(const std::string& address) {
  return page(200, "You are signed out",
              fmt::format("<p>You may close this page, or go on to <a href=\"{}\" rel=\"noreferrer\">{}</a>.</p>\n",
                          escape(address), escape(destination_of(address))));
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

}  // namespace troupe::oauth
