// See run.h.
#include "tools/oauth_chaos/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "troupe/attack/address.h"
#include "troupe/attack/http/curl_transport.h"
#include "troupe/wire/json.h"

namespace troupe::oauth_chaos {
namespace {

using namespace std::chrono_literals;
using attack::Answer;
using attack::json_text;
using attack::Request;
using attack::Trial;

constexpr const char* config = R"([oauth]
password_time = "0s"
password_threads = "usual"
access_token_lifetime = "1h"
refresh_grace = "5s"
session_codes_per_minute = 0
)";
constexpr auto grace = 5s;
constexpr auto slack = 2s;  // the server counts whole seconds, and by its own clock
constexpr const char* redirect_uri = "http://127.0.0.1:9/callback";  // nobody listens: the browser stops before it
constexpr const char* user_name = "alice";
constexpr const char* user_password = "a long walk through chaos";
constexpr std::size_t batch_max = 256;

base::Instant now() { return base::system_clock().now(); }
double seconds_since(base::Instant then) { return std::chrono::duration<double>(now() - then).count(); }

std::string store_of(const std::string& url) {
  return url.empty() ? "" : fmt::format("\n[store]\nurl = \"{}\"\n", url);
}

/// A JWT is signed anew whenever it is told again, and ES256 makes another signature each time; the rest is the token.
std::string what_is_signed(const std::string& jwt) { return jwt.substr(0, jwt.rfind('.')); }

}  // namespace

Run::Run(const RunOptions& options)
    : options_(options),
      random_(options.seed),
      server_(options.troupe, folder_.path(),
              chaos::quiet_and_unlimited + std::string{config} + store_of(options.store_url)),
      transport_(attack::curl_transport({.ca_file = "", .patience = 30s})) {
  add_clients();
  server_.start();
  auto found = attack::find_target(*transport_, {.url = fmt::format("http://127.0.0.1:{}", server_.port()),
                                                 .client = shop_,
                                                 .public_client = phone_,
                                                 .machine = machine_,
                                                 .resource_server = machine_,
                                                 .user = {user_name, attack::Password{user_password}}});
  if (!found) throw chaos::Failed{found.error()};
  target_ = std::move(*found);
  trial_.emplace(target_, *transport_);
}

attack::KnownClient Run::add_client(const std::vector<std::string>& arguments, const std::string& scope) {
  std::vector<std::string> command{"client", "add", "--json", "--name", "chaos", "--scope", scope};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto said = server_.command(command);
  return {.id = json_text(said, "client_id"),
          .secret = base::Secret<std::string>{json_text(said, "client_secret")},
          .redirect_uri = redirect_uri,
          .another_redirect_uri = "",
          .scope = scope};
}

void Run::add_clients() {
  const std::vector<std::string> web{"--redirect-uri",     redirect_uri, "--grant",
                                     "authorization_code", "--grant",    "refresh_token"};
  auto app = web;
  app.push_back("--public");
  shop_ = add_client(web, "orders");
  phone_ = add_client(app, "orders");
  machine_ = add_client({"--grant", "client_credentials"}, "introspect");
  opaque_machine_ = add_client({"--grant", "client_credentials", "--access-token-format", "opaque"}, "orders");
  (void)server_.command({"user", "add", user_name, "--password-stdin"}, fmt::format("{}\n", user_password));
}

void Run::torment() {
  const auto begun = now();
  while (seconds_since(begun) < options_.seconds && ledger_.violations().empty()) {
    if (server_.is_lost()) throw chaos::Failed{"the server has ended by itself:\n" + server_.log_tail()};
    round();
    ++figures_.rounds;
  }
  if (!server_.end()) throw chaos::Failed{"the server did not end well:\n" + server_.log_tail()};
}

void Run::round() {
  // 1. What will be spent, renewed and ended.
  const attack::Code code = new_code(shop_);
  ledger_.code_sent(code.value, 0);
  ++figures_.codes;
  Family family = new_family();
  const std::vector<Family> to_end{new_family(), new_family()};

  // 2. Everything at once, and a kill in the middle.
  Burst burst;
  add_redemptions(burst, code, options_.redemptions);
  add_refreshes(burst, family, options_.refreshes);
  add_revocations(burst, to_end);
  add_issues(burst);
  granted_in_burst_ = 0;
  const bool was_killed = send(std::move(burst), true, family, "everything at once");
  if (!was_killed && granted_in_burst_ != 1)
    ledger_.violate(fmt::format("of {} redemptions at once {} were granted", options_.redemptions, granted_in_burst_));
  look_at_all_tokens();

  // 3. The same again, of those who were not answered and of those who were; perhaps with another kill.
  Burst again;
  add_redemptions(again, code, 20);
  add_refreshes(again, family, 10);
  send(std::move(again), random_.unit() < 0.3, family, "the same once more");

  // 4. With everything at rest. Where both kills came before all else, the code is granted now, and the next ends it.
  for (int shown = 0; shown < 2 && !ledger_.is_over(code.value); ++shown) {
    Burst last;
    add_redemptions(last, code, 1);
    send(std::move(last), false, family, "the code for the last time");
  }
  if (!ledger_.is_over(code.value)) ledger_.violate("a code that was shown to the end is not over");
  waiting_.push_back(family);
  reuse_late_ones();
  look_at_all_tokens();
}

