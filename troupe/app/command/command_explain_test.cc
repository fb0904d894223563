// `troupe explain`: how a token, code or grant stands.
#include "troupe/app/command/testing/busy_desk.h"
#include "troupe/crypto/digest.h"

namespace troupe::app {
namespace {

/// What `explain` says of a code of alice's that `deed` was done to.
std::string explained(BusyDesk& desk, void (*deed)(oauth::Tables&, const oauth::AuthCode&)) {
  AdminWork admin = desk.work();
  const auto code = admin.transact([&](oauth::Tables& tables) {
    oauth::Grant grant = tables.grants.find_family(oauth::FamilyId{desk.grant}).value().grant;
    grant.family = oauth::FamilyId{admin.ids().next(admin.now(), admin.random()).text()};
    const oauth::AuthCode made{.id = admin.ids().next(admin.now(), admin.random()),
                               .hash = crypto::sha256("a code"),
                               .grant = grant,
                               .redirect_uri = "https://shop.example/cb",
                               .expires_at = admin.now() + std::chrono::minutes{1}};
    tables.grants.insert_code(made);
    deed(tables, made);
    return made.id;
  });
  return desk.said_by({"explain", code.text()});
}

TEST_CASE("a code is told as redeemed, as called back, or as still to be redeemed") {
  BusyDesk desk;
  const auto nothing = [](oauth::Tables&, const oauth::AuthCode&) {};
  const auto redeem = [](oauth::Tables& tables, const oauth::AuthCode& code) {
    tables.grants.use_code(code.id);
    tables.grants.insert_family({.grant = code.grant, .expires_at = code.expires_at});
  };
  const auto call_back = [](oauth::Tables& tables, const oauth::AuthCode& code) {
    tables.grants.use_codes_of(code.grant.authentication->user, code.grant.client, code.id.time());
  };
  CHECK(explained(desk, nothing).contains("It is a code that nobody has redeemed"));
  CHECK(explained(desk, redeem).contains("It is a code that was redeemed"));
  const auto called_back = explained(desk, call_back);
  CHECK(called_back.contains("It is a code that was called back before anybody redeemed it"));
  CHECK_FALSE(called_back.contains("was redeemed"));
}

}  // namespace
}  // namespace troupe::app
