// See page.h.
#include "troupe/oauth/endpoint/page.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/html.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

std::string fields_of(const FormPlace& place) {
  return hidden("flow", place.flow.value()) + hidden("csrf", place.csrf.expose());
}

/// The same as `foreign` where there can be no markup, by characters (U+2068, U+2069).
std::string isolated(std::string_view text) { return fmt::format("\u2068{}\u2069", text); }

/// The host that the answer goes to, or the scheme of a native application.
std::string destination_of(const std::string& redirect_uri) {
  auto url = wire::parse_url(redirect_uri);
  if (!url) return redirect_uri;
  return url->host.empty() ? url->scheme : url->host;
}

}  // namespace

web::Response login_page(int status, const FormPlace& place, const LoginView& view) {
  const auto tell = [&](Text text) { return say(view.language, text); };
  const std::string goal = view.client.empty() ? escape(tell(Text::your_account)) : foreign(view.client);
  return page(view.language, status, tell(Text::sign_in),
              fmt::format(R"(<p class="faint">{}</p>
{}<form method="post" action="/login">
{}<label for="username">{}</label>
<input id="username" name="username" value="{}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<label for="password">{}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">{}</button>
</form>
)",
                          say(view.language, Text::continue_to, goal), problem_note(view.problem), fields_of(place),
                          tell(Text::user_name), escape(view.name), tell(Text::password), tell(Text::sign_in)));
}

web::Response consent_page(Language language, const FormPlace& place, const AuthRequest& request, const User& user) {
  const std::string& client_name = request.client->metadata.name;
  const std::string client = foreign(client_name);
  const std::string name = fmt::format("<strong>{}</strong>", foreign(user.name.value()));
  return page(language, 200, say(language, Text::allow_title, isolated(client_name)),
              fmt::format(R"(<p>{}</p>
<ul>
{}</ul>
<p class="faint">{}</p>
<form method="post" action="/consent">
{}<div class="choices">
<button type="submit" name="decision" value="allow">{}</button>
<button type="submit" name="decision" value="deny" class="quiet">{}</button>
</div>
</form>
)",
                          say(language, Text::asks_to, name, client), list_of(language, request.scope),
                          say(language, Text::answer_goes_to, foreign(destination_of(request.redirect_uri))),
                          fields_of(place) + hidden("person", user.id.value()), say(language, Text::allow),
                          say(language, Text::deny)),
              {.heading = say(language, Text::allow_title, client)});
}

web::Response logout_page(Language language, const LogoutRequest& remembered, const CsrfToken& proof) {
  std::string fields;
  for (const auto& [name, value] : parameters_of(remembered)) {
    if (name != "id_token_hint") fields += hidden(name, value);
  }
  return page(language, 200, say(language, Text::sign_out_title),
              fmt::format(R"(<p>{}</p>
<form method="post" action="/oauth/logout">
{}{}<button type="submit">{}</button>
</form>
)",
                          say(language, Text::will_sign_out), fields, hidden("csrf", proof.expose()),
                          say(language, Text::sign_out)));
}

web::Response signed_out_page(Language language, const std::optional<std::string>& address) {
  std::string advice{say(language, Text::may_close)};
  if (address) {
    const std::string link =
        fmt::format("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(*address), foreign(destination_of(*address)));
    advice = say(language, Text::may_go_on, link);
  }
  return page(language, 200, say(language, Text::signed_out_title), fmt::format("<p>{}</p>\n", advice));
}

web::Response error_page(const OauthError& error, Language language) {
  auto response = page(language, error.status, say(language, Text::failed_title),
                       fmt::format("<p lang=\"en\">{}</p>\n<p class=\"faint\">{}</p>\n", escape(error.description),
                                   say(language, Text::failed_advice, escape(error.code))));
  if (error.retry_after.count() > 0) response.headers.add("Retry-After", std::to_string(error.retry_after.count()));
  return response;
}

web::Response lost_flow_page(int status, Language language) {
  return page(language, status, say(language, Text::expired_title),
              fmt::format("<p>{}</p>\n<p><a href=\"/account\">{}</a></p>\n", say(language, Text::expired_advice),
                          say(language, Text::account_title)));
}

web::Response done_step_page(int status, std::string_view way_on, Language language) {
  return page(language, status, say(language, Text::done_title),
              fmt::format("<p>{}</p>\n<p><a href=\"{}\">{}</a></p>\n", say(language, Text::done_advice), escape(way_on),
                          say(language, Text::go_on)));
}

}  // namespace troupe::oauth
