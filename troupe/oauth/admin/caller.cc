// See caller.h.
#include "troupe/oauth/admin/caller.h"

#include <fmt/format.h>

#include "troupe/base/topic_name.h"
#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/endpoint/bearer.h"
#include "troupe/wire/topic_scope.h"

namespace troupe::oauth::admin {
namespace {

constexpr std::string_view everything = "admin";
constexpr std::string_view read_only = ":read";

/// RFC 6750, section 3: who shows no token is told nothing but the scheme.
web::Response challenged(std::optional<OauthError> error) {
  auto response = problem_of(error.value_or(errors::invalid_token.because("An access token is needed.")));
  std::string challenge = "Bearer realm=\"troupe administration\"";
  if (error) challenge += fmt::format(", error=\"{}\", error_description=\"{}\"", error->code, error->description);
  response.headers.set("WWW-Authenticate", std::move(challenge));
  return response;
}

/// The audit trail has that somebody was refused, and why.
void note(const Service& service, std::string_view reason, Cause cause) {
  service.trail.tell(NoteRefusedCall{reason, std::move(cause)});
}

/// Challenges, and notes it.
std::unexpected<web::Response> refuse_stranger(const Service& service, const web::Request& http,
                                               std::string_view reason, std::optional<OauthError> error) {
  note(service, reason, {.request = http.request_id, .by = ""});
  return std::unexpected(challenged(std::move(error)));
}

}  // namespace

bool is_enough(const ScopeSet& held, std::string_view scope) {
  if (held.contains(everything) || held.contains(scope)) return true;
  return scope.ends_with(read_only) && held.contains(scope.substr(0, scope.size() - read_only.size()));
}

bool is_privileged(std::string_view scope) {
  if (scope == everything || scope.starts_with("admin.") || scope.ends_with(":admin")) return true;
  if (scope == "introspect" || scope == "register") return true;
  // Topics of the server itself: the whole audit trail is told on some of them.
  const auto topic = wire::parse_topic_scope(scope);
  return topic && base::is_reserved_topic(topic->pattern);
}

ScopeSet powers_of(const ClientMetadata& metadata) {
  if (metadata.resources.empty()) return metadata.scope;
  return metadata.scope.united_with(ScopeSet::parse("introspect").value());
}

std::optional<std::string> beyond(const Caller& caller, const ScopeSet& scope) {
  for (const std::string& one : scope)
    if (is_privileged(one) && !is_enough(caller.scope, one)) return one;
  return std::nullopt;
}

Task<web::Response> refuse(ServicePtr service, Caller caller, std::string scope) {
  auto noted = co_await service->trail.ask(RecordRefusal{std::move(caller.client), scope, std::move(caller.cause)});
  if (!noted) co_return problem_of(errors::temporarily_unavailable);
  auto response = problem_of(errors::insufficient_scope, fmt::format("The access token lacks the scope {}.", scope));
  response.headers.set(
      "WWW-Authenticate",
      fmt::format("Bearer realm=\"troupe administration\", error=\"insufficient_scope\", scope=\"{}\"", scope));
  co_return response;
}

Task<std::expected<Caller, web::Response>> caller_of(ServicePtr service, web::Request http, std::string_view scope) {
  auto shown = bearer_of(http);
  if (!shown) {
    co_return refuse_stranger(*service, http, "no_token",
                              errors::invalid_token.because("The header has no one token."));
  }
  if (!*shown) co_return refuse_stranger(*service, http, "no_token", std::nullopt);
  auto claims = co_await service->tokens.ask(ValidateToken{std::move(**shown)});
  if (!claims) {
    const OauthError error = claims.error().domain.value_or(errors::temporarily_unavailable);
    if (error.status != 401) co_return std::unexpected(problem_of(error));
    co_return refuse_stranger(*service, http, "invalid_token", error);
  }
  if (!claims->is_for(service->issuer)) {
    co_return refuse_stranger(*service, http, "another_audience",
                              errors::invalid_token.because("The access token is for somebody else."));
  }
  Caller caller{.client = claims->client,
                .scope = claims->scope,
                .cause = {.request = http.request_id, .by = "client " + claims->client.value()}};
  if (claims->user) {
    note(*service, "in_a_persons_name", caller.cause);
    const OauthError error = errors::insufficient_scope.because("A token in a person's name opens nothing here.");
    co_return std::unexpected(challenged(error));
  }
  if (!is_enough(claims->scope, scope)) {
    auto refused = co_await refuse(service, std::move(caller), std::string{scope});
    co_return std::unexpected(std::move(refused));
  }
  co_return caller;
}

}  // namespace troupe::oauth::admin
