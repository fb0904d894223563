// Rows about the pages on which people sign in: T26 to T32.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

Landing open_login(Trial& trial, Browser& browser, const KnownClient& client) {
  Landing landing = browser.open(trial.authorize_url(trial.request_for(client).form));
  if (!landing.login_form()) throw TargetFailed{"no page with a form for a password came"};
  return landing;
}

Request login_request(Trial& trial, const Landing& page) {
  const auto form = page.login_form();
  const KnownUser& user = trial.given().user;
  return Browser::request_of(page, *form, login_values(*form, user.name, user.password.expose()),
                             agreeing_button(*form));
}

void set_field(Request& request, const std::string& name, const std::string& value) {
  std::erase_if(request.fields, [&name](const Field& field) { return field.name == name; });
  request.fields.push_back({name, value});
}

/// Refused, and the browser is not signed in by it.
void expect_forged(Trial& trial, Browser browser, const Request& request, std::string_view what) {
  const Exchange seen = browser.send(request);
  trial.expect(seen.answer.status >= 400 && seen.answer.status < 500, fmt::format("{}: should be refused", what), seen);
  auto quiet = with(trial.request_for(trial.given().client).form, "prompt", "none");
  const auto after = browser.send({.url = trial.authorize_url(quiet)});
  trial.expect(value_in(query_of(after.answer.field("location")), "error") == "login_required",
               fmt::format("{}: should sign nobody in", what), after);
}

void forged_forms(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  const Landing page = open_login(trial, browser, client);
  const Request good = login_request(trial, page);
  const auto form = page.login_form();
  for (const HtmlField& field : form->fields) {
    if (field.kind != FieldKind::hidden) continue;
    auto parsed = wire::parse_form(good.body).value_or(wire::Form{});
    Request without_it = good, changed = good;
    without_it.body = wire::write_form(without(parsed, field.name));
    changed.body = wire::write_form(with(parsed, field.name, trial.random_text(22)));
    expect_forged(trial, browser, without_it, fmt::format("sign-in without its hidden field {}", field.name));
    expect_forged(trial, browser, changed, fmt::format("sign-in with another {}", field.name));
  }
  Request cross_site = good;
  set_field(cross_site, "Origin", "https://evil.example");
  set_field(cross_site, "Sec-Fetch-Site", "cross-site");
  expect_forged(trial, browser, cross_site, "sign-in sent by a page of another site");
  expect_forged(trial, trial.browser(client), good, "sign-in in a browser that was not shown the page (login CSRF)");

  const Landing end = browser.arrive(page, trial.given().user);
  if (!trial.expect(end.callback.has_value(), "the form itself must still sign in", end.last())) return;
  const Exchange replayed = browser.send(good);
  trial.expect(replayed.answer.status >= 400 && replayed.answer.status < 500, "the sign-in form a second time",
               replayed);
}

void forged_consent(Trial& trial) {
  forged_forms(trial);
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  Landing landing = browser.open(trial.authorize_url(with(trial.request_for(client).form, "prompt", "consent")));
  landing = browser.log_in(landing, trial.given().user);
  const auto forms = forms_in(landing.page());
  if (landing.callback || forms.empty() || !agreeing_button(forms.front())) return;  // it asks for no consent
  const HtmlForm& form = forms.front();
  const Request good = Browser::request_of(landing, form, {}, agreeing_button(form));
  const auto refuse = [&](Browser sender, const Request& request, std::string_view what) {
    const Exchange seen = sender.send(request);
    const bool gives_code = seen.answer.field("location").contains("code=");
    trial.expect(seen.answer.status >= 400 && seen.answer.status < 500 && !gives_code, what, seen);
  };
  Request cross_site = good;
  set_field(cross_site, "Origin", "https://evil.example");
  set_field(cross_site, "Sec-Fetch-Site", "cross-site");
  refuse(browser, cross_site, "consent sent by a page of another site must be refused");
  refuse(trial.browser(client), good, "consent of another browser must be refused");
  const auto parsed = wire::parse_form(good.body).value_or(wire::Form{});
  for (const HtmlField& field : form.fields) {
    if (field.kind != FieldKind::hidden) continue;
    Request changed = good;
    changed.body = wire::write_form(with(parsed, field.name, trial.random_text(22)));
    refuse(browser, changed, fmt::format("consent with another {} must be refused", field.name));
  }
  const Exchange by_get = browser.send({.url = wire::add_query(good.url, parsed)});
  trial.expect(!by_get.answer.field("location").contains("code="), "consent by GET must give no code", by_get);
}

void two_tabs(Trial& trial) {
  const KnownClient& one = trial.given().client;
  const KnownClient& other = trial.given().other_client.is_given() ? trial.given().other_client : one;
  for (const KnownClient* second : {&one, &other}) {
    Browser browser = trial.browser(one);
    const Landing first_tab = open_login(trial, browser, one);
    const auto second_request = trial.request_for(*second);
    const Landing second_tab = browser.open(trial.authorize_url(second_request.form));
    const Landing first = browser.arrive(first_tab, trial.given().user);
    browser.end_at(second->redirect_uri);
    const Landing then = browser.arrive(second_tab, trial.given().user);
    for (const Landing* tab : {&first, &then}) {
      const bool has_code = tab->callback && query_of(*tab->callback).get("code");
      trial.expect(has_code, "each of two tabs must arrive with a code", tab->last());
    }
  }
}

