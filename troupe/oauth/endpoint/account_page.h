// The account page: who one is, where one is signed in, what one has allowed to whom, and the
// forms to change that. Plain HTML like the other pages (html.h).
#pragma once

#include <string_view>
#include <vector>

#include "troupe/oauth/actor/user_actor.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/language.h"
#include "troupe/oauth/model/session.h"
#include "troupe/oauth/model/user.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// What the page shows.
struct AccountView {
  Language language = Language::english;
  User user;
  SessionId present;              // the session that looks at it
  std::vector<Session> sessions;  // alive, the one seen last first; the page shows the first fifty
  std::vector<GrantedApplication> applications;
  CsrfToken proof;  // of its forms
};

/// What is said at its top, "" for nothing.
struct AccountNotes {
  std::string_view done;              // what has just been done
  std::string_view password_problem;  // why the password was not changed
};

web::Response account_page(int status, const AccountView& view, const AccountNotes& notes);

}  // namespace troupe::oauth