attack::Code Run::new_code(const attack::KnownClient& client) {
  const auto at = browsers_.try_emplace(client.id, trial_->browser(client)).first;
  return trial_->code_for(client, at->second, trial_->request_for(client));
}

Run::Family Run::new_family() {
  const auto code = new_code(phone_);
  ++figures_.codes;
  ledger_.code_sent(code.value, 1);
  const auto tokens = trial_->tokens_in(trial_->redeem(phone_, code));
  ledger_.code_answered(code.value, Outcome::granted);
  if (tokens.refresh.empty()) throw chaos::Failed{"no refresh token came with a code"};
  ledger_.issued(tokens.access, code.value);
  ledger_.issued(tokens.refresh, code.value);
  Family family;
  family.name = code.value;
  family.token = tokens.refresh;
  family.opening_access = tokens.access;
  return family;
}

void Run::add(Burst& burst, Request request, Purpose purpose) {
  burst.requests.push_back(std::move(request));
  burst.purposes.push_back(std::move(purpose));
}

void Run::add_redemptions(Burst& burst, const attack::Code& code, std::size_t times) {
  ledger_.code_sent(code.value, times);
  figures_.redemptions += times;
  const auto request = trial_->request_as(shop_, target_.endpoint("token_endpoint"), trial_->redemption(code));
  for (std::size_t i = 0; i < times; ++i) add(burst, request, {Purpose::Deed::redeem, code.value, code.value});
}

void Run::add_refreshes(Burst& burst, Family& family, std::size_t times) {
  if (family.first_shown == base::Instant{}) family.first_shown = now();
  ledger_.token_ending(family.token);  // used, it is no longer good for anything but its successor
  figures_.refreshes += times;
  const auto request = trial_->request_as(phone_, target_.endpoint("token_endpoint"),
                                          {{"grant_type", "refresh_token"}, {"refresh_token", family.token}});
  for (std::size_t i = 0; i < times; ++i) add(burst, request, {Purpose::Deed::refresh, family.token, family.name});
}