/// Every page on the way of a sign-in, also those that say no.
std::vector<Exchange> pages_of(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  const auto asked = trial.request_for(client);
  const Landing landing =
      browser.arrive(browser.open(trial.authorize_url(with(asked.form, "prompt", "consent"))), trial.given().user);
  std::vector<Exchange> pages;
  for (const Exchange& step : landing.way) {
    if (step.answer.status == 200 && wire::to_lower(step.answer.field("content-type")).contains("html"))
      pages.push_back(step);
  }
  pages.push_back(trial.authorize(with(asked.form, "redirect_uri", "https://evil.example/")));
  if (const auto logout = trial.endpoint("end_session_endpoint"); !logout.empty())
    pages.push_back(browser.send({.url = logout}));
  return pages;
}

void framed(Trial& trial) {
  for (const Exchange& page : pages_of(trial)) {
    trial.expect(page.answer.field("content-security-policy").contains("frame-ancestors 'none'"),
                 "a page must say frame-ancestors 'none'", page);
    trial.expect(wire::equal_ignoring_case(page.answer.field("x-frame-options"), "DENY"),
                 "a page must say X-Frame-Options: DENY", page);
  }
}

void fixed_session(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  const Landing page = open_login(trial, browser, client);
  Browser attacker = browser;  // who planted the cookies knows them
  const auto before = browser.cookies();
  const Landing end = browser.arrive(page, trial.given().user);
  if (!trial.expect(end.callback.has_value(), "signing in must succeed", end.last())) return;
  trial.expect(browser.cookies() != before, "a cookie must be new or changed after sign-in");
  const auto quiet = with(with(trial.request_for(client).form, "prompt", "none"), "scope", "openid");
  const auto seen = attacker.send({.url = trial.authorize_url(quiet)});
  trial.expect(!query_of(seen.answer.field("location")).get("code"),
               "the cookies of before sign-in must be worth nothing", seen);
}

void cookie_flags(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  const Landing end =
      browser.arrive(browser.open(trial.authorize_url(trial.request_for(client).form)), trial.given().user);
  const bool is_secure = trial.target().issuer.starts_with("https://");
  int cookies = 0;
  for (const Exchange& step : end.way) {
    for (const std::string& cookie : step.answer.all("set-cookie")) {
      ++cookies;
      const std::string flags = wire::to_lower(cookie);
      trial.expect(flags.contains("httponly"), "a cookie must be HttpOnly", step);
      trial.expect(flags.contains("samesite=lax") || flags.contains("samesite=strict"), "a cookie must be SameSite",
                   step);
      if (!is_secure) continue;
      trial.expect(flags.contains("secure"), "a cookie must be Secure", step);
      trial.expect(flags.starts_with("__host-") && flags.contains("path=/"),
                   "a cookie must be bound to its host (__Host-)", step);
    }
  }
  trial.expect(cookies > 0, "sign-in without a cookie cannot be judged");
}

void redirect_after_password(Trial& trial) {
  const KnownClient& client = trial.given().client;
  Browser browser = trial.browser(client);
  const Landing page = open_login(trial, browser, client);
  const Exchange seen = browser.send(login_request(trial, page));
  trial.expect(seen.answer.status == 303 || seen.answer.status == 200, "after the password 303 must follow, or a page",
               seen);
}

void referrers(Trial& trial) {
  const std::string origin = origin_of(trial.target().issuer);
  for (const Exchange& page : pages_of(trial)) {
    const std::string policy = wire::to_lower(page.answer.field("referrer-policy"));
    trial.expect(policy == "no-referrer", "a page must say Referrer-Policy: no-referrer", page);
    for (const char* attribute : {"src=\"http", "src='http", "<link rel=\"stylesheet\" href=\"http"}) {
      const auto at = page.answer.body.find(attribute);
      const bool is_own = at == std::string::npos || page.answer.body.find(origin + "/", at) <= at + 45;
      trial.expect(is_own, "a page must load nothing from elsewhere", page);
    }
  }
}

constexpr Row rows[] = {
    {"T26", "a forged, foreign or replayed form of sign-in or consent", flow, forged_consent},
    {"T27", "two tabs, two sign-ins", flow, two_tabs},
    {"T28", "our pages in a frame", flow, framed},
    {"T29", "a session that was planted before sign-in", flow, fixed_session},
    {"T30", "cookies read or set by others", flow, cookie_flags},
    {"T31", "a password sent on by a redirect", flow, redirect_after_password},
    {"T32", "codes in a Referer", flow, referrers},
};

}  // namespace

std::span<const Row> page_rows() { return rows; }

}  // namespace troupe::attack
