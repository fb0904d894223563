// An event as JSON: what it has, and nothing that it has not.
#include "troupe/oauth/storage/audit_json.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

std::string json_of(const AuditEvent& event) {
  std::string json;
  wire::JsonWriter writer{json};
  write_event(writer, event);
  return json;
}

TEST_CASE("an event has the members that it was given, and its time in UTC") {
  const crypto::TokenId id = crypto::TokenId::first_at({1'700'000'000'007});
  CHECK_EQ(json_of({.id = id, .kind = "keys_made"}),
           R"({"id":")" + id.text() + R"(","time":"2023-11-14T22:13:20.007Z","kind":"keys_made"})");
  const AuditEvent full{.id = id,
                        .kind = "code_refused",
                        .client = ClientId{"c_\"x"},
                        .user = "00ff",
                        .family = FamilyId{"f"},
                        .reason = "expired",
                        .token = id,
                        .request = "r",
                        .done_by = "schedule"};
  CHECK(json_of(full).ends_with(R"("client":"c_\"x","user":"00ff","family":"f","token":")" + id.text() +
                                R"(","request":"r","by":"schedule","reason":"expired"})"));
}

}  // namespace
}  // namespace troupe::oauth
