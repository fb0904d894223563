// `troupe explain`: how a token, code or grant stands.
#include <algorithm>

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

TEST_CASE("an access token whose key was revoked is told as not accepted, though all that it stands on stands") {
  BusyDesk desk;
  desk.said_by({"keys", "rotate", "--revoke", desk.key});
  CHECK(desk.said_by({"explain", desk.access}).contains("It is not accepted: the key that signed it was revoked."));
  for (const std::string& id : {desk.refresh, desk.grant})
    CHECK_FALSE(desk.said_by({"explain", id}).contains("accepted"));
}

TEST_CASE("what is not accepted, though its own time is not over, is told with the reason") {
  struct Row {
    std::vector<std::vector<std::string>> deeds;
    std::string_view told;
  };
  BusyDesk good;
  for (const std::string& id : {good.access, good.refresh, good.grant})
    CHECK_FALSE(good.said_by({"explain", id}).contains("accepted"));
  const std::string client = "CLIENT";
  const Row rows[] = {
      {{{"client", "update", client, "--disable"}}, "its client is disabled"},
      {{{"client", "update", client, "--disable"}, {"client", "update", client, "--enable"}},
       "its client has been disabled since it was granted"},
      {{{"client", "remove", client}}, "its client was removed"},
      {{{"user", "disable", "alice"}}, "its user is disabled"},
      {{{"user", "disable", "alice"}, {"user", "enable", "alice"}}, "its user got another password, or was disabled"},
      {{{"user", "remove", "alice"}}, "its user was removed"},
      {{{"session", "end", "SESSION"}}, "its session is over"},
      {{{"grant", "revoke", "GRANT"}}, "its grant is over"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.told);
    BusyDesk desk;
    for (std::vector<std::string> deed : row.deeds) {
      std::ranges::replace(deed, client, desk.client);
      std::ranges::replace(deed, std::string{"SESSION"}, desk.session);
      std::ranges::replace(deed, std::string{"GRANT"}, desk.grant);
      (void)desk.said_by(deed);
    }
    const std::string sentence = "It is not accepted: " + std::string{row.told};
    CHECK(desk.said_by({"explain", desk.access}).contains(sentence));
    CHECK(desk.said_by({"explain", desk.refresh}).contains(sentence));
  }
  CHECK(good.run({"client", "update", good.client, "--disable"}) == Exit::success);
  CHECK(good.said_by({"explain", good.grant}).contains("Nothing of this grant is accepted: its client is disabled."));
}

}  // namespace
}  // namespace troupe::app
