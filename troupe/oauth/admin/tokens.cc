// Tokens: those that are live, by their ids. Their texts are nobody's to show: only hashes of them are kept.
#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"

namespace troupe::oauth::admin {
namespace {

constexpr int id_place = 3;

Read<TokenUse> read_use(const wire::Form& query) {
  const std::string_view use = query.get("use").value_or("access");
  if (use == "access") return TokenUse::access;
  if (use == "refresh") return TokenUse::refresh;
  return std::unexpected(problem_of(errors::invalid_request, "The parameter `use` is access or refresh."));
}

/// What would go with the token: itself, and of a refresh token its grant.
Task<web::Response> answer_token(ServicePtr service, crypto::TokenId id) {
  auto at_hand = co_await service->tokens.ask(GetToken{id});
  if (!at_hand) co_return problem_of(errors::temporarily_unavailable);
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().key("tokens").begin_array();
  if (*at_hand) write_token(writer, (*at_hand)->token);
  writer.end_array().key("grants").begin_array();
  if (*at_hand && (*at_hand)->grant) write_grant(writer, *(*at_hand)->grant);
  writer.end_array().end_object();
  co_return answer(200, std::move(json));
}

}  // namespace

Task<web::Response> list_tokens(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"use", "grant", "user", "client", "limit", "after"});
  if (!query) co_return std::move(query.error());
  auto use = read_use(*query);
  if (!use) co_return std::move(use.error());
  auto wanted = read_timed_page(*query, "tokens");
  if (!wanted) co_return std::move(wanted.error());
  auto page = co_await service->tokens.ask(
      ListTokens{.use = *use, .filter = filter_in(*query), .after = wanted->after, .count = wanted->limit});
  if (!page) co_return problem_of(errors::temporarily_unavailable);
  co_return answer_page(
      "tokens", page->rows, key_text(page->next), [](const TokenClaims& token) { return token.id.text(); },
      write_token);
}

Task<web::Response> revoke_token(ServicePtr service, Caller caller, web::Request http) {
  auto query = read_query(http, {"dry_run"});
  if (!query) co_return std::move(query.error());
  auto dry_run = read_dry_run(*query);
  if (!dry_run) co_return std::move(dry_run.error());
  const auto id = crypto::TokenId::parse(segment(http, id_place));
  if (!id) co_return problem_of(errors::not_found);
  if (*dry_run) co_return co_await answer_token(std::move(service), *id);
  auto revoked = co_await service->tokens.ask(RevokeTokenById{*id, caller.cause});
  if (!revoked) co_return problem_of(errors::temporarily_unavailable);
  co_return no_content();
}

}  // namespace troupe::oauth::admin
