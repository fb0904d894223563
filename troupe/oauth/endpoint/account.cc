// The account of a person who is signed in: shown, and changed by the forms of its page.
//
// A form is obeyed when the page's proof for this very session comes with it (page_proof.h).
// What was done is told on the page that follows, by a link that bears a proof too.
#include <array>

#include "troupe/oauth/endpoint/account_page.h"
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/page_proof.h"
#include "troupe/oauth/endpoint/sign_in.h"
#include "troupe/oauth/endpoint/texts.h"

namespace troupe::oauth {
namespace {

struct Deed {
  std::string_view name;
  Text note;
};

constexpr std::array deeds = {
    Deed{"password", Text::password_changed},
    Deed{"sessions", Text::signed_out_there},
    Deed{"application", Text::taken_back},
};

wire::Form fields_of_forms() { return {{"page", "account"}}; }
wire::Form fields_of_note(std::string_view deed) { return {{"page", "account note"}, {"done", std::string{deed}}}; }

web::Response to_account() { return never_cached(web::redirect(303, "/account")); }

/// Back to the page, which tells what was done. The proof keeps others from telling people what never was.
web::Response done(const SessionToken& cookie, std::string_view deed) {
  const wire::Form note{{"done", std::string{deed}}, {"proof", page_proof(cookie, fields_of_note(deed)).expose()}};
  return never_cached(web::redirect(303, wire::add_query("/account", note)));
}

/// What the link of `done` says, "" where it proves nothing.
std::string_view note_in(const SessionToken& cookie, std::string_view query, Language language) {
  auto parameters = wire::parse_form(query);
  if (!parameters) return {};
  const std::string name = parameter(*parameters, "done");
  if (!proves(cookie, fields_of_note(name), parameter(*parameters, "proof"))) return {};
  const auto* deed = std::ranges::find(deeds, name, &Deed::name);
  return deed == deeds.end() ? std::string_view{} : say(language, deed->note);
}

/// Who is signed in, with the cookie that says so.
struct Member {
  SessionToken cookie;
  Session session;
  Language language = Language::english;
};

Step<std::optional<Member>> present_member(ServicePtr service, web::Request http) {
  auto cookie = Cookies{service->options}.session(http);
  const Language language = language_for(http);
  auto session = co_await present_session(std::move(service), std::move(http));
  if (!session) co_return std::unexpected(session.error());
  if (!*session) co_return std::optional<Member>{};
  co_return Member{std::move(*cookie), std::move(**session), language};
}

/// A form of the page, and who sent it; or what to answer instead of obeying it.
struct Order {
  Member member;
  wire::Form form;
};

Task<std::expected<Order, web::Response>> read_order(ServicePtr service, web::Request http) {
  const Language language = language_for(http);
  if (!is_same_origin(http)) co_return std::unexpected(lost_flow_page(403, language));
  auto form = read_form(http);
  if (!form) co_return std::unexpected(error_page(form.error(), language));
  auto member = co_await present_member(std::move(service), std::move(http));
  if (!member) co_return std::unexpected(error_page(member.error(), language));
  if (!*member) co_return std::unexpected(to_account());  // the session is over: sign in, and look again
  if (!proves((*member)->cookie, fields_of_forms(), parameter(*form, "csrf")))
    co_return std::unexpected(lost_flow_page(403, language));
  co_return Order{std::move(**member), std::move(*form)};
}

Task<web::Response> show(ServicePtr service, Member member, int status, AccountNotes notes) {
  const UserId id = member.session.authentication.user;
  auto user = co_await service->users.ask(GetUser{id});
  if (!user) co_return error_page(errors::temporarily_unavailable, member.language);
  if (!*user) co_return to_account();  // removed this moment, and the session with them
  auto sessions = co_await service->sessions.ask(ListSessions{id});
  if (!sessions) co_return error_page(errors::temporarily_unavailable, member.language);
  auto applications = co_await service->users.ask(ListConsents{id});
  if (!applications) co_return error_page(errors::temporarily_unavailable, member.language);
  const AccountView view{.language = member.language,
                         .user = std::move(**user),
                         .present = member.session.id,
                         .sessions = std::move(*sessions),
                         .applications = std::move(*applications),
                         .proof = page_proof(member.cookie, fields_of_forms())};
  co_return account_page(status, view, notes);
}

/// Begins a sign-in that leads back here.
Task<web::Response> ask_to_sign_in(ServicePtr service, web::Request http) {
  Cookies cookies{service->options};
  auto begun = co_await service->sessions.ask(BeginFlow{.request = {},
                                                        .browser = cookies.browser(http),
                                                        .goal = FlowGoal::account,
                                                        .address = "/account",
                                                        .peer = http.peer.ip});
  if (!begun) co_return error_page(errors::temporarily_unavailable, language_for(http));
  auto response = continue_at("/login", begun->ticket.flow.id);
  cookies.set_browser(response, begun->browser);
  co_return response;
}

/// The page again, with the reason why the password stays as it is.
Task<web::Response> refuse_change(ServicePtr service, Member member, PasswordChangeError error) {
  using Reason = PasswordChangeError::Reason;
  int status = 400;
  Text problem = Text::wrong_password;
  if (error.reason == Reason::bad_password) problem = Text::bad_password;
  if (error.reason == Reason::breached_password) problem = Text::breached_password;
  if (error.reason == Reason::slow_down) {
    status = 429;
    problem = Text::slow_down;
  }
  if (error.reason == Reason::busy) {
    status = 503;
    problem = Text::busy;
  }
  const AccountNotes notes{.done = "", .password_problem = say(member.language, problem)};
  auto response = co_await show(std::move(service), std::move(member), status, notes);
  if (status != 400)
    response.headers.set("Retry-After", std::to_string(std::max(error.retry_after, std::chrono::seconds{1}).count()));
  co_return response;
}

}  // namespace

Task<web::Response> show_account(ServicePtr service, web::Request http) {
  auto member = co_await present_member(service, http);
  if (!member) co_return error_page(member.error(), language_for(http));
  if (!*member) co_return co_await ask_to_sign_in(std::move(service), std::move(http));
  const AccountNotes notes{.done = note_in((*member)->cookie, http.query, (*member)->language), .password_problem = ""};
  co_return co_await show(std::move(service), std::move(**member), 200, notes);
}

Task<web::Response> change_password(ServicePtr service, web::Request http) {
  auto order = co_await read_order(service, http);  // 1. from our page, by who is signed in
  if (!order) co_return std::move(order.error());
  const std::string next = parameter(order->form, "new_password");  // 2. what they want
  if (next != parameter(order->form, "new_password_again")) {
    const AccountNotes notes{.done = "", .password_problem = say(order->member.language, Text::unequal_passwords)};
    co_return co_await show(std::move(service), std::move(order->member), 400, notes);
  }
  const Cookies cookies{service->options};
  ChangePassword message{.token = order->member.cookie,
                         .present = crypto::Password{parameter(order->form, "password")},
                         .next = crypto::Password{next},
                         .from = http.peer.ip,
                         .place = place_of(http),
                         .cause = cause_of(http),
                         .device = cookies.device(http)};
  auto changed = co_await service->users.ask(std::move(message));  // 3. all or nothing
  if (!changed) {
    const auto error = changed.error().domain.value_or(
        PasswordChangeError{PasswordChangeError::Reason::busy, std::chrono::seconds{2}});
    if (error.reason == PasswordChangeError::Reason::signed_out) co_return to_account();
    auto refused = co_await refuse_change(std::move(service), std::move(order->member), error);
    if (changed.error().domain) refused.refusal = web::Refusal::limit;  // so many hashes at once, and no more
    co_return refused;
  }
  auto response = done(changed->token, "password");  // 4. on, in a session of another name
  cookies.set_session(response, changed->token);
  cookies.set_device(response, changed->device);
  co_return response;
}

Task<web::Response> end_sessions(ServicePtr service, web::Request http) {
  const Cause cause = cause_of(http);
  auto order = co_await read_order(service, std::move(http));
  if (!order) co_return std::move(order.error());
  const auto only = order->form.get("session");
  const bool is_all = order->form.get("others") == "all";
  if (only.has_value() == is_all) co_return error_page(errors::invalid_request, order->member.language);
  EndOtherSessions message{.token = order->member.cookie, .only = std::nullopt, .cause = cause};
  if (only) message.only = SessionId{std::string{*only}};
  auto ended = co_await service->sessions.ask(std::move(message));
  if (!ended) co_return error_page(errors::temporarily_unavailable, order->member.language);
  co_return done(order->member.cookie, "sessions");
}

Task<web::Response> revoke_application(ServicePtr service, web::Request http) {
  const Cause cause = cause_of(http);
  auto order = co_await read_order(service, std::move(http));
  if (!order) co_return std::move(order.error());
  std::string client = parameter(order->form, "client_id");
  if (client.empty()) co_return error_page(errors::invalid_request, order->member.language);
  auto revoked = co_await service->users.ask(
      RevokeConsent{order->member.session.authentication.user, ClientId{std::move(client)}, cause});
  if (!revoked) co_return error_page(errors::temporarily_unavailable, order->member.language);
  co_return done(order->member.cookie, "application");
}

}  // namespace troupe::oauth
