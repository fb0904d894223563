// Rows about excess and bytes that are no form: T39, T67, T71 and T75.
#include <fmt/format.h>

#include <array>
#include <set>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/crypto/jwt.h"
#include "troupe/wire/json.h"

namespace troupe::attack {
namespace {

constexpr int requests_at_once = 500;
constexpr int tokens_drawn = 2000;
constexpr std::size_t random_bits_min = 128;  // RFC 6749, 10.10 asks for 2^-128 and wishes 2^-160

void expect_alive(Trial& trial) {
  const auto seen = trial.get(trial.endpoint("jwks_uri"));
  trial.expect_status(seen, {200}, "the server afterwards");
}

std::string host_of(const std::string& origin) { return origin.substr(origin.find("://") + 3); }

/// What a raw request is answered with: the status of the first answer, or nothing.
int status_in(const std::string& raw) {
  if (!raw.starts_with("HTTP/1.1 ") || raw.size() < 12) return 0;
  return (raw[9] - '0') * 100 + (raw[10] - '0') * 10 + (raw[11] - '0');
}

void raw_bodies(Trial& trial) {
  const std::string url = trial.endpoint("token_endpoint"), origin = origin_of(url);
  const std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                  url.substr(origin.size()), host_of(origin));
  for (const auto& [what, rest] :
       {std::pair<std::string_view, std::string_view>{"a truncated body", "Content-Length: 500\r\n\r\ngrant_type=x"},
        {"a chunk whose size is a lie", "Transfer-Encoding: chunked\r\n\r\n5\r\ngrant_type=x\r\n0\r\n\r\n"},
        {"a chunk of a size without end", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n"},
        {"a negative length", "Content-Length: -1\r\n\r\n"},
        {"a length that is no number", "Content-Length: 1x\r\n\r\na"},
        {"two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"}}) {
    const int status = status_in(trial.transport().send_raw(origin, head + std::string{rest}));
    trial.expect(status == 0 || (status >= 400 && status < 500), fmt::format("{} was answered with {}", what, status));
  }
}

void bodies(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const std::string url = trial.endpoint("token_endpoint");
  const auto form = "application/x-www-form-urlencoded";
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += fmt::format("p{}=1&", i);
  const struct {
    std::string_view what;
    std::string type, body;
  } all[] = {
      {"JSON", "application/json", R"({"grant_type":"client_credentials"})"},
      {"multipart", "multipart/form-data; boundary=x",
       "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nx\r\n--x--\r\n"},
      {"text", "text/plain", "grant_type=client_credentials"},
      {"no type", "", "grant_type=client_credentials"},
      {"a megabyte", form, "grant_type=authorization_code&code=" + std::string(1024 * 1024, 'a')},
      {"10 000 parameters", form, many + "grant_type=authorization_code"},
      {"a NUL", form, "grant_type=authorization_code&code=a%00b"},
      {"broken UTF-8", form, "grant_type=authorization_code&code=%c3%28"},
      {"a broken escape", form, "grant_type=authorization_code&code=%zz"},
      {"an escape cut off", form, "grant_type=authorization_code&code=a%4"},
      {"nothing", form, ""},
  };
  for (const auto& [what, type, body] : all) {
    Request request = trial.request_as(client, url, {});
    request.body = body;
    std::erase_if(request.fields, [](const Field& field) { return field.name == "Content-Type"; });
    if (!type.empty()) request.fields.push_back({"Content-Type", type});
    const auto seen = trial.send(request);
    trial.expect_status(seen, {400, 401, 413, 415}, fmt::format("a body of {}", what));
  }
  raw_bodies(trial);
  expect_alive(trial);
}

void flood(Trial& trial) {
  const KnownClient& client = trial.given().client;
  std::vector<Request> requests;
  for (int i = 0; i < requests_at_once; ++i)
    requests.push_back({.url = trial.authorize_url(trial.request_for(client).form)});
  for (int i = 0; i < requests_at_once; ++i)
    requests.push_back(trial.request_as(client, trial.endpoint("token_endpoint"),
                                        {{"grant_type", "authorization_code"},
                                         {"code", trial.random_text(60)},
                                         {"redirect_uri", client.redirect_uri},
                                         {"code_verifier", trial.random_text(43)}}));
  for (const Exchange& seen : trial.send_at_once(std::move(requests))) {
    const int status = seen.answer.status;
    trial.expect(status >= 200 && (status < 500 || status == 503), "a flood must be served, slowed or refused", seen);
    if (status == 429 || status == 503)
      trial.expect(!seen.answer.field("retry-after").empty(), "who is told to wait must be told how long", seen);
  }
  expect_alive(trial);
}

constexpr std::array sql = {
    "' OR '1'='1", "'; DROP TABLE clients; --", "\" OR \"\"=\"", "x' UNION SELECT 1,2,3 --", "\\'; --", "%27"};

void sql_everywhere(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto asked = trial.request_for(client);
  for (const char* text : sql) {
    trial.expect_page(trial.authorize(with(asked.form, "client_id", text)), "SQL as client_id");
    trial.expect_page(trial.authorize(with(asked.form, "redirect_uri", text)), "SQL as redirect_uri");
    for (const char* name : {"scope", "prompt", "code_challenge", "resource"}) {
      const auto sent = with(asked.form, name, text);
      trial.expect_sent_back(trial.authorize(sent), sent, {"invalid_request", "invalid_scope", "invalid_target"},
                             fmt::format("SQL as {}", name));
    }
    const auto token = trial.endpoint("token_endpoint");
    trial.expect_refused(
        trial.post(token, {{"grant_type", "authorization_code"}}, {{"Authorization", basic_header(text, "x")}}),
        {"invalid_client", "invalid_request"}, "SQL as a client's id");
    trial.expect_refused(
        trial.post(token, {{"grant_type", "authorization_code"}}, {{"Authorization", basic_header(client.id, text)}}),
        {"invalid_client", "invalid_request"}, "SQL as a secret");
    trial.expect_refused(trial.token(client, {{"grant_type", "refresh_token"}, {"refresh_token", text}}),
                         {"invalid_grant"}, "SQL as a refresh token");
    if (!trial.endpoint("introspection_endpoint").empty())
      trial.expect(!trial.is_active(text), "SQL must not be an active token");
    Browser browser = trial.browser(client);
    const Landing page = browser.open(trial.authorize_url(asked.form));
    if (!page.login_form()) continue;
    const Landing end = browser.log_in(page, {text, Password{text}});
    trial.expect(end.last().answer.status < 500 && end.login_form().has_value(), "SQL as a user name must not sign in",
                 end.last());
  }
  expect_alive(trial);
}

/// What is random in a token, and how many bits of it two tokens may not share: all of an opaque one. Of a JWT its jti,
/// which opens nothing alone, and begins alike where many are named in one millisecond.
struct RandomPart {
  std::string text;
  std::size_t own_bits_min;
};

RandomPart random_part(const std::string& token) {
  const auto jwt = crypto::read_unverified_jwt(token);
  return jwt ? RandomPart{json_text(jwt->claims, "jti"), 40} : RandomPart{token, 60};
}

void entropy(Trial& trial) {
  std::vector<Request> requests(tokens_drawn / 4,
                                trial.request_as(trial.given().machine, trial.endpoint("token_endpoint"),
                                                 {{"grant_type", "client_credentials"}}));
  std::set<std::string> seen_parts;
  std::size_t drawn = 0, shortest = SIZE_MAX, own_bits_min = 0;
  for (int round = 0; round < 4; ++round) {
    for (const Exchange& one : trial.send_at_once(requests)) {
      if (one.answer.status == 429 || one.answer.status == 503) continue;
      const RandomPart part = random_part(trial.tokens_in(one).access);
      ++drawn;
      shortest = std::min(shortest, part.text.size());
      own_bits_min = std::max(own_bits_min, part.own_bits_min);
      seen_parts.insert(part.text);
    }
  }
  trial.expect(drawn > 0, "no token could be drawn");
  trial.expect(seen_parts.size() == drawn, fmt::format("of {} tokens only {} differ", drawn, seen_parts.size()));
  trial.expect(shortest * 6 >= random_bits_min,
               fmt::format("what is random in a token has {} characters only", shortest));
  // Consecutive tokens must not differ in a few characters at their end alone.
  std::size_t most_alike = 0;
  for (auto one = seen_parts.begin(), next = one; one != seen_parts.end() && ++next != seen_parts.end(); ++one) {
    std::size_t same = 0;
    while (same < one->size() && same < next->size() && (*one)[same] == (*next)[same]) ++same;
    most_alike = std::max(most_alike, same);
  }
  trial.expect((shortest - std::min(shortest, most_alike)) * 6 >= own_bits_min,
               fmt::format("two tokens agree in {} characters of {}", most_alike, shortest));
}

constexpr Row rows[] = {
    {"T39", "bodies that are no form, too large, cut or broken", Need::client, bodies},
    {"T67", "floods of requests and made-up codes", Need::client | Need::authorize, flood},
    {"T71", "SQL in every field", Need::client | Need::authorize, sql_everywhere},
    {"T75", "tokens that repeat or can be guessed", Need::machine, entropy},
};

}  // namespace

std::span<const Row> limit_rows() { return rows; }

}  // namespace troupe::attack
