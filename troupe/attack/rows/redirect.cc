// Rows about where an authorization answer may go: T1 to T6 but registration, and T25.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

constexpr std::string_view evil = "https://evil.example/callback";

/// A page that says no, whatever it costs to say so.
void expect_page_for(Trial& trial, const Asked& asked, const std::string& redirect_uri) {
  const auto seen = trial.authorize(with(asked.form, "redirect_uri", redirect_uri));
  trial.expect_page(seen, fmt::format("redirect_uri \"{}\"", redirect_uri));
}

void unregistered(Trial& trial) {
  const auto asked = trial.request_for(trial.given().client);
  expect_page_for(trial, asked, std::string{evil});
  expect_page_for(trial, asked, "http://127.0.0.1:1/another");
}

/// The registered address with one thing changed, each of which some server has taken for the same.
std::vector<std::string> variants_of(const std::string& registered) {
  const std::string origin = origin_of(registered);
  const std::string path = registered.substr(std::min(origin.size(), registered.size()));
  const auto scheme_end = registered.find("://");
  const std::string scheme = registered.substr(0, scheme_end), rest = registered.substr(scheme_end + 3);
  std::string loud = path, escaped = path, foreign = rest;
  std::ranges::transform(loud, loud.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (escaped.size() > 1)
    escaped = fmt::format("/%{:02x}{}", static_cast<unsigned char>(escaped[1]), escaped.substr(2));
  if (const auto dot = foreign.find('.'); dot != std::string::npos) foreign.replace(dot, 1, "\xe3\x80\x82");  // U+3002
  std::vector<std::string> all = {
      registered + "/x",
      registered + "?x=1",
      registered + "#f",
      registered + "/",
      registered + "/.." + path,
      registered + "%2f",
      registered + "%00",
      registered + "\t",
      registered + " ",
      registered + "\r\nX-Injected: 1",
      registered + "\\",
      registered + ".evil.example",
      registered + "@evil.example",
      origin + loud,
      origin + escaped,
      origin + "\\" + path.substr(std::min<std::size_t>(1, path.size())),
      origin + "@evil.example" + path,
      origin + ".evil.example" + path,
      scheme + "://evil.example@" + rest,
      scheme + "://evil.example\\@" + rest,
      scheme + "://" + foreign,
      (scheme == "https" ? "http://" : "https://") + rest,
      "//" + rest,
      path,
      " " + registered,
  };
  if (!registered.starts_with("http://127.0.0.1") && !registered.starts_with("http://[::1]"))
    all.push_back(origin + (scheme == "https" ? ":443" : ":80") + path);
  std::erase(all, registered);
  return all;
}

void almost_registered(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  const auto control = trial.authorize(asked.form);
  if (!trial.expect(control.answer.status < 400, "the registered address itself must be taken", control)) return;
  for (const std::string& variant : variants_of(client.redirect_uri)) expect_page_for(trial, asked, variant);
}

void loopback_port(Trial& trial) {
  const KnownClient& client = trial.given().public_client;
  const auto asked = trial.request_for(client);
  const auto host_end = std::string_view{"http://127.0.0.1"}.size();
  const auto slash = client.redirect_uri.find('/', host_end);
  const std::string path = slash == std::string::npos ? "" : client.redirect_uri.substr(slash);
  for (const char* port : {":51234", ":1", ":65535"}) {
    const auto seen = trial.authorize(with(asked.form, "redirect_uri", "http://127.0.0.1" + std::string{port} + path));
    trial.expect(seen.answer.status < 400, "any port of 127.0.0.1 must be taken of a native application", seen);
  }
  for (const std::string& wrong :
       {"http://localhost:51234" + path, "http://127.0.0.1:51234/other" + path, "https://127.0.0.1:51234" + path,
        "http://127.0.0.2:51234" + path, "http://127.0.0.1:51234@evil.example" + path, "http://0.0.0.0:51234" + path,
        "http://127.0.0.1:99999" + path, "http://[::1]:51234" + path}) {
    expect_page_for(trial, asked, wrong);
  }
}

void omitted(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto open_id = with(trial.request_for(client).form, "scope", "openid");
  trial.expect_page(trial.authorize(without(open_id, "redirect_uri")), "an OpenID request without redirect_uri");
  trial.expect_page(trial.authorize(with(open_id, "redirect_uri", "")), "one with an empty redirect_uri");
  for (const KnownClient* several : {&trial.given().client, &trial.given().other_client}) {
    if (several->another_redirect_uri.empty()) continue;
    auto form = without(without(trial.request_for(*several).form, "redirect_uri"), "prompt");
    form = with(form, "scope", several->scope);
    trial.expect_page(trial.authorize(form), "no redirect_uri of a client that has several");
  }
}

/// The page without what may differ: the words of the request and what is random.
std::string without_words(std::string page, std::initializer_list<std::string> words) {
  for (const std::string& word : words) {
    for (auto at = page.find(word); !word.empty() && at != std::string::npos; at = page.find(word, at))
      page.erase(at, word.size());
  }
  return page;
}

void unknown_client(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  const std::string redirect_uri{evil};
  const auto known = trial.authorize(with(asked.form, "redirect_uri", redirect_uri));
  std::vector<std::string> strangers = {"nobody", std::string(3000, 'x'), client.id + "x", trial.random_text(20)};
  if (!trial.given().disabled_client.empty()) strangers.push_back(trial.given().disabled_client);
  for (const std::string& stranger : strangers) {
    const auto seen = trial.authorize(with(with(asked.form, "client_id", stranger), "redirect_uri", redirect_uri));
    trial.expect_page(seen, "an unknown or disabled client");
    const bool is_alike =
        seen.answer.status == known.answer.status && without_words(seen.answer.body, {stranger, redirect_uri}) ==
                                                         without_words(known.answer.body, {client.id, redirect_uri});
    trial.expect(is_alike, "the page must not tell an unknown client from an unregistered redirect URI", seen);
  }
}

constexpr std::array evil_places = {"//evil.example/",       "/\\evil.example/",       "https:evil.example",
                                    "https://evil.example/", "/\t/evil.example/",      "javascript:alert(1)",
                                    "http://evil.example",   "\\\\evil.example\\path", "https:///evil.example"};

bool leads_away(const Exchange& seen) {
  const std::string location = wire::to_lower(seen.answer.field("location"));
  const auto end = location.find_first_of("?#");  // a parameter may name it
  return location.substr(0, end).contains("evil.example") || location.starts_with("javascript:");
}

void open_redirect_by_login(Trial& trial) {
  const KnownClient& client = trial.given().client;
  for (const char* place : {evil_places[0], evil_places[1], evil_places[3]}) {
    auto asked = trial.request_for(client);
    Browser browser = trial.browser(client);
    Landing login = browser.open(trial.authorize_url(asked.form));
    wire::Form more;
    for (const char* name : {"return_to", "next", "redirect", "continue", "returnUrl", "goto"}) more.add(name, place);
    login = browser.open(wire::add_query(login.last().request.url, more));
    const Landing end = browser.arrive(login, trial.given().user);
    for (const Exchange& step : end.way)
      trial.expect(!leads_away(step), fmt::format("return_to={} must lead nowhere", place), step);
  }
}

void open_redirect(Trial& trial) {
  const auto asked = trial.request_for(trial.given().client);
  for (const char* place : evil_places) {
    for (const auto& form :
         {with(asked.form, "redirect_uri", place), with(with(asked.form, "redirect_uri", place), "scope", "\""),
          with(with(asked.form, "redirect_uri", place), "response_type", "bad")}) {
      trial.expect_page(trial.authorize(form), fmt::format("an error with redirect_uri={}", place));
    }
    if (const auto logout = trial.endpoint("end_session_endpoint"); !logout.empty()) {
      for (const std::string& client_id : {std::string{}, trial.given().client.id}) {
        const auto seen =
            trial.get(wire::add_query(logout, {{"post_logout_redirect_uri", place}, {"client_id", client_id}}));
        trial.expect(!leads_away(seen), fmt::format("post_logout_redirect_uri={}", place), seen);
      }
    }
  }
  if (trial.given().user.is_given()) open_redirect_by_login(trial);
}

constexpr Row rows[] = {
    {"T1", "a redirect URI that is not registered", Need::client | Need::authorize, unregistered},
    {"T2", "a redirect URI that differs in a byte", Need::client | Need::authorize, almost_registered},
    {"T3", "another port of the loopback address", Need::public_client | Need::authorize | Need::loopback,
     loopback_port},
    {"T4", "no redirect URI", Need::client | Need::authorize, omitted},
    {"T6", "an unknown or disabled client at authorize", Need::client | Need::authorize, unknown_client},
    {"T25", "a redirect to somewhere else by errors, sign-out or sign-in", Need::client | Need::authorize,
     open_redirect},
};

}  // namespace

std::span<const Row> redirect_rows() { return rows; }

}  // namespace troupe::attack
