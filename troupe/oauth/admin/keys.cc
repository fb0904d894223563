// Keys: those that sign tokens, by their public parts.
#include <algorithm>

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"

namespace troupe::oauth::admin {
namespace {

/// They are few, so a page has all of them.
web::Response answer_all(const std::vector<ListedKey>& keys) {
  return answer_page("keys", keys, std::nullopt, [](const ListedKey& key) { return key.id; }, write_key);
}

Task<web::Response> answer_keys(ServicePtr service) {
  auto keys = co_await service->keys.ask(ListKeys{});
  if (!keys) co_return problem_of(errors::temporarily_unavailable);
  co_return answer_all(*keys);
}

/// The keys that would sign or be shown no longer.
Task<web::Response> answer_ending_keys(ServicePtr service, std::optional<std::string> revoked) {
  auto keys = co_await service->keys.ask(ListKeys{});
  if (!keys) co_return problem_of(errors::temporarily_unavailable);
  const bool is_known = !revoked || std::ranges::find(*keys, *revoked, &ListedKey::id) != keys->end();
  if (!is_known) co_return problem_of(errors::not_found);
  std::erase_if(*keys, [&](const ListedKey& key) { return key.state != "signing" && key.id != revoked; });
  co_return answer_all(*keys);
}

}  // namespace

Task<web::Response> list_keys(ServicePtr service, Caller, web::Request) {
  co_return co_await answer_keys(std::move(service));
}

Task<web::Response> rotate_keys(ServicePtr service, Caller caller, web::Request http) {
  auto query = read_query(http, {"revoke", "dry_run"});
  if (!query) co_return std::move(query.error());
  auto dry_run = read_dry_run(*query);
  if (!dry_run) co_return std::move(dry_run.error());
  const auto id = id_in<std::string>(*query, "revoke");
  if (*dry_run) co_return co_await answer_ending_keys(std::move(service), id);
  if (id) {
    auto revoked = co_await service->keys.ask(RevokeKey{*id, caller.cause});
    if (!revoked) co_return problem_of_failure(revoked.error());
  } else {
    auto rotated = co_await service->keys.ask(RotateKeys{caller.cause});
    if (!rotated) co_return problem_of(errors::temporarily_unavailable);
  }
  co_return co_await answer_keys(std::move(service));
}

}  // namespace troupe::oauth::admin
