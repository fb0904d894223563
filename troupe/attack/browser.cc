// See browser.h.
#include "troupe/attack/browser.h"

#include <algorithm>
#include <array>

#include "troupe/attack/address.h"
#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

constexpr int hops_max = 10;
constexpr int pages_max = 8;
constexpr std::array agreeing = {"allow", "approve", "accept", "authorize", "grant", "continue", "yes", "agree", "ok"};
constexpr std::array refusing = {"deny", "cancel", "refuse", "reject", "decline", "abort", "back"};

bool is_redirect(const Answer& answer) {
  return answer.status >= 300 && answer.status < 400 && !answer.field("location").empty();
}

template <class Words>
bool says_one_of(const HtmlField& button, const Words& words) {
  const std::string said = wire::to_lower(button.name + " " + button.value + " " + button.label);
  return std::ranges::any_of(words, [&said](const char* word) { return said.contains(word); });
}

/// Whether a Set-Cookie takes the cookie away.
bool is_removal(std::string_view cookie) {
  const std::string text = wire::to_lower(cookie);
  return text.contains("max-age=0") || text.contains("expires=thu, 01 jan 1970") ||
         text.contains("expires=thu, 01-jan-1970");
}

}  // namespace

const HtmlField* agreeing_button(const HtmlForm& form) {
  for (const HtmlField& field : form.fields) {
    if (field.kind == FieldKind::button && says_one_of(field, agreeing) && !says_one_of(field, refusing)) return &field;
  }
  for (const HtmlField& field : form.fields) {
    if (field.kind == FieldKind::button && !says_one_of(field, refusing)) return &field;
  }
  return nullptr;
}

wire::Form login_values(const HtmlForm& form, const std::string& name, const std::string& password) {
  wire::Form values;
  if (const HtmlField* field = form.first(FieldKind::text)) values.add(field->name, name);
  if (const HtmlField* field = form.first(FieldKind::password)) values.add(field->name, password);
  return values;
}

std::optional<HtmlForm> Landing::login_form() const {
  for (HtmlForm& form : forms_in(page())) {
    if (form.first(FieldKind::password)) return std::move(form);
  }
  return std::nullopt;
}

Request Browser::request_of(const Landing& page, const HtmlForm& form, const wire::Form& values,
                            const HtmlField* button) {
  wire::Form sent;
  for (const HtmlField& field : form.fields) {
    if (field.name.empty()) continue;
    const bool is_pressed = button != nullptr && field.kind == FieldKind::button && field.name == button->name &&
                            field.value == button->value;
    if (field.kind == FieldKind::button && !is_pressed) continue;
    if (field.kind == FieldKind::choice && !field.is_checked) continue;
    const auto given = values.get(field.name);
    sent.add(field.name, given ? std::string{*given} : field.value);
  }
  const std::string action = resolve(page.last().request.url, form.action);
  if (form.method == "get") return {.url = wire::add_query(action, sent)};
  return {"POST",
          action,
          {{"Content-Type", "application/x-www-form-urlencoded"},
           {"Origin", origin_of(page.last().request.url)},
           {"Sec-Fetch-Site", "same-origin"}},
          wire::write_form(sent)};
}

Landing Browser::submit(const Landing& page, const HtmlForm& form, const wire::Form& values, const HtmlField* button) {
  return follow(request_of(page, form, values, button));
}

Landing Browser::log_in(const Landing& page, const KnownUser& user) {
  const auto form = page.login_form();
  if (!form) return page;
  const auto values = login_values(*form, user.name, user.password.expose());
  return submit(page, *form, values, agreeing_button(*form));
}

Landing Browser::arrive(Landing landing, const KnownUser& user) {
  for (int pages = 0; pages < pages_max && !landing.callback; ++pages) {
    Landing next = landing;
    if (landing.login_form()) {
      next = log_in(landing, user);
    } else {
      const auto forms = forms_in(landing.page());
      const auto form =
          std::ranges::find_if(forms, [](const HtmlForm& one) { return agreeing_button(one) != nullptr; });
      if (form == forms.end()) return landing;
      next = submit(landing, *form, {}, agreeing_button(*form));
    }
    next.way.insert(next.way.begin(), landing.way.begin(), landing.way.end());
    landing = std::move(next);
  }
  return landing;
}

Exchange Browser::send(Request request) {
  const std::string origin = origin_of(request.url);
  std::string cookie;
  for (const auto& [place, value] : cookies_) {
    if (place.starts_with(origin + " "))
      cookie += (cookie.empty() ? "" : "; ") + place.substr(origin.size() + 1) + "=" + value;
  }
  if (!cookie.empty()) request.fields.push_back({"Cookie", cookie});
  Answer answer = transport_->send(request);
  keep_cookies(origin, answer);
  return {std::move(request), std::move(answer)};
}

Landing Browser::follow(Request request) {
  Landing landing;
  for (int hops = 0; hops < hops_max; ++hops) {
    landing.way.push_back(send(request));
    const auto& [sent, answer] = landing.last();
    if (!is_redirect(answer)) return landing;
    const std::string next = resolve(sent.url, answer.field("location"));
    if (!redirect_uri_.empty() && next.starts_with(redirect_uri_)) {
      landing.callback = next;
      return landing;
    }
    if (origin_of(next).empty()) return landing;
    const bool keeps_body = answer.status == 307 || answer.status == 308;
    request = keeps_body ? Request{sent.method, next, sent.fields, sent.body} : Request{.url = next};
    std::erase_if(request.fields, [](const Field& field) { return field.name == "Cookie"; });
  }
  return landing;
}

void Browser::keep_cookies(const std::string& origin, const Answer& answer) {
  for (const std::string& set : answer.all("set-cookie")) {
    const std::string pair = set.substr(0, set.find(';'));
    const auto equals = pair.find('=');
    if (equals == std::string::npos) continue;
    const std::string place = origin + " " + pair.substr(0, equals);
    if (is_removal(set)) {
      cookies_.erase(place);
    } else {
      cookies_[place] = pair.substr(equals + 1);
    }
  }
}

}  // namespace troupe::attack
