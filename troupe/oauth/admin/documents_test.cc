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

}  // namespace
}  // namespace troupe::oauth::admin
