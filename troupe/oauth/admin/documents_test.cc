// What the administration shows: optional members are left out, and nothing secret is there.
#include "troupe/oauth/admin/documents.h"

#include <doctest/doctest.h>

namespace troupe::oauth::admin {
namespace {

template <class Value>
std::string written(void (*write)(wire::JsonWriter&, const Value&), const Value& value) {
  std::string json;
  wire::JsonWriter writer{json};
  write(writer, value);
  return json;
}

TEST_CASE("a user without an address, and one with it") {
  User user{.id = UserId{"u_1"}, .name = UserName{"alice"}, .email = std::nullopt, .created_at = {1'700'000'000'123}};
  CHECK_EQ(written(write_user, user),
           R"({"sub":"u_1","preferred_username":"alice","enabled":true,"created_at":1700000000})");
  user.email = "a@example.org";
  user.state = UserState::disabled;
  CHECK_EQ(written(write_user, user), R"({"sub":"u_1","preferred_username":"alice","email":"a@example.org",)"
                                      R"("enabled":false,"created_at":1700000000})");
}

TEST_CASE("an event says what it knows, and who was the cause") {
  const crypto::TokenId id = crypto::TokenId::first_at({1'700'000'000'000});
  AuditEvent event{.id = id, .kind = "keys_rotated"};
  CHECK_EQ(written(write_event, event), R"({"id":")" + id.text() +
                                            R"(","at":1700000000,"kind":"keys_rotated","reason":"","by":"",)"
                                            R"("request_id":""})");
  event.client = ClientId{"c_1"};
  event.user = "0123456789abcdef";
  event.family = FamilyId{id.text()};
  event.token = id;
  event.done_by = "client c_2";
  const auto full = wire::parse_json(written(write_event, event)).value();
  CHECK_EQ(*full.string_at("client_id"), "c_1");
  CHECK_EQ(*full.string_at("user_hash"), "0123456789abcdef");
  CHECK_EQ(*full.string_at("grant"), id.text());
  CHECK_EQ(*full.string_at("jti"), id.text());
  CHECK_EQ(*full.string_at("by"), "client c_2");
}

}  // namespace
}  // namespace troupe::oauth::admin
