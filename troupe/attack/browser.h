// Browser: a person with a browser that has no JavaScript. Keeps cookies, follows redirects, fills in forms.
//
// It stops where a client's redirect URI begins, since nobody needs to listen there, and remembers every answer on the
// way. A copy of it is the same person on another machine: with the cookies of that moment.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "troupe/attack/html_form.h"
#include "troupe/attack/target.h"
#include "troupe/wire/form.h"

namespace troupe::attack {

/// Where one got to.
struct Landing {
  std::vector<Exchange> way;            // never empty; the last one is the page or what led to the client
  std::optional<std::string> callback;  // the URL at the client, where one arrived there

  const Exchange& last() const { return way.back(); }
  const std::string& page() const { return way.back().answer.body; }
  /// The form that asks for a password; nothing where the page has none.
  std::optional<HtmlForm> login_form() const;
};

class Browser {
 public:
  /// Arriving at `redirect_uri` ends each way.
  Browser(Transport& transport, std::string redirect_uri)
      : transport_(&transport), redirect_uri_(std::move(redirect_uri)) {}

  /// From now on this one does: the next tab is another client's.
  void end_at(std::string redirect_uri) { redirect_uri_ = std::move(redirect_uri); }

  Landing open(const std::string& url) { return follow({.url = url}); }

  /// Sends a form of the page with these values by name and one button.
  Landing submit(const Landing& page, const HtmlForm& form, const wire::Form& values, const HtmlField* button);

  /// The request that submitting would be, without cookies: for those who want to change something about it.
  static Request request_of(const Landing& page, const HtmlForm& form, const wire::Form& values,
                            const HtmlField* button);

  /// Fills in the form for name and password.
  Landing log_in(const Landing& page, const KnownUser& user);

  /// Signs in and agrees wherever it is asked to, eight pages at most.
  Landing arrive(Landing landing, const KnownUser& user);

  /// One request with the cookies, and no redirect is followed.
  Exchange send(Request request);

  /// Follows redirects from this request on, ten at most.
  Landing follow(Request request);

  const std::map<std::string, std::string>& cookies() const noexcept { return cookies_; }

 private:
  void keep_cookies(const std::string& origin, const Answer& answer);

  Transport* transport_;
  std::string redirect_uri_;
  std::map<std::string, std::string> cookies_;  // by origin, a space and the name
};

/// The button that agrees; null where the form has none that does.
const HtmlField* agreeing_button(const HtmlForm& form);

/// What a name and a password make of a login form: values by the names of its fields.
wire::Form login_values(const HtmlForm& form, const std::string& name, const std::string& password);

}  // namespace troupe::attack
