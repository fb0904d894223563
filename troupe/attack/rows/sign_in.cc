// Rows that guess passwords: T64 to T66. They run last, since a server that defends itself is slow afterwards.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"

namespace troupe::attack {
namespace {

constexpr int guesses = 40;
constexpr int sign_ins_at_once = 200;

Landing open_login(Trial& trial, Browser& browser) {
  Landing page = browser.open(trial.authorize_url(trial.request_for(trial.given().client).form));
  if (!page.login_form()) throw TargetFailed{"no page with a form for a password came"};
  return page;
}

bool is_slowed(const Exchange& seen) { return seen.answer.status == 429 || seen.answer.status == 503; }

/// The page without the name that was typed and without what is random in it.
std::string comparable(const Landing& landing, const std::string& name) {
  std::string page = landing.page();
  const auto erase = [&page](const std::string& word) {
    for (auto at = page.find(word); !word.empty() && at != std::string::npos; at = page.find(word, at))
      page.erase(at, word.size());
  };
  erase(name);
  for (const HtmlForm& form : forms_in(landing.page())) {
    for (const HtmlField& field : form.fields) {
      if (field.kind == FieldKind::hidden) erase(field.value);
    }
  }
  return page;
}

void enumeration(Trial& trial) {
  const std::string nobody = "nobody" + trial.random_text(8);
  std::string pages[2];
  Exchange seen[2];
  int at = 0;
  for (const std::string& name : {trial.given().user.name, nobody}) {
    Browser browser = trial.browser(trial.given().client);
    const Landing end = browser.log_in(open_login(trial, browser), {name, Password{"not the password at all"}});
    pages[at] = comparable(end, name);
    seen[at++] = end.last();
  }
  trial.expect(seen[0].answer.status == seen[1].answer.status, "a wrong name and a wrong password must have one status",
               seen[1]);
  trial.expect(pages[0] == pages[1], "a wrong name and a wrong password must have one page", seen[1]);
  Browser hinted = trial.browser(trial.given().client), other = trial.browser(trial.given().client);
  const auto asked = trial.request_for(trial.given().client);
  const Landing known = hinted.open(trial.authorize_url(with(asked.form, "login_hint", trial.given().user.name)));
  const Landing unknown = other.open(trial.authorize_url(with(asked.form, "login_hint", nobody)));
  trial.expect(comparable(known, trial.given().user.name) == comparable(unknown, nobody),
               "login_hint must not tell whether there is such a user", unknown.last());
}

/// The owner of the account comes back, in the browser where they have signed in before.
void come_back(Trial& trial, Browser& browser) {
  const auto asked = trial.request_for(trial.given().client);
  const Landing page = browser.open(trial.authorize_url(with(asked.form, "prompt", "login")));
  if (!page.login_form()) return;
  const Landing end = browser.arrive(page, trial.given().victim);
  trial.expect(end.callback.has_value(), "guesses of strangers must not keep the owner out of a browser that is known",
               end.last());
}

void brute_force(Trial& trial) {
  // Whom other rows have slowed down already cannot become known first.
  Browser owner = trial.browser(trial.given().client);
  const bool is_owner_known = !trial.given().victim.password.expose().empty() &&
                              owner.arrive(open_login(trial, owner), trial.given().victim).callback.has_value();
  bool is_slow = false;
  for (int i = 0; i < guesses && !is_slow; ++i) {
    Browser browser = trial.browser(trial.given().client);
    const Landing end =
        browser.log_in(open_login(trial, browser), {trial.given().victim.name, Password{fmt::format("guess {}", i)}});
    if (!trial.expect(!end.callback.has_value(), "a guessed password must not sign in", end.last())) return;
    is_slow = is_slowed(end.last());
    if (is_slow)
      trial.expect(!end.last().answer.field("retry-after").empty(), "who is slowed down must be told how long",
                   end.last());
  }
  trial.expect(is_slow, fmt::format("{} guesses at one account were not slowed down", guesses));
  if (is_slow && is_owner_known) come_back(trial, owner);
}

/// The body of a sign-in of nobody, for a browser of its own each.
std::vector<Request> sign_ins(Trial& trial, int count) {
  std::vector<Request> requests;
  for (int i = 0; i < count; ++i) {
    Browser browser = trial.browser(trial.given().client);
    const Landing page = open_login(trial, browser);
    const auto form = page.login_form();
    Request request = Browser::request_of(
        page, *form, login_values(*form, "nobody" + trial.random_text(8), "no password"), agreeing_button(*form));
    std::string cookie;
    for (const auto& [place, value] : browser.cookies())
      cookie += (cookie.empty() ? "" : "; ") + place.substr(place.find(' ') + 1) + "=" + value;
    request.fields.push_back({"Cookie", cookie});
    requests.push_back(std::move(request));
  }
  return requests;
}

void costly_passwords(Trial& trial) {
  const KnownClient& client = trial.given().client;
  for (const std::size_t length : {std::size_t{1000}, std::size_t{1024 * 1024}}) {
    Browser browser = trial.browser(client);
    const Landing page = open_login(trial, browser);
    const Landing end = browser.log_in(page, {trial.given().user.name, Password{std::string(length, 'p')}});
    trial.expect(
        !end.callback && end.last().answer.status >= 400 && (end.last().answer.status < 500 || is_slowed(end.last())),
        "a password beyond all measure must be refused", end.last());
  }
  auto requests = sign_ins(trial, sign_ins_at_once);
  requests.push_back(trial.request_as(client, trial.endpoint("token_endpoint"), {{"grant_type", "nonsense"}}));
  const auto seen = trial.send_at_once(std::move(requests));
  for (std::size_t i = 0; i + 1 < seen.size(); ++i) {
    const int status = seen[i].answer.status;
    trial.expect((status >= 400 && status < 500) || status == 503 || status == 200, "a sign-in among many", seen[i]);
    if (is_slowed(seen[i]))
      trial.expect(!seen[i].answer.field("retry-after").empty(), "who is slowed down must be told how long", seen[i]);
  }
  trial.expect_status(seen.back(), {400}, "the token endpoint beside them");
}

constexpr Row rows[] = {
    {"T65", "finding out which users there are", flow, enumeration},
    {"T66", "passwords that are costly to check", flow, costly_passwords},
    {"T64", "guessing passwords", flow | Need::victim, brute_force},
};

}  // namespace

std::span<const Row> sign_in_rows() { return rows; }

}  // namespace troupe::attack
