// Token introspection: what a token stands for, for those who may know.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/bearer.h"
#include "troupe/oauth/endpoint/client_auth.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

/// An audience of one is a string, as most readers expect; of more an array (RFC 7519, section 4.1.3).
void write_audience(wire::JsonWriter& writer, const std::vector<std::string>& audience) {
  if (audience.size() == 1) {
    writer.member("aud", audience.front());
    return;
  }
  writer.key("aud").begin_array();
  for (const std::string& one : audience) writer.value(one);
  writer.end_array();
}

void write_active(wire::JsonWriter& writer, const TokenClaims& claims, const std::string& issuer) {
  writer.begin_object().member("active", true).member("client_id", claims.client.value());
  if (!claims.scope.empty()) writer.member("scope", claims.scope.text());
  if (claims.use == TokenUse::access) writer.member("token_type", "Bearer");
  writer.member("exp", claims.expires_at.seconds())
      .member("iat", claims.issued_at.seconds())
      .member("sub", claims.subject)
      .member("iss", issuer)
      .member("jti", claims.id.text());
  write_audience(writer, claims.audience);
  if (claims.user_name) writer.member("username", claims.user_name->value());
  if (claims.auth_time) writer.member("auth_time", claims.auth_time->seconds());
  if (claims.session) writer.member("sid", claims.session->value());
  writer.end_object();
}

/// And nothing else of a token that is not active (RFC 7662, section 2.2).
void write(wire::JsonWriter& writer, const std::optional<TokenClaims>& claims, const std::string& issuer) {
  if (claims) return write_active(writer, *claims, issuer);
  writer.begin_object().member("active", false).end_object();
}

/// Who asks: a client that proves itself, for a public one proves nothing, itself or by an access token; or, null, the
/// holder of an access token with the scope `introspect`, who may know everything. An error is the whole answer.
using Caller = std::expected<ClientPtr, web::Response>;

/// The server of a resource that shows an access token of its own. It has the scope of that token alone, which may be
/// less than it is registered for; and none in a person's name counts, which is given for that person's things.
Task<Caller> resource_server_of(ServicePtr service, TokenClaims claims) {
  const auto refused = std::unexpected(refuse_bearer(errors::insufficient_scope, "introspect"));
  if (claims.user) co_return refused;
  auto known = co_await service->clients.ask(GetClient{claims.client});
  if (!known) co_return std::unexpected(refuse(told(known.error())));
  if (!*known || (*known)->metadata.resources.empty()) co_return refused;
  const auto taken = service->rates.take(**known, actor::Core::current()->now());
  if (!taken) co_return std::unexpected(refuse(taken.error()));
  Client caller = **known;
  caller.metadata.scope = std::move(claims.scope);
  co_return std::make_shared<const Client>(std::move(caller));
}

Task<Caller> holder_of_token(ServicePtr service, TokenText token) {
  auto claims = co_await service->tokens.ask(ValidateToken{std::move(token)});
  if (!claims) co_return std::unexpected(refuse_bearer(told(claims.error())));
  if (!claims->is_for(service->options.issuer)) co_return std::unexpected(refuse_bearer(errors::invalid_token));
  if (claims->scope.contains("introspect")) co_return nullptr;
  co_return co_await resource_server_of(std::move(service), *std::move(claims));
}

constexpr OauthError two_ways = errors::invalid_request.because("The caller authenticates in two ways at once.");

/// Whether a client proves itself in the body (RFC 6749, section 2.3: never beside another way).
bool shows_client(const wire::Form& form) {
  return form.get("client_secret") || form.get("client_assertion") || form.get("client_assertion_type");
}

/// How the caller shows who it is: an access token in the header, or a client.
struct Shown {
  std::optional<TokenText> bearer;
  Presented client;
  Cause cause;
};

std::expected<Shown, web::Response> shown_in(const web::Request& http, const wire::Form& form) {
  auto bearer = bearer_of(http);
  if (!bearer || !*bearer) return Shown{{}, presented_client(http, form), cause_of(http)};
  if (shows_client(form)) return std::unexpected(refuse(two_ways));
  return Shown{std::move(*bearer), std::unexpected(errors::invalid_client), cause_of(http)};
}

