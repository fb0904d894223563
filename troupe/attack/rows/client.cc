// Rows about client authentication and the token endpoint's form: T33, T35 to T38.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/base64.h"

namespace troupe::attack {
namespace {

/// A form that an authenticated client is refused for its grant, so that one sees whether it was let in.
wire::Form probe(Trial& trial) { return {{"grant_type", "refresh_token"}, {"refresh_token", trial.random_text(40)}}; }

Exchange send_with(Trial& trial, const std::string& header, const wire::Form& form) {
  return trial.post(trial.endpoint("token_endpoint"), form, {{"Authorization", header}});
}

void expect_let_in(Trial& trial, const Exchange& seen, std::string_view what) {
  trial.expect_refused(seen, {"invalid_grant", "unauthorized_client"}, what);
}

void wrong_secret(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto form = probe(trial);
  const auto wrong = send_with(trial, basic_header(client.id, "wrong-secret-wrong-secret"), form);
  const auto nobody = send_with(trial, basic_header("nobody-at-all", "wrong-secret-wrong-secret"), form);
  for (const Exchange& seen : {wrong, nobody}) {
    trial.expect(seen.answer.status == 401 && json_text(seen.answer.body, "error") == "invalid_client",
                 "a wrong secret and an unknown client must be 401 invalid_client", seen);
    trial.expect(wire::to_lower(seen.answer.field("www-authenticate")).starts_with("basic"),
                 "with the challenge of the scheme that was used", seen);
  }
  trial.expect(wrong.answer.body == nobody.answer.body, "both must be told alike", nobody);
  for (const KnownClient* known : {&client, &trial.given().public_client}) {
    if (!known->is_given()) continue;
    const auto seen = trial.post(trial.endpoint("token_endpoint"),
                                 with(with(form, "client_id", known->id), "client_secret", "wrong-secret"));
    trial.expect(seen.answer.status == 401 || seen.answer.status == 400, "a wrong secret in the body", seen);
    trial.expect(json_text(seen.answer.body, "error") == "invalid_client", "must be invalid_client", seen);
  }
}

std::string escape_all(std::string_view text) {
  std::string escaped;
  for (char c : text) wire::append_percent(escaped, c);
  return escaped;
}

void encoded_credentials(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const std::string secret = client.secret.expose();
  const auto form = probe(trial);
  if (client.sends == KnownClient::Sends::basic) {
    expect_let_in(trial,
                  send_with(trial, "Basic " + wire::to_base64(escape_all(client.id) + ":" + escape_all(secret)), form),
                  "id and secret with every character escaped");
    expect_let_in(
        trial,
        send_with(trial, "basic " + wire::to_base64(wire::form_encode(client.id) + ":" + wire::form_encode(secret)),
                  form),
        "the scheme in lower case");
  }
  const std::string wrong[] = {
      "Basic",
      "Basic !!!",
      "Basic " + wire::to_base64("no-colon"),
      "Basic " + wire::to_base64(client.id + ":"),
      "Basic " + wire::to_base64(":" + secret),
      "Basic " + wire::to_base64("%zz:" + secret),
      "Basic " + wire::to_base64(client.id + ":%c3%28"),
      "Basic " + wire::to_base64(client.id + ":" + secret + ":x"),
      "Basic " + wire::to_base64(client.id + ":" + secret + " "),
      "Basic " + wire::to_base64(client.id + std::string(1, '\0') + ":" + secret),
      "Basic " + wire::to_base64(std::string(20'000, 'x') + ":y"),
      "Bearer " + secret,
      "Digest username=x",
  };
  for (const std::string& header : wrong) {
    const auto seen = send_with(trial, header, form);
    const auto error = json_text(seen.answer.body, "error");
    const bool is_refused = (seen.answer.status == 400 || seen.answer.status == 401) &&
                            (error == "invalid_client" || error == "invalid_request");
    trial.expect(is_refused || seen.answer.status == 431,
                 "malformed credentials must be invalid_client or invalid_request", seen);
  }
}

void two_ways(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto form = probe(trial);
  const std::string header = basic_header(client.id, client.secret.expose());
  const auto both = with(with(form, "client_id", client.id), "client_secret", client.secret.expose());
  trial.expect_refused(send_with(trial, header, both), {"invalid_request"}, "header and body at once");
  trial.expect_refused(send_with(trial, header, with(form, "client_id", "somebody-else")),
                       {"invalid_request", "invalid_client"}, "another client_id in the body");
  const auto twice =
      trial.post(trial.endpoint("token_endpoint"), form, {{"Authorization", header}, {"Authorization", header}});
  trial.expect(twice.answer.status == 400 || twice.answer.status == 401, "the Authorization header twice", twice);
}

void secret_in_url(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto form = probe(trial);
  const wire::Form credentials{{"client_id", client.id}, {"client_secret", client.secret.expose()}};
  const std::string url = wire::add_query(trial.endpoint("token_endpoint"), credentials);
  trial.expect_refused(trial.post(url, form), {"invalid_client", "invalid_request"}, "credentials in the URL");
  wire::Form all = credentials;
  for (const auto& [name, value] : form) all.add(name, value);
  const auto seen = trial.get(wire::add_query(trial.endpoint("token_endpoint"), all));
  trial.expect_status(seen, {405, 404, 400}, "the token endpoint by GET");
  trial.expect(seen.answer.status != 405 || seen.answer.field("allow").contains("POST"), "405 must name POST", seen);
}

void another_method(Trial& trial) {
  const KnownClient& client = trial.given().client;
  const auto form = probe(trial);
  const auto seen = trial.post(trial.endpoint("token_endpoint"), with(form, "client_id", client.id));
  trial.expect(seen.answer.status == 401 && json_text(seen.answer.body, "error") == "invalid_client",
               "a confidential client without its secret must be 401 invalid_client", seen);
  const auto empty =
      trial.post(trial.endpoint("token_endpoint"), with(with(form, "client_id", client.id), "client_secret", ""));
  trial.expect_refused(empty, {"invalid_client"}, "a confidential client with an empty secret");
  if (!trial.given().public_client.is_given()) return;
  const auto invented = send_with(trial, basic_header(trial.given().public_client.id, "invented"), form);
  trial.expect_refused(invented, {"invalid_client"}, "a public client with an invented secret");
}

constexpr Row rows[] = {
    {"T33", "a wrong secret, an unknown client", Need::client, wrong_secret},
    {"T35", "credentials that are encoded, malformed or empty", Need::client, encoded_credentials},
    {"T36", "two ways of authentication at once", Need::client, two_ways},
    {"T37", "a secret in the URL, the token endpoint by GET", Need::client, secret_in_url},
    {"T38", "a client that comes by a way it is not registered for", Need::client, another_method},
};

}  // namespace

std::span<const Row> client_rows() { return rows; }

}  // namespace troupe::attack
