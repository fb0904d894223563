// Token drafts: what is granted decides which of the rows are made, and what does not stand keeps none.
#include "troupe/oauth/actor/token_draft.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/fixture.h"

namespace troupe::oauth {
namespace {

using fixture::start;

struct Desk {
  MemoryTables rows;
  Tables tables = rows.all();
  fixture::Ids ids;
  OauthOptions options;
  crypto::TokenId family = ids.next();
  TokenDraft draft{.client = std::make_shared<const Client>(fixture::shop()),
                   .made_at = start,
                   .access_id = ids.next(),
                   .access_secret = {},
                   .hash_of = [](const AccessRecord& row) { return crypto::sha256(row.id.view()); },
                   .refresh = TokenDraft::Refresh{ids.next(), TokenText{"text"}, crypto::sha256("text")}};

  Desk() { fixture::fill(tables); }
  Grant granted(std::string_view scopes) {
    Grant grant = fixture::grant_of(fixture::shop(), family, ids.next());
    grant.scope = fixture::scope(scopes);
    return grant;
  }
};

TEST_CASE("an access token comes with a refresh token where the grant has one") {
  Desk desk;
  struct Case {
    const char* scopes;
    bool has_refresh;
  };
  for (const auto& [scopes, has_refresh] :
       {Case{"read", true}, {"openid read", false}, {"openid offline_access", true}}) {
    CAPTURE(scopes);
    const TokenRows rows = fill(desk.draft, desk.granted(scopes), desk.options);
    CHECK_EQ(rows.access.id, desk.draft.access_id);
    CHECK_EQ(rows.access.hash, crypto::sha256(desk.draft.access_id.view()));
    CHECK_EQ(rows.refresh.has_value(), has_refresh);
    if (rows.refresh) CHECK_EQ(rows.refresh->hash, desk.draft.refresh->hash);
  }
  desk.draft.refresh.reset();
  CHECK_FALSE(fill(desk.draft, desk.granted("read"), desk.options).refresh.has_value());
}

TEST_CASE("a first refresh token ends with its family, where it may be unused for longer than that lives") {
  Desk desk;
  const auto end = [&](const Client& client) {
    desk.draft.client = std::make_shared<const Client>(client);
    return fill(desk.draft, desk.granted("read"), desk.options).refresh->expires_at;
  };
  CHECK_EQ(end(fixture::shop()), start + desk.options.refresh_idle);
  desk.options.refresh_absolute = std::chrono::hours{48};
  desk.options.refresh_absolute_public = std::chrono::hours{24};
  CHECK_EQ(end(fixture::shop()), start + std::chrono::hours{48});
  CHECK_EQ(end(fixture::phone()), start + std::chrono::hours{24});
}

TEST_CASE("tokens are kept while their family stands, and not one of them afterwards") {
  Desk desk;
  const Grant grant = desk.granted("read");
  const TokenRows rows = fill(desk.draft, grant, desk.options);
  desk.tables.grants.insert_family({.grant = grant, .expires_at = start + std::chrono::hours{1}});
  CHECK(keep(desk.tables, rows));
  CHECK(desk.tables.grants.find_access(rows.access.id).has_value());
  CHECK(desk.tables.grants.find_refresh(rows.refresh->id).has_value());

  TokenRows later = rows;
  later.access.id = desk.ids.next();
  later.refresh->id = desk.ids.next();
  CHECK(desk.tables.grants.revoke_family(grant.family, start, "test"));
  CHECK_FALSE(keep(desk.tables, later));
  CHECK_FALSE(desk.tables.grants.find_access(later.access.id).has_value());
  CHECK_FALSE(desk.tables.grants.find_refresh(later.refresh->id).has_value());
}

}  // namespace
}  // namespace troupe::oauth
