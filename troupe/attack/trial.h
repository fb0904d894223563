// Trial: one row's work on a target. Sends, remembers what was wrong, and knows the usual steps of the protocol.
//
// Two kinds of trouble: what a row checks is a finding, and the row goes on; a step that the row only builds on (to
// sign in, to get a code) throws TargetFailed when it does not succeed. An answer of 500, 502 or 504 is a finding
// wherever it comes, and so is a server that does not answer.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/attack/address.h"
#include "troupe/attack/browser.h"
#include "troupe/attack/target.h"
#include "troupe/base/random.h"

namespace troupe::attack {

/// A step that the row builds on did not succeed.
struct TargetFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// It turned out underway that the row says nothing about this target.
struct NotApplicable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An authorization request and its PKCE verifier.
struct Asked {
  wire::Form form;
  std::string verifier;
};

struct Code {
  std::string value, verifier, redirect_uri;
};

struct Tokens {
  std::string access, refresh, id;  // "" where there is none
};

using Errors = std::initializer_list<std::string_view>;

class Trial {
 public:
  Trial(const Target& target, Transport& transport);

  // What is attacked.
  const Target& target() const noexcept { return target_; }
  const TargetOptions& given() const noexcept { return target_.options; }
  std::string endpoint(std::string_view name) const { return target_.endpoint(name); }
  Transport& transport() noexcept { return transport_; }

  // Sending.
  Exchange send(Request request);
  std::vector<Exchange> send_at_once(std::vector<Request> requests);
  Exchange get(const std::string& url, std::vector<Field> fields = {}) {
    return send({"GET", url, std::move(fields), ""});
  }
  /// POSTs a form.
  Exchange post(const std::string& url, const wire::Form& form, std::vector<Field> fields = {});
  /// A form for an endpoint where clients authenticate, with the client's credentials.
  Request request_as(const KnownClient& client, const std::string& url, wire::Form form) const;
  Exchange post_as(const KnownClient& client, const std::string& url, const wire::Form& form) {
    return send(request_as(client, url, form));
  }
  Exchange token(const KnownClient& client, const wire::Form& form) {
    return post_as(client, endpoint("token_endpoint"), form);
  }

  // The steps of the protocol.
  /// A request that should be granted, for the client's scope.
  Asked request_for(const KnownClient& client);
  Exchange authorize(const wire::Form& form);
  std::string authorize_url(const wire::Form& form) const;
  /// A fresh browser for this client.
  Browser browser(const KnownClient& client) { return {transport_, client.redirect_uri}; }
  /// Signs the user in with the browser and gives the code. Throws TargetFailed.
  Code code_for(const KnownClient& client, Browser& browser, const Asked& asked);
  Code code_for(const KnownClient& client);
  wire::Form redemption(const Code& code) const;
  Exchange redeem(const KnownClient& client, const Code& code) { return token(client, redemption(code)); }
  /// The tokens of an answer. Throws TargetFailed when it is none.
  Tokens tokens_in(const Exchange& exchange) const;
  Tokens tokens_for(const KnownClient& client) { return tokens_in(redeem(client, code_for(client))); }
  Exchange refresh(const KnownClient& client, const std::string& refresh_token, const wire::Form& more = {});
  Exchange introspect(const std::string& token);
  Exchange userinfo(const std::string& token);
  /// Whether it is active, by introspection or, without that, by userinfo. Throws TargetFailed where neither tells.
  bool is_active(const std::string& token);

  // Judging. Each counts as a check and gives whether it held.
  bool expect(bool holds, std::string_view what, const Exchange& seen);
  bool expect(bool holds, std::string_view what);
  /// 4xx, and no redirect.
  bool expect_page(const Exchange& seen, std::string_view what);
  /// A redirect to the client's redirect URI with one of these errors, and the state that was sent.
  bool expect_sent_back(const Exchange& seen, const wire::Form& sent, Errors errors, std::string_view what);
  /// JSON with one of these errors and a status of 400 or 401.
  bool expect_refused(const Exchange& seen, Errors errors, std::string_view what);
  bool expect_status(const Exchange& seen, std::initializer_list<int> statuses, std::string_view what);

  /// "<number of bytes> random characters", fit for a code or token that nobody has.
  std::string random_text(std::size_t bytes);

  const std::vector<std::string>& findings() const noexcept { return findings_; }
  std::uint64_t checks() const noexcept { return checks_; }
  /// How many answers were 429, by which the target limits who asks often.
  std::uint64_t limited() const noexcept { return limited_; }

 private:
  void notice(const Exchange& seen);
  void find(std::string finding);
  std::string shown(const Exchange& seen) const;

  const Target& target_;
  Transport& transport_;
  std::unique_ptr<base::Random> random_;
  std::vector<std::string> secrets_;
  std::vector<std::string> findings_;
  std::uint64_t checks_ = 0;
  std::uint64_t limited_ = 0;
};

/// The member of a JSON object if it is a string; "" otherwise.
std::string json_text(const std::string& json, std::string_view member);

/// `Basic ...` with id and secret form-encoded first (RFC 6749, 2.3.1).
std::string basic_header(std::string_view id, std::string_view secret);

/// Whether the URL begins the redirect URI and goes on with parameters.
bool leads_to(std::string_view location, std::string_view redirect_uri);

}  // namespace troupe::attack
