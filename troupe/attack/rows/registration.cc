// Rows about dynamic registration (RFC 7591): T5, T51 and T62. They run where the server offers it.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/json.h"

namespace troupe::attack {
namespace {

constexpr int registrations_at_once = 200;

using Members = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A client's metadata; `more` are members whose values are JSON already.
std::string metadata(std::string_view redirect_uri, Members more = {}) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().member("client_name", "Attack test");
  writer.key("redirect_uris").begin_array().value(redirect_uri).end_array();
  for (const auto& [name, value] : more) writer.key(name).raw(value);
  writer.end_object();
  return json;
}

Request registration(Trial& trial, std::string body, bool with_token = true) {
  Request request{
      "POST", trial.endpoint("registration_endpoint"), {{"Content-Type", "application/json"}}, std::move(body)};
  const std::string& token = trial.given().registration_token.expose();
  if (with_token && !token.empty()) request.fields.push_back({"Authorization", "Bearer " + token});
  return request;
}

/// Takes a client back that should not be there, so that the run leaves little behind.
void remove_client(Trial& trial, const Exchange& seen) {
  const std::string url = json_text(seen.answer.body, "registration_client_uri");
  const std::string token = json_text(seen.answer.body, "registration_access_token");
  if (seen.answer.status == 201 && !url.empty() && !token.empty())
    trial.send({"DELETE", url, {{"Authorization", "Bearer " + token}}, ""});
}

/// A registration that succeeds, or the reason why nothing can be said about others.
Exchange control(Trial& trial) {
  const Exchange seen = trial.send(registration(trial, metadata("https://client.example/callback")));
  if (seen.answer.status != 201 && trial.given().registration_token.expose().empty())
    throw NotApplicable{"registration wants a token and none was given (registration_token)"};
  trial.expect_status(seen, {201}, "a sound registration");
  return seen;
}

void bad_redirect_uris(Trial& trial) {
  remove_client(trial, control(trial));
  for (const char* uri : {"javascript:alert(1)", "data:text/html,x", "https://client.example/#fragment", "/relative",
                          "vbscript:x", "file:///etc/passwd", "https://", "http://client.example/", ""}) {
    const Exchange seen = trial.send(registration(trial, metadata(uri)));
    const auto error = json_text(seen.answer.body, "error");
    trial.expect(seen.answer.status == 400 && (error == "invalid_redirect_uri" || error == "invalid_client_metadata"),
                 fmt::format("the redirect URI \"{}\" must be invalid_redirect_uri", uri), seen);
    remove_client(trial, seen);
  }
}

/// What the server would fetch must be https: no files, no other protocols, nothing in the clear. That an https address
/// does not turn out to be one of the inside can be seen by the server alone, when it connects.
void inner_addresses(Trial& trial) {
  remove_client(trial, control(trial));
  for (const char* name : {"jwks_uri", "sector_identifier_uri", "backchannel_logout_uri"}) {
    for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/x", "ftp://127.0.0.1/x", "http://10.0.0.1/x",
                            "http://169.254.169.254/latest", "/etc/passwd", "jar:https://a.example!/x"}) {
      const auto member = wire::write_json(wire::Json{url});
      const Exchange seen =
          trial.send(registration(trial, metadata("https://client.example/callback", {{name, member}})));
      const bool is_ignored = seen.answer.status == 201 && json_text(seen.answer.body, name).empty();
      trial.expect(seen.answer.status == 400 || is_ignored, fmt::format("{} {} must be refused", name, url), seen);
      remove_client(trial, seen);
    }
  }
}

void flood_and_privilege(Trial& trial) {
  const std::string sound = metadata("https://client.example/callback");
  if (!trial.given().registration_token.expose().empty()) {
    trial.expect_status(trial.send(registration(trial, sound, false)), {401, 403}, "a registration without the token");
    Request wrong = registration(trial, sound, false);
    wrong.fields.push_back({"Authorization", "Bearer " + trial.random_text(43)});
    trial.expect_status(trial.send(wrong), {401, 403}, "a registration with a wrong token");
  }
  const std::vector<Request> many(registrations_at_once, registration(trial, sound, false));
  int registered = 0;
  for (const Exchange& seen : trial.send_at_once(many)) {
    trial.expect_status(seen, {201, 401, 403, 429, 503}, "a flood of registrations");
    registered += seen.answer.status == 201 ? 1 : 0;
    remove_client(trial, seen);
  }
  trial.expect(registered < registrations_at_once, "whoever comes may register as many clients as they like");
  const Exchange forged = trial.send(registration(
      trial, metadata("https://client.example/callback", {{"software_statement", R"("eyJhbGciOiJub25lIn0.e30.")"}})));
  const auto error = json_text(forged.answer.body, "error");
  trial.expect(forged.answer.status != 201 || !forged.answer.body.contains("software_statement"),
               "a forged software_statement must not be taken", forged);
  const bool is_barred = forged.answer.status == 401 || forged.answer.status == 403;  // whatever it says of itself
  trial.expect(forged.answer.status == 201 || is_barred || error == "invalid_software_statement" ||
                   error == "unapproved_software_statement" || error == "invalid_client_metadata",
               "and be told as such", forged);
  remove_client(trial, forged);

  const Exchange one = control(trial);
  const std::string url = json_text(one.answer.body, "registration_client_uri");
  if (url.empty()) return;
  trial.expect_status(trial.get(url), {401, 403}, "another's registration without its token");
  trial.expect_status(trial.get(url, {{"Authorization", "Bearer " + trial.random_text(43)}}), {401, 403},
                      "and with a wrong one");
  const Exchange two = control(trial);
  const std::string others = json_text(two.answer.body, "registration_access_token");
  trial.expect_status(trial.get(url, {{"Authorization", "Bearer " + others}}), {401, 403}, "and with another client's");
  remove_client(trial, one);
  remove_client(trial, two);
}

constexpr Row rows[] = {
    {"T5", "redirect URIs at registration that run or hide something", Need::registration, bad_redirect_uris},
    {"T51", "addresses of the inside, to be fetched by the server", Need::registration, inner_addresses},
    {"T62", "floods, forged statements and others' registrations", Need::registration, flood_and_privilege},
};

}  // namespace

std::span<const Row> registration_rows() { return rows; }

}  // namespace troupe::attack
