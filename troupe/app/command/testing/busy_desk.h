// BusyDesk: an operator of a server that has somebody signed in.
#pragma once

#include "troupe/app/command/admin_work.h"
#include "troupe/app/command/testing/desk.h"
#include "troupe/oauth/actor/key_schedule.h"

namespace troupe::app {

/// A desk with a user who is signed in and has allowed a client something: a grant with a token of each use.
class BusyDesk : public Desk {
 public:
  BusyDesk() {
    REQUIRE(run({"user", "add", "alice", "--password-stdin"}, "good password\n") == Exit::success);
    client = *add_machine().string_at("client_id");
    AdminWork admin = work();
    const auto id = [&] { return admin.ids().next(admin.now(), admin.random()); };
    const auto session_id = id(), family = id(), refresh_id = id(), access_id = id();
    session = session_id.text();
    grant = family.text();
    refresh = refresh_id.text();
    access = access_id.text();
    admin.transact([&](oauth::Tables& tables) {
      const oauth::SigningKeyRecord signer = oauth::make_key({.signs_from = admin.now()}, admin.now(), {});
      key = signer.id;
      tables.keys.insert_signing(signer);
      const auto user = tables.users.find_by_name(oauth::UserName{"alice"}).value().user.id;
      const oauth::SessionId sid{session};
      const oauth::Authentication by{.user = user, .session = sid, .time = admin.now()};
      const oauth::Grant given{.family = oauth::FamilyId{grant},
                               .client = oauth::ClientId{client},
                               .scope = oauth::ScopeSet::parse("read").value(),
                               .audience = {"https://issuer.example"},
                               .authentication = by};
      const base::UnixTime later = admin.now() + std::chrono::hours{1};
      tables.users.insert_session({.session = {.id = sid,
                                               .authentication = by,
                                               .created_at = admin.now(),
                                               .seen_at = admin.now(),
                                               .place = {.user_agent = "", .address = "192.0.2.7"}},
                                   .expires_at = later});
      tables.users.put_consent({user, given.client, given.scope, admin.now()});
      tables.grants.insert_family({.grant = given, .expires_at = later});
      tables.grants.insert_refresh({.id = refresh_id, .family = given.family, .expires_at = later});
      tables.grants.insert_access({.id = access_id, .grant = given, .issued_at = admin.now(), .expires_at = later});
    });
  }

  AdminWork work() const {
    Config config;
    config.server.data_dir = data();
    return AdminWork{config};
  }
  std::string said_by(std::vector<std::string> arguments) {
    REQUIRE(run(std::move(arguments)) == Exit::success);
    return console.said();
  }
  std::vector<oauth::EndingRecord> endings() const {
    return work().transact([](oauth::Tables& tables) { return tables.grants.endings_after(0, 10); });
  }
  std::string last_event() const {
    return work().transact([](oauth::Tables& tables) { return tables.audit.events({}, 1); }).front().kind;
  }

  std::string client, session, grant, refresh, access, key;
};

}  // namespace troupe::app
