// The page that posts an authorization response to the client (OAuth 2.0 Form Post Response Mode).
//
// One line of script sends its form; its policy lets that line run and nothing else. Without script a person presses
// the button.
#pragma once

#include <string>

#include "troupe/oauth/model/language.h"
#include "troupe/web/message.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// Never cached. `action` is a registered redirect URI.
web::Response form_post_page(Language language, const std::string& action, const wire::Form& parameters);

}  // namespace troupe::oauth
