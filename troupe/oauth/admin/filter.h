// What the lists of grants and tokens have in common: the parameters that choose among them, and
// where the next page begins.
#pragma once

#include <optional>
#include <string>

#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/admin/request.h"
#include "troupe/oauth/admin/service.h"
#include "troupe/wire/form.h"

namespace troupe::oauth::admin {

template <class Id>
std::optional<Id> id_in(const wire::Form& query, std::string_view name) {
  const auto text = query.get(name);
  return text ? std::optional{Id{std::string{*text}}} : std::nullopt;
}

inline GrantFilter filter_in(const wire::Form& query) {
  return {.client = id_in<ClientId>(query, "client"),
          .user = id_in<UserId>(query, "user"),
          .family = id_in<FamilyId>(query, "grant")};
}

/// Where a request says `dry_run=true`: the page that is wanted of what the deed would end. Nothing: do it.
using DryRun = std::optional<TimedPageWanted>;
Read<DryRun> read_dry_run(const wire::Form& query);
/// The same of a request whose query may say nothing else.
Read<DryRun> read_dry_run(const web::Request& http);

/// Grants as GET /grants lists them.
Task<web::Response> answer_grants(ServicePtr service, GrantFilter filter, TimedPageWanted wanted);

}  // namespace troupe::oauth::admin
