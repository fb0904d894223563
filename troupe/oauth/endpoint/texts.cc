// See texts.h.
#include "troupe/oauth/endpoint/texts.h"

#include <array>

namespace troupe::oauth {
namespace {

struct Row {
  Text text;
  std::string_view english;
  std::string_view german;
};

constexpr std::array<Row, text_count> rows = {{
    {Text::sign_in, "Sign in", "Anmelden"},
    {Text::sign_out, "Sign out", "Abmelden"},
    {Text::user_name, "User name", "Benutzername"},
    {Text::password, "Password", "Passwort"},
    {Text::continue_to, "to continue to {}", "weiter zu {}"},
    {Text::your_account, "your account", "Ihrem Konto"},
    {Text::wrong_login, "The user name or the password is wrong.", "Benutzername oder Passwort ist falsch."},
    {Text::slow_down, "Too many attempts. Wait a little and try again.",
     "Zu viele Versuche. Bitte warten Sie ein wenig."},
    {Text::busy, "We cannot check passwords right now. Please try again.",
     "Passwörter können gerade nicht geprüft werden. Bitte versuchen Sie es noch einmal."},
    {Text::know_you, "Know who you are here", "Wissen, wer Sie hier sind"},
    {Text::see_name, "See your user name", "Ihren Benutzernamen sehen"},
    {Text::see_email, "See your e-mail address", "Ihre E-Mail-Adresse sehen"},
    {Text::stay, "Stay signed in when you are away", "Angemeldet bleiben, wenn Sie fort sind"},
    {Text::receive_from, "Receive the messages of {}", "Die Nachrichten von {} empfangen"},
    {Text::receive_all, "Receive the messages of all topics", "Die Nachrichten aller Themen empfangen"},
    {Text::send_to, "Send messages to {}", "Nachrichten an {} senden"},
    {Text::send_to_all, "Send messages to all topics", "Nachrichten an alle Themen senden"},
    {Text::allow_title, "Allow {}?", "{} erlauben?"},
    {Text::asks_to, "You are signed in as {}. {} asks to:", "Sie sind angemeldet als {}. {} möchte:"},
    {Text::answer_goes_to, "The answer goes to {}.", "Die Antwort geht an {}."},
    {Text::allow, "Allow", "Erlauben"},
    {Text::deny, "Deny", "Ablehnen"},
    {Text::sign_out_title, "Sign out?", "Abmelden?"},
    {Text::will_sign_out, "You will be signed out in this browser.", "Sie werden in diesem Browser abgemeldet."},
    {Text::signed_out_title, "You are signed out", "Sie sind abgemeldet"},
    {Text::may_close, "You may close this page.", "Sie können diese Seite schließen."},
    {Text::may_go_on, "You may close this page, or go on to {}.",
     "Sie können diese Seite schließen oder weitergehen zu {}."},
    {Text::failed_title, "This did not work", "Das hat nicht geklappt"},
    {Text::failed_advice, "Error: {}. Go back to the application and try again; if it happens again, tell its makers.",
     "Fehler: {}. Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal; wenn es wieder geschieht, sagen Sie "
     "es denen, die sie machen."},
    {Text::expired_title, "This page has expired", "Diese Seite ist abgelaufen"},
    {Text::expired_advice,
     "It was open for too long, has been used already, or belongs to another browser; or this one keeps no cookies. Go "
     "back to the application and sign in again.",
     "Sie war zu lange offen, ist schon benutzt worden oder gehört zu einem anderen Browser; oder dieser behält keine "
     "Cookies. Gehen Sie zurück zur Anwendung und melden Sie sich neu an."},
    {Text::done_title, "This step is done already", "Dieser Schritt ist schon getan"},
    {Text::done_advice, "The page was sent twice, or you have come back to it. Nothing was changed by that.",
     "Die Seite wurde zweimal gesendet, oder Sie sind zu ihr zurückgekehrt. Dadurch hat sich nichts geändert."},
    {Text::back_title, "Back to the application", "Zurück zur Anwendung"},
    {Text::go_on, "Continue", "Weiter"},
    {Text::account_title, "Your account", "Ihr Konto"},
    {Text::signed_in_as, "You are signed in as {}.", "Sie sind angemeldet als {}."},
    {Text::password_advice, "A new password signs you out everywhere else, and applications have to ask you again.",
     "Ein neues Passwort meldet Sie überall sonst ab, und Anwendungen müssen Sie neu fragen."},
    {Text::present_password, "Present password", "Jetziges Passwort"},
    {Text::new_password, "New password", "Neues Passwort"},
    {Text::new_password_again, "New password, once more", "Neues Passwort, noch einmal"},
    {Text::password_rule, "8 to 256 bytes; several words are easier to remember than odd signs.",
     "8 bis 256 Bytes; mehrere Wörter merken sich leichter als seltsame Zeichen."},
    {Text::change_password, "Change the password", "Passwort ändern"},
    {Text::wrong_password, "The present password is wrong.", "Das jetzige Passwort ist falsch."},
    {Text::bad_password, "A password has 8 to 256 bytes.", "Ein Passwort hat 8 bis 256 Bytes."},
    {Text::breached_password,
     "This password is known to others: it stands in lists that were stolen elsewhere. Please take another one.",
     "Dieses Passwort kennen andere: Es steht in Listen, die anderswo gestohlen wurden. Bitte nehmen Sie ein anderes."},
    {Text::unequal_passwords, "The new password was not the same both times.",
     "Das neue Passwort war nicht beide Male dasselbe."},
    {Text::sessions_title, "Where you are signed in", "Wo Sie angemeldet sind"},
    {Text::unknown_browser, "Unknown browser", "Unbekannter Browser"},
    {Text::this_browser, "this browser", "dieser Browser"},
    {Text::session_times, "Signed in {}, last seen {}", "Angemeldet {}, zuletzt gesehen {}"},
    {Text::session_address, ", from {}", ", von {}"},
    {Text::sign_out_browser, "Sign out {}", "{} abmelden"},
    {Text::more_sessions, "And {} more.", "Und {} weitere."},
    {Text::sign_out_elsewhere, "Sign out everywhere else", "Überall sonst abmelden"},
    {Text::applications_title, "Applications", "Anwendungen"},
    {Text::allowed_nothing, "You have allowed nothing to any application.",
     "Sie haben keiner Anwendung etwas erlaubt."},
    {Text::allowed_what, "What you have allowed them to do:", "Was Sie ihnen erlaubt haben:"},
    {Text::since, "Since {}", "Seit {}"},
    {Text::take_back, "Take back", "Zurücknehmen"},
    {Text::take_back_from, "Take back from {}", "Von {} zurücknehmen"},
    {Text::password_changed, "Your password has been changed. You are signed out everywhere else.",
     "Ihr Passwort ist geändert. Sie sind überall sonst abgemeldet."},
    {Text::signed_out_there, "Signed out there.", "Dort abgemeldet."},
    {Text::taken_back, "What you had allowed is taken back.", "Was Sie erlaubt hatten, ist zurückgenommen."},
}};

constexpr bool each_stands_in_its_place() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].text != static_cast<Text>(i)) return false;
  return true;
}
static_assert(each_stands_in_its_place());

}  // namespace

std::string_view say(Language language, Text text) noexcept {
  const Row& row = rows[static_cast<std::size_t>(text)];
  return language == Language::german ? row.german : row.english;
}

Language language_for(const web::Request& http, std::string_view ui_locales) {
  if (const auto wanted = language_of_locales(ui_locales)) return *wanted;
  return language_accepted(http.header("accept-language")).value_or(Language::english);
}

}  // namespace troupe::oauth
