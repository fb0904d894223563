// Keys: those that sign tokens, by their public parts.
#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/request.h"

namespace troupe::oauth::admin {
namespace {

Task<web::Response> answer_keys(ServicePtr service) {
  auto keys = co_await service->keys.ask(ListKeys{});
  if (!keys) co_return problem_of(errors::temporarily_unavailable);
  co_return answer_page("keys", *keys, "", write_key);
}

}  // namespace

Task<web::Response> list_keys(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {});
  if (!query) co_return std::move(query.error());
  co_return co_await answer_keys(std::move(service));
}

Task<web::Response> rotate_keys(ServicePtr service, Caller caller, web::Request http) {
  auto query = read_query(http, {"revoke"});
  if (!query) co_return std::move(query.error());
  if (const auto id = query->get("revoke")) {
    auto revoked = co_await service->keys.ask(RevokeKey{std::string{*id}, caller.cause});
    if (!revoked) co_return problem_of_failure(revoked.error());
  } else {
    auto rotated = co_await service->keys.ask(RotateKeys{caller.cause});
    if (!rotated) co_return problem_of(errors::temporarily_unavailable);
  }
  co_return co_await answer_keys(std::move(service));
}

}  // namespace troupe::oauth::admin
