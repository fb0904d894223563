// HTML: the frame that all pages share, and how text from outside gets into it.
//
// Whatever comes from outside passes through `escape`, within a sentence through `foreign`, and the policy lets a page
// load its stylesheet, the logo of the same origin and an empty icon, and nothing else. `form-action` is absent on
// purpose: browsers apply it to the redirect that answers the form too, which leads to the client's address.
#pragma once

#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/language.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

inline constexpr std::string_view stylesheet_path = "/oauth/pages.css";
inline constexpr std::string_view logos_path = "/oauth/logo/";

enum class PageWidth : std::uint8_t { narrow, wide };

/// What most pages have no need to say.
struct PageFrame {
  PageWidth width = PageWidth::narrow;
  std::string heading{};  // HTML, where it is more than the title as text
};

/// `text` as it must stand in HTML text or a quoted attribute.
std::string escape(std::string_view text);

/// What somebody else has chosen, a name or an address, as it stands within a sentence of ours: escaped, and kept apart
/// (`bdi`), so that the direction of its letters turns nothing around it.
std::string foreign(std::string_view text);

/// A page with this title, which is text, and body, which is HTML already. Nobody may keep it.
web::Response page(Language language, int status, std::string_view title, std::string_view body,
                   const PageFrame& frame = {});

/// A hidden field of a form.
std::string hidden(std::string_view name, std::string_view value);

/// What went wrong, told to everybody who looks or listens; "" for nothing.
std::string problem_note(std::string_view problem);

/// What the scopes allow, each as an item of a list.
std::string list_of(Language language, const ScopeSet& scope);

/// A moment as people read it, in UTC.
std::string time_element(base::UnixTime time);

}  // namespace troupe::oauth
