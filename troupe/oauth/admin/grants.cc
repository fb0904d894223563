// Grants: what people have allowed clients, and what can be taken back of it. A grant is named by
// the id that all of its tokens share.
#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/request.h"

namespace troupe::oauth::admin {
namespace {

constexpr int id_place = 3;

}  // namespace

Task<web::Response> list_grants(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"user", "client", "limit", "after"});
  if (!query) co_return std::move(query.error());
  auto wanted = read_timed_page(*query);
  if (!wanted) co_return std::move(wanted.error());
  auto page = co_await service->tokens.ask(
      ListGrants{.filter = filter_in(*query), .after = wanted->after, .count = wanted->limit});
  if (!page) co_return problem_of(errors::temporarily_unavailable);
  co_return answer_page("grants", page->rows, next_of(page->next), write_grant);
}

Task<web::Response> revoke_grant(ServicePtr service, Caller caller, web::Request http) {
  const std::string grant = segment(http, id_place);
  if (!crypto::TokenId::parse(grant)) co_return problem_of(errors::not_found);
  auto revoked = co_await service->tokens.ask(RevokeFamily{FamilyId{grant}, "administration", caller.cause});
  if (!revoked) co_return problem_of(errors::temporarily_unavailable);
  co_return no_content();
}

Task<web::Response> revoke_consent(ServicePtr service, Caller caller, web::Request http) {
  auto query = read_query(http, {"user", "client"});
  if (!query) co_return std::move(query.error());
  auto filter = filter_in(*query);
  if (!filter.user || !filter.client) {
    co_return problem_of(errors::invalid_request, "The parameters `user` and `client` say who has allowed whom.");
  }
  auto revoked =
      co_await service->users.ask(RevokeConsent{*std::move(filter.user), *std::move(filter.client), caller.cause});
  if (!revoked) co_return problem_of(errors::temporarily_unavailable);
  co_return no_content();
}

}  // namespace troupe::oauth::admin