Task<Caller> caller_of(ServicePtr service, std::expected<Shown, web::Response> shown) {
  if (!shown) co_return std::unexpected(std::move(shown.error()));
  if (shown->bearer) co_return co_await holder_of_token(std::move(service), std::move(*shown->bearer));
  auto client = co_await authenticate(service, std::move(shown->client), std::move(shown->cause));
  if (!client) co_return std::unexpected(refuse(client.error()));
  if ((*client)->is_public()) co_return std::unexpected(refuse(errors::invalid_client));
  co_return std::move(*client);
}

constexpr std::size_t batch_max = 256;

/// A batch counts as its tokens would one by one; where they are more than what is left, it takes that and is answered
/// all the same, or a batch that is larger than the burst never would be.
void take_for_rest(Service& service, const Client& caller, std::size_t tokens) {
  const base::Instant now = actor::Core::current()->now();
  for (std::size_t i = 1; i < tokens && service.rates.take(caller, now); ++i) continue;
}

/// The tokens of `{"tokens": [...]}`.
std::expected<std::vector<TokenText>, OauthError> tokens_of(const web::Request& http) {
  const auto malformed = [](std::string_view why) { return std::unexpected(errors::invalid_request.because(why)); };
  if (!is_json(http)) return malformed("The content type must be application/json.");
  const auto body = wire::parse_json(http.body, {.bytes_max = introspect_batch_bytes_max, .depth_max = 4});
  if (!body) return malformed(wire::sentence(body.error()));
  const wire::Json* list = body->find("tokens");
  if (list == nullptr || list->array() == nullptr || body->object()->size() != 1) {
    return malformed("The body must be an object with the member tokens, a list, and nothing else.");
  }
  if (list->array()->empty() || list->array()->size() > batch_max) {
    return malformed("The list must have 1 to 256 tokens.");
  }
  std::vector<TokenText> tokens;
  for (const wire::Json& one : *list->array()) {
    if (one.string() == nullptr || one.string()->empty()) return malformed("Each token must be a string.");
    tokens.emplace_back(*one.string());
  }
  return tokens;
}

}  // namespace

Task<web::Response> introspect(ServicePtr service, web::Request http) {
  auto form = read_form(http);  // 1. the form
  if (!form) co_return refuse(form.error());

  auto caller = co_await caller_of(service, shown_in(http, *form));  // 2. who is asking
  if (!caller) co_return std::move(caller.error());

  std::string shown = parameter(*form, "token");  // 3. about what
  if (shown.empty()) co_return refuse(errors::invalid_request.because("The parameter token is missing."));

  auto claims =
      co_await service->tokens.ask(IntrospectToken{TokenText{std::move(shown)}, std::move(*caller), cause_of(http)});
  if (!claims) co_return refuse(errors::temporarily_unavailable);
  service->figures->introspected(claims->has_value());
  std::string json;  // 4. what it stands for
  json.reserve(512);
  wire::JsonWriter writer{json};
  write(writer, *claims, service->options.issuer);
  co_return answer_json(std::move(json));
}

Task<web::Response> introspect_batch(ServicePtr service, web::Request http) {
  auto caller = co_await caller_of(service, shown_in(http, {}));  // 1. who is asking, by the header
  if (!caller) co_return std::move(caller.error());

  auto tokens = tokens_of(http);  // 2. about what
  if (!tokens) co_return refuse(tokens.error());
  if (*caller) take_for_rest(*service, **caller, tokens->size());

  std::string json;  // 3. what each of them stands for, in their order
  wire::JsonWriter writer{json};
  writer.begin_object().key("results").begin_array();
  for (TokenText& token : *tokens) {
    auto claims = co_await service->tokens.ask(IntrospectToken{std::move(token), *caller, cause_of(http)});
    if (!claims) co_return refuse(errors::temporarily_unavailable);
    service->figures->introspected(claims->has_value());
    write(writer, *claims, service->options.issuer);
  }
  writer.end_array().end_object();
  co_return answer_json(std::move(json));
}

}  // namespace troupe::oauth
