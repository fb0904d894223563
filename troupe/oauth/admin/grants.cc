// Grants: what people have allowed clients, and what can be taken back of it. A grant is named by
// the id that all of its tokens share.
#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"

namespace troupe::oauth::admin {
namespace {

constexpr int id_place = 3;

}  // namespace

Read<DryRun> read_dry_run(const wire::Form& query) {
  const auto wish = query.get("dry_run");
  if (wish && *wish != "true" && *wish != "false") {
    return std::unexpected(problem_of(errors::invalid_request, "The parameter `dry_run` is true or false."));
  }
  if (wish == "true") return read_timed_page(query, "grants");
  if (query.get("limit") || query.get("after")) {
    return std::unexpected(problem_of(errors::invalid_request, "Pages are those of a dry run."));
  }
  return DryRun{};
}

Read<DryRun> read_dry_run(const web::Request& http) {
  auto query = read_query(http, {"dry_run", "limit", "after"});
  if (!query) return std::unexpected(std::move(query.error()));
  return read_dry_run(*query);
}

Task<web::Response> answer_grants(ServicePtr service, GrantFilter filter, TimedPageWanted wanted) {
  auto page = co_await service->tokens.ask(
      ListGrants{.filter = std::move(filter), .after = wanted.after, .count = wanted.limit});
  if (!page) co_return problem_of(errors::temporarily_unavailable);
  co_return answer_page(
      "grants", page->rows, key_text(page->next), [](const LiveGrant& row) { return row.grant.family.value(); },
      write_grant);
}

Task<web::Response> list_grants(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"user", "client", "limit", "after"});
  if (!query) co_return std::move(query.error());
  auto wanted = read_timed_page(*query, "grants");
  if (!wanted) co_return std::move(wanted.error());
  co_return co_await answer_grants(std::move(service), filter_in(*query), *wanted);
}

Task<web::Response> revoke_grant(ServicePtr service, Caller caller, web::Request http) {
  auto dry_run = read_dry_run(http);
  if (!dry_run) co_return std::move(dry_run.error());
  const std::string grant = segment(http, id_place);
  if (!crypto::TokenId::parse(grant)) co_return problem_of(errors::not_found);
  if (*dry_run) co_return co_await answer_grants(std::move(service), {.family = FamilyId{grant}}, **dry_run);
  auto revoked = co_await service->tokens.ask(RevokeFamily{FamilyId{grant}, "administration", caller.cause});
  if (!revoked) co_return problem_of(errors::temporarily_unavailable);
  co_return no_content();
}

Task<web::Response> revoke_consent(ServicePtr service, Caller caller, web::Request http) {
  auto query = read_query(http, {"user", "client", "dry_run", "limit", "after"});
  if (!query) co_return std::move(query.error());
  auto dry_run = read_dry_run(*query);
  if (!dry_run) co_return std::move(dry_run.error());
  auto filter = filter_in(*query);
  if (!filter.user || !filter.client) {
    co_return problem_of(errors::invalid_request, "The parameters `user` and `client` say who has allowed whom.");
  }
  if (*dry_run) co_return co_await answer_grants(std::move(service), std::move(filter), **dry_run);
  auto revoked =
      co_await service->users.ask(RevokeConsent{*std::move(filter.user), *std::move(filter.client), caller.cause});
  if (!revoked) co_return problem_of(errors::temporarily_unavailable);
  co_return no_content();
}

}  // namespace troupe::oauth::admin