void Run::add_revocations(Burst& burst, const std::vector<Family>& families) {
  const auto revoke = [this](const attack::KnownClient& client, const std::string& token) {
    return trial_->request_as(client, target_.endpoint("revocation_endpoint"), {{"token", token}});
  };
  auto tokens = ledger_.lone_tokens();
  for (std::size_t i = 0; i < options_.revocations && !tokens.empty(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(random_.below(tokens.size()));
    const auto token = tokens[static_cast<std::size_t>(at)];
    tokens.erase(tokens.begin() + at);
    ledger_.token_ending(token);
    const auto& owner = token.starts_with("at_") ? opaque_machine_ : machine_;
    add(burst, revoke(owner, token), {Purpose::Deed::revoke_token, token, ""});
    ++figures_.revocations;
  }
  for (const Family& family : families) {
    ledger_.family_ending(family.name);
    add(burst, revoke(phone_, family.token), {Purpose::Deed::revoke_family, family.token, family.name});
    ++figures_.revocations;
  }
}

void Run::add_issues(Burst& burst) {
  for (std::size_t i = 0; i < options_.issues; ++i) {
    const auto& client = i % 2 == 0 ? machine_ : opaque_machine_;
    add(burst, trial_->request_as(client, target_.endpoint("token_endpoint"), {{"grant_type", "client_credentials"}}),
        {Purpose::Deed::issue, "", ""});
    ++figures_.issues;
  }
}

bool Run::send(Burst burst, bool may_kill, Family& family, const std::string& why) {
  for (std::size_t i = burst.requests.size(); i > 1; --i) {
    const auto j = random_.below(i);
    std::swap(burst.requests[i - 1], burst.requests[j]);
    std::swap(burst.purposes[i - 1], burst.purposes[j]);
  }
  const bool kills = may_kill && figures_.rounds > 0 && random_.unit() < options_.kill_share;
  const auto after = std::chrono::duration<double>(burst_seconds_ * 1.1 * random_.unit());
  ledger_.begin_burst(fmt::format("{}, {} requests", why, burst.requests.size()) +
                      (kills ? fmt::format(", killed after {:.0f} ms", after.count() * 1000) : ""));
  const auto begun = now();
  std::vector<Answer> answers;
  {
    std::jthread killer;  // only kills; the server is started by this thread, since it ends with the one that did
    if (kills) {
      killer = std::jthread{[this, after] {
        std::this_thread::sleep_for(after);
        server_.kill();
      }};
    }
    answers = transport_->send_at_once(burst.requests);
  }
  if (kills) {
    ++figures_.kills;
    server_.start();
  } else if (burst.requests.size() > options_.redemptions) {
    burst_seconds_ = seconds_since(begun);
  }
  for (std::size_t i = 0; i < answers.size(); ++i) take(burst.purposes[i], answers[i], family);
  return kills;
}

Outcome Run::outcome_of(const Answer& answer, const char* what) {
  if (answer.status == 200) return Outcome::granted;
  if (answer.status == 0) ++figures_.unanswered;
  if (answer.status == 0 || answer.status == 503 || answer.status == 429) return Outcome::unknown;
  if (answer.status == 400 && json_text(answer.body, "error") == "invalid_grant") return Outcome::refused;
  ledger_.violate(fmt::format("{} was answered with {}: {}", what, answer.status, answer.body.substr(0, 200)));
  return Outcome::unknown;
}

void Run::take(const Purpose& purpose, const Answer& answer, Family& family) {
  switch (purpose.deed) {
    case Purpose::Deed::redeem:
      return take_redemption(purpose, answer);
    case Purpose::Deed::refresh:
      return take_refresh(purpose, answer, family);
    case Purpose::Deed::revoke_token:
      if (outcome_of(answer, "a revocation") == Outcome::granted) ledger_.token_ended(purpose.of);
      return;
    case Purpose::Deed::revoke_family:
      if (outcome_of(answer, "a revocation") == Outcome::granted)
        ledger_.family_ended(purpose.family, "it was revoked");
      return;
    case Purpose::Deed::issue:
      if (outcome_of(answer, "client_credentials") == Outcome::granted)
        ledger_.issued(json_text(answer.body, "access_token"), "");
      return;
  }
}

void Run::take_redemption(const Purpose& purpose, const Answer& answer) {
  const auto outcome = outcome_of(answer, "a redemption");
  ledger_.code_answered(purpose.of, outcome);
  if (outcome != Outcome::granted) return;
  ++granted_in_burst_;
  ledger_.issued(json_text(answer.body, "access_token"), purpose.family);
  ledger_.issued(json_text(answer.body, "refresh_token"), purpose.family);
}

void Run::take_refresh(const Purpose& purpose, const Answer& answer, Family& family) {
  const auto outcome = outcome_of(answer, "a refresh");
  if (outcome == Outcome::granted) {
    const auto successor = json_text(answer.body, "refresh_token");
    const auto access = json_text(answer.body, "access_token");
    ledger_.successor_told(purpose.of, successor, what_is_signed(access));
    ledger_.issued(access, purpose.family);
    ledger_.issued(successor, purpose.family);
    if (!family.first_told) family.first_told = now();
    family.successor = successor;
  } else if (outcome == Outcome::refused) {
    if (now() - family.first_shown < grace - 1s) ledger_.violate("a refresh token was refused within its grace");
    ledger_.family_ended(purpose.family, "its refresh token was shown too late");
  }
}

void Run::reuse_late_ones() {
  std::vector<Family> still;
  for (Family& family : waiting_) {
    if (ledger_.is_over(family.name) || !family.first_told) continue;
    if (now() - *family.first_told < grace + slack) {
      still.push_back(family);
      continue;
    }
    ledger_.begin_burst("a used refresh token after its grace");
    ++figures_.late_refreshes;
    const auto answer = trial_->refresh(phone_, family.token).answer;
    if (outcome_of(answer, "a late refresh") != Outcome::refused)
      ledger_.violate("a used refresh token was taken after its grace");
    ledger_.family_ended(family.name, "its refresh token was shown after its grace");
    const auto of_successor = trial_->refresh(phone_, family.successor).answer;
    if (outcome_of(of_successor, "a refresh of a dead family") != Outcome::refused)
      ledger_.violate("a family that was ended gave another token");
  }
  waiting_ = std::move(still);
}

void Run::look_at_all_tokens() {
  const auto tokens = ledger_.tokens();
  for (std::size_t first = 0; first < tokens.size(); first += batch_max) {
    const auto last = std::min(tokens.size(), first + batch_max);
    wire::Json::Array some(tokens.begin() + static_cast<std::ptrdiff_t>(first),
                           tokens.begin() + static_cast<std::ptrdiff_t>(last));
    const Request request{"POST",
                          target_.endpoint("introspection_endpoint") + "/batch",
                          {{"Content-Type", "application/json"},
                           {"Authorization", attack::basic_header(machine_.id, machine_.secret.expose())}},
                          wire::write_json(wire::Json{wire::Json::Object{{"tokens", std::move(some)}}})};
    const auto answer = transport_->send(request);
    const auto json = wire::parse_json(answer.body, {.bytes_max = 1024 * 1024});
    const auto* results = json ? json->find("results") : nullptr;
    if (answer.status != 200 || results == nullptr || results->array()->size() != last - first)
      throw chaos::Failed{fmt::format("introspection was answered with {}: {}", answer.status, answer.body)};
    for (std::size_t i = first; i < last; ++i) {
      const auto* active = results->array()->at(i - first).find("active");
      ledger_.seen(tokens[i], active != nullptr && active->boolean() != nullptr && *active->boolean());
      ++figures_.introspections;
    }
  }
}

}  // namespace troupe::oauth_chaos
