// See account_page.h.
#include "troupe/oauth/endpoint/account_page.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/html.h"
#include "troupe/oauth/endpoint/texts.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t sessions_shown_max = 50;

std::string form_to(std::string_view action, const CsrfToken& proof, std::string_view fields) {
  return fmt::format("<form method=\"post\" action=\"{}\">\n{}{}</form>\n", action, hidden("csrf", proof.expose()),
                     fields);
}

/// `label` is the whole sentence, for who hears one button after the other.
std::string small_button(std::string_view words, std::string_view label) {
  return fmt::format("<button type=\"submit\" class=\"quiet small\" aria-label=\"{}\">{}</button>\n", escape(label),
                     words);
}

std::string who(const AccountView& view) {
  const User& user = view.user;
  const std::string address = user.email ? fmt::format(" ({})", foreign(*user.email)) : "";
  const std::string name = fmt::format("<strong>{}</strong>{}", foreign(user.name.value()), address);
  return fmt::format("<p>{} <a href=\"/oauth/logout\">{}</a></p>\n", say(view.language, Text::signed_in_as, name),
                     say(view.language, Text::sign_out));
}

/// What a password manager needs to know whose password is changed; nobody sees it, and we do not read it.
std::string name_for_managers(const UserName& name) {
  return fmt::format("<input name=\"username\" value=\"{}\" autocomplete=\"username\" readonly hidden>\n",
                     escape(name.value()));
}

std::string password_section(const AccountView& view, std::string_view problem) {
  const auto tell = [&](Text text) { return say(view.language, text); };
  const std::string fields =
      fmt::format(R"(<label for="password">{}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<label for="new-password">{}</label>
<input id="new-password" name="new_password" type="password" autocomplete="new-password" minlength="8" aria-describedby="new-password-rule" required>
<p id="new-password-rule" class="faint">{}</p>
<label for="new-password-again">{}</label>
<input id="new-password-again" name="new_password_again" type="password" autocomplete="new-password" minlength="8" required>
<button type="submit">{}</button>
)",
                  tell(Text::present_password), tell(Text::new_password), tell(Text::password_rule),
                  tell(Text::new_password_again), tell(Text::change_password));
  return fmt::format("<h2>{}</h2>\n{}<p class=\"faint\">{}</p>\n{}", tell(Text::password), problem_note(problem),
                     tell(Text::password_advice),
                     form_to("/account/password", view.proof, name_for_managers(view.user.name) + fields));
}

std::string session_item(const AccountView& view, const Session& session) {
  const SignInPlace& place = session.place;
  std::string name = browser_name(place.user_agent);
  if (name.empty()) name = place.user_agent;
  if (name.empty()) name = say(view.language, Text::unknown_browser);
  const bool is_present = session.id == view.present;
  std::string item = fmt::format("<li><strong>{}</strong>", foreign(name));
  if (is_present) item += fmt::format(" &ndash; {}", say(view.language, Text::this_browser));
  item += fmt::format("\n<p class=\"faint\">{}", say(view.language, Text::session_times,
                                                     time_element(session.created_at), time_element(session.seen_at)));
  if (!place.address.empty()) item += say(view.language, Text::session_address, foreign(place.address));
  item += "</p>\n";
  if (!is_present) {
    const std::string label = say(view.language, Text::sign_out_browser, name);
    item += form_to("/account/sessions", view.proof,
                    hidden("session", session.id.value()) + small_button(say(view.language, Text::sign_out), label));
  }
  return item + "</li>\n";
}

std::string session_section(const AccountView& view) {
  std::string items;
  for (std::size_t i = 0; i < view.sessions.size() && i < sessions_shown_max; ++i)
    items += session_item(view, view.sessions[i]);
  std::string section =
      fmt::format("<h2>{}</h2>\n<ul class=\"cards\">\n{}</ul>\n", say(view.language, Text::sessions_title), items);
  if (view.sessions.size() > sessions_shown_max) {
    section +=
        fmt::format("<p>{}</p>\n", say(view.language, Text::more_sessions, view.sessions.size() - sessions_shown_max));
  }
  if (view.sessions.size() > 1) {
    section +=
        form_to("/account/sessions", view.proof,
                fmt::format("<button type=\"submit\" name=\"others\" value=\"all\" class=\"quiet\">{}</button>\n",
                            say(view.language, Text::sign_out_elsewhere)));
  }
  return section;
}

std::string application_item(const AccountView& view, const GrantedApplication& application) {
  const std::string label = say(view.language, Text::take_back_from, application.name);
  return fmt::format("<li><strong>{}</strong>\n<ul>\n{}</ul>\n<p class=\"faint\">{}</p>\n{}</li>\n",
                     foreign(application.name), list_of(view.language, application.scope),
                     say(view.language, Text::since, time_element(application.granted_at)),
                     form_to("/account/applications", view.proof,
                             hidden("client_id", application.client.value()) +
                                 small_button(say(view.language, Text::take_back), label)));
}

std::string application_section(const AccountView& view) {
  std::string items;
  for (const GrantedApplication& application : view.applications) items += application_item(view, application);
  const std::string title = fmt::format("<h2>{}</h2>\n", say(view.language, Text::applications_title));
  if (items.empty()) return title + fmt::format("<p>{}</p>\n", say(view.language, Text::allowed_nothing));
  return title +
         fmt::format("<p>{}</p>\n<ul class=\"cards\">\n{}</ul>\n", say(view.language, Text::allowed_what), items);
}

}  // namespace

web::Response account_page(int status, const AccountView& view, const AccountNotes& notes) {
  const std::string done =
      notes.done.empty() ? "" : fmt::format("<p class=\"done\" role=\"status\">{}</p>\n", escape(notes.done));
  return page(view.language, status, say(view.language, Text::account_title),
              done + who(view) + password_section(view, notes.password_problem) + session_section(view) +
                  application_section(view),
              {.width = PageWidth::wide});
}

}  // namespace troupe::oauth
