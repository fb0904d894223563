// The Log Actor: what is told to it stands in the trail, and what does not fit into it is nobody's harm.
#include "troupe/oauth/actor/log_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

std::vector<AuditEvent> custom_events(ActorWorld& oauth) {
  return oauth.disk->transact([](store::Transaction& transaction) {
    auto events = SqlAudit{transaction}.events(std::nullopt, 1000);
    std::erase_if(events, [](const AuditEvent& event) { return !event.kind.starts_with("custom."); });
    return events;
  });
}

TEST_CASE("what others have seen stands in the audit trail under a kind that is not ours") {
  ActorWorld oauth{1};
  auto log = oauth.world.spawn<LogActor>(log_actor_options(), oauth.storage);
  log.tell(LogEvent{.kind = "invoice_paid",
                    .client = ClientId{"c_shop"},
                    .user = UserId{"u_alice"},
                    .reason = "42 EUR",
                    .cause = {.request = "r-1", .by = "client c_shop"}});
  log.tell(LogEvent{.kind = "login_succeeded"});
  oauth.world.advance(1s);
  const auto events = custom_events(oauth);
  REQUIRE_EQ(events.size(), 2);
  CHECK_EQ(events[0].kind, "custom.login_succeeded");
  CHECK_EQ(events[1].kind, "custom.invoice_paid");
  CHECK_EQ(events[1].client, ClientId{"c_shop"});
  CHECK_EQ(events[1].user, audit_name_of(UserId{"u_alice"}));
  CHECK_EQ(events[1].reason, "42 EUR");
  CHECK_EQ(events[1].request, "r-1");
  CHECK_EQ(events[1].done_by, "client c_shop");
}

TEST_CASE("what comes while its mailbox is full is dropped, and the others are written") {
  ActorWorld oauth{2};
  actor::ActorOptions options = log_actor_options();
  options.mailbox.capacity = 10;
  auto log = oauth.world.spawn<LogActor>(options, oauth.storage);
  for (int i = 0; i < 25; ++i) log.tell(LogEvent{.kind = "tick", .reason = std::to_string(i)});
  oauth.world.advance(1s);
  const auto events = custom_events(oauth);
  REQUIRE_EQ(events.size(), 10);
  CHECK_EQ(events.back().reason, "0");
  CHECK_EQ(events.front().reason, "9");
  log.tell(LogEvent{.kind = "tick", .reason = "later"});
  oauth.world.advance(1s);
  CHECK_EQ(custom_events(oauth).front().reason, "later");
}

TEST_CASE("an event that cannot be logged is told by what is wrong with it") {
  struct Row {
    LogEvent event;
    const char* told;  // null: it can
  };
  const Row rows[] = {
      {{.kind = "a"}, nullptr},
      {{.kind = std::string(64, 'a'), .reason = std::string(500, 'x')}, nullptr},
      {{.kind = ""}, "kind"},
      {{.kind = std::string(65, 'a')}, "kind"},
      {{.kind = "Paid"}, "kind"},
      {{.kind = "9lives"}, "kind"},
      {{.kind = "a.b"}, "kind"},
      {{.kind = "a", .client = ClientId{""}}, "client"},
      {{.kind = "a", .client = ClientId{std::string(201, 'c')}}, "client"},
      {{.kind = "a", .user = UserId{"a\nb"}}, "user"},
      {{.kind = "a", .reason = std::string(501, 'x')}, "reason"},
      {{.kind = "a", .reason = "one\ntwo"}, "reason"},
      {{.kind = "a", .reason = "\xff"}, "reason"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.event.kind);
    const auto fault = fault_in(row.event);
    CHECK_EQ(fault.has_value(), row.told != nullptr);
    if (fault && row.told != nullptr) CHECK(fault->contains(row.told));
  }
}

}  // namespace
}  // namespace troupe::oauth
