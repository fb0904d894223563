// The same suite as tables_test.cc, of pages of what was granted, for those who administer.
#include <doctest/doctest.h>

#include "troupe/oauth/storage/testing/stores.h"

namespace troupe::oauth {
namespace {

using stores::at;
using stores::BySql;
using stores::id;
using stores::InMemory;
using stores::scope;

Grant grant(int n) {
  return {.family = FamilyId{id(n).text()},
          .client = ClientId{"c_shop"},
          .scope = scope("read"),
          .audience = {"https://issuer.example"}};
}

/// How many rows each page has, and whether all of them come in the order of their ids, each once.
template <class Page, class IdOf>
std::vector<int> sizes_of_pages(Page page, IdOf id_of) {
  std::vector<int> sizes;
  crypto::TokenId last{};
  for (auto rows = page(last); !rows.empty(); rows = page(last)) {
    sizes.push_back(static_cast<int>(rows.size()));
    for (const auto& row : rows) {
      CHECK(last < id_of(row));
      last = id_of(row);
    }
  }
  return sizes;
}

TEST_CASE_TEMPLATE("families and tokens come page by page in the order of their ids", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (const int n : {3, 1, 5, 2, 4}) {
      t.grants.insert_family({.grant = grant(n), .expires_at = at(1000)});
      t.grants.insert_refresh({.id = id(n), .family = grant(n).family, .expires_at = at(n)});
      t.grants.insert_access({.id = id(n), .grant = grant(n), .expires_at = at(n)});
    }
    t.grants.revoke_family(grant(2).family, at(1), "test");
    const std::vector<int> wanted{2, 2, 1};
    CHECK_EQ(sizes_of_pages([&](const auto& after) { return t.grants.families_after(after, 2); },
                            [](const auto& row) { return *crypto::TokenId::parse(row.grant.family.value()); }),
             wanted);
    CHECK_EQ(sizes_of_pages([&](const auto& after) { return t.grants.refresh_after(after, 2); },
                            [](const auto& row) { return row.id; }),
             wanted);
    CHECK_EQ(sizes_of_pages([&](const auto& after) { return t.grants.access_after(after, 2); },
                            [](const auto& row) { return row.id; }),
             wanted);
    CHECK_EQ(t.grants.families_after(id(1), 1).front().revoked_because, "test");
    CHECK_EQ(t.grants.refresh_after(id(4), 9).front().expires_at, at(5));
    CHECK_EQ(t.grants.access_after(id(4), 9).front().grant.client, ClientId{"c_shop"});
  });
}

TEST_CASE_TEMPLATE("an ending may be of a family, or of one token of it", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    t.grants.append_ending({.at = at(1), .client = std::nullopt, .user = std::nullopt, .family = grant(7).family});
    t.grants.append_ending(
        {.at = at(2), .client = std::nullopt, .user = std::nullopt, .family = grant(8).family, .token = id(9)});
    const auto endings = t.grants.endings_after(0, 10);
    REQUIRE_EQ(endings.size(), 2);
    CHECK_EQ(endings[0].ending.family, grant(7).family);
    CHECK_FALSE(endings[0].ending.token.has_value());
    CHECK_FALSE(endings[0].ending.client.has_value());
    CHECK_EQ(endings[1].ending.family, grant(8).family);
    CHECK_EQ(endings[1].ending.token, id(9));
  });
}

}  // namespace
}  // namespace troupe::oauth
