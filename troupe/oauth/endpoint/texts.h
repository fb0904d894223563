// Texts: all that our pages say, in each language that they speak. One row is one text.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include "troupe/oauth/model/language.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// What a page may say; the comment tells what comes in the places of `{}`.
enum class Text : std::uint8_t {
  sign_in,
  sign_out,
  user_name,
  password,
  continue_to,   // where to
  your_account,  // behind "to continue to"
  wrong_login,
  slow_down,
  busy,
  know_you,        // the scope openid
  see_name,        // profile
  see_email,       // email
  stay,            // offline_access
  receive_from,    // topics, of topic:...:subscribe
  receive_all,     // topic:>:subscribe
  send_to,         // topics, of topic:...:publish
  send_to_all,     // topic:>:publish
  allow_title,     // client
  asks_to,         // user, client
  answer_goes_to,  // host
  allow,
  deny,
  sign_out_title,
  will_sign_out,
  signed_out_title,
  may_close,
  may_go_on,  // link
  failed_title,
  failed_advice,  // code
  expired_title,
  expired_advice,
  done_title,
  done_advice,
  back_title,
  go_on,
  account_title,
  signed_in_as,  // user
  password_advice,
  present_password,
  new_password,
  new_password_again,
  password_rule,
  change_password,
  wrong_password,
  bad_password,
  breached_password,
  unequal_passwords,
  sessions_title,
  unknown_browser,
  this_browser,
  session_times,     // two moments
  session_address,   // address
  sign_out_browser,  // browser
  more_sessions,     // how many
  sign_out_elsewhere,
  applications_title,
  allowed_nothing,
  allowed_what,
  since,  // moment
  take_back,
  take_back_from,  // application
  password_changed,
  signed_out_there,
  taken_back,
};

/// How many there are.
inline constexpr std::size_t text_count = static_cast<std::size_t>(Text::taken_back) + 1;

/// The text in that language; plain text, with no sign that HTML takes for its own.
std::string_view say(Language language, Text text) noexcept;

/// The same with values in the places of `{}`, in their order. They must be HTML already.
template <class... Values>
std::string say(Language language, Text text, const Values&... values) {
  return fmt::format(fmt::runtime(say(language, text)), values...);
}

/// What a request's person reads: the language of `ui_locales`, if we speak one of them, else as their browser
/// accepts it, else English.
Language language_for(const web::Request& http, std::string_view ui_locales = {});

}  // namespace troupe::oauth
