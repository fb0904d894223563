// See account_page.h.
#include "troupe/oauth/endpoint/account_page.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/html.h"

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

std::string who(const User& user) {
  const std::string address = user.email ? fmt::format(" ({})", escape(*user.email)) : "";
  return fmt::format("<p>You are signed in as <strong>{}</strong>{}. <a href=\"/oauth/logout\">Sign out</a></p>\n",
                     escape(user.name.value()), address);
}

std::string password_section(const AccountView& view, std::string_view problem) {
  return fmt::format(
      "<h2>Password</h2>\n{}"
      "<p class=\"faint\">A new password signs you out everywhere else, and applications have to ask you "
      "again.</p>\n{}",
      problem_note(problem),
      form_to("/account/password", view.proof,
              R"(<label for="password">Present password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<label for="new-password">New password</label>
<input id="new-password" name="new_password" type="password" autocomplete="new-password" minlength="8" aria-describedby="new-password-rule" required>
<p id="new-password-rule" class="faint">8 to 256 bytes; several words are easier to remember than odd signs.</p>
<label for="new-password-again">New password, once more</label>
<input id="new-password-again" name="new_password_again" type="password" autocomplete="new-password" minlength="8" required>
<button type="submit">Change the password</button>
)"));
}

std::string session_item(const AccountView& view, const Session& session) {
  const SignInPlace& place = session.place;
  std::string name = browser_name(place.user_agent);
  if (name.empty()) name = place.user_agent.empty() ? "Unknown browser" : place.user_agent;
  const bool is_present = session.id == view.present;
  std::string item = fmt::format("<li><strong>{}</strong>{}\n<p class=\"faint\">Signed in {}, last seen {}{}</p>\n",
                                 escape(name), is_present ? " &ndash; this browser" : "",
                                 time_element(session.created_at), time_element(session.seen_at),
                                 place.address.empty() ? "" : fmt::format(", from {}", escape(place.address)));
  if (!is_present) {
    item += form_to("/account/sessions", view.proof,
                    hidden("session", session.id.value()) + small_button("Sign out", fmt::format("Sign out {}", name)));
  }
  return item + "</li>\n";
}

std::string session_section(const AccountView& view) {
  std::string items;
  for (std::size_t i = 0; i < view.sessions.size() && i < sessions_shown_max; ++i)
    items += session_item(view, view.sessions[i]);
  std::string section = fmt::format("<h2>Where you are signed in</h2>\n<ul class=\"cards\">\n{}</ul>\n", items);
  if (view.sessions.size() > sessions_shown_max)
    section += fmt::format("<p>And {} more.</p>\n", view.sessions.size() - sessions_shown_max);
  if (view.sessions.size() > 1) {
    section += form_to("/account/sessions", view.proof,
                       "<button type=\"submit\" name=\"others\" value=\"all\" class=\"quiet\">Sign out everywhere "
                       "else</button>\n");
  }
  return section;
}

std::string application_item(const AccountView& view, const GrantedApplication& application) {
  return fmt::format("<li><strong>{}</strong>\n<ul>\n{}</ul>\n<p class=\"faint\">Since {}</p>\n{}</li>\n",
                     escape(application.name), list_of(application.scope), time_element(application.granted_at),
                     form_to("/account/applications", view.proof,
                             hidden("client_id", application.client.value()) +
                                 small_button("Take back", fmt::format("Take back from {}", application.name))));
}

std::string application_section(const AccountView& view) {
  std::string items;
  for (const GrantedApplication& application : view.applications) items += application_item(view, application);
  if (items.empty()) return "<h2>Applications</h2>\n<p>You have allowed nothing to any application.</p>\n";
  return fmt::format("<h2>Applications</h2>\n<p>What you have allowed them to do:</p>\n<ul class=\"cards\">\n{}</ul>\n",
                     items);
}

}  // namespace

web::Response account_page(int status, const AccountView& view, const AccountNotes& notes) {
  const std::string done =
      notes.done.empty() ? "" : fmt::format("<p class=\"done\" role=\"status\">{}</p>\n", escape(notes.done));
  return page(status, "Your account",
              done + who(view.user) + password_section(view, notes.password_problem) + session_section(view) +
                  application_section(view),
              PageWidth::wide);
}

}  // namespace troupe::oauth
