// Requests of the administration: what is not known by its name is refused.
#include "troupe/oauth/admin/request.h"

#include <doctest/doctest.h>

namespace troupe::oauth::admin {
namespace {

web::Request with_query(std::string query) { return {.path = "/admin/v1/x", .query = std::move(query)}; }

web::Request with_body(std::string body, std::string type = "application/json") {
  return {.headers = {{"Content-Type", std::move(type)}}, .body = std::move(body)};
}

TEST_CASE("parameters are those of the call, each once and with a value") {
  CHECK(read_query(with_query(""), {"a"}).has_value());
  CHECK_EQ(read_query(with_query("a=1&b=%C3%BC"), {"a", "b"})->get("b"), "ü");
  for (const char* query : {"c=1", "a=1&a=2", "a=", "a", "a=%zz", "A=1"}) {
    CAPTURE(query);
    CHECK_EQ(read_query(with_query(query), {"a", "b"}).error().status, 400);
  }
  const auto refused = read_query(with_query(std::string(5000, 'x') + "=1"), {"a"});
  CHECK_LT(refused.error().body.view().size(), 300);  // what is too long is not repeated
}

TEST_CASE("a page has 1 to 1000 rows, 100 where nothing is said, and goes on behind the one before") {
  struct Row {
    const char* query;
    int limit;  // 0: refused
  };
  constexpr Row rows[] = {{"", 100},         {"limit=1", 1},   {"limit=1000", 1000}, {"limit=0", 0},
                          {"limit=1001", 0}, {"limit=-1", 0},  {"limit=1x", 0},      {"limit=99999999999999999999", 0},
                          {"limit=+1", 0},   {"limit=1.5", 0}, {"after=%20", 0},     {"after=*", 0}};
  for (const Row& row : rows) {
    CAPTURE(row.query);
    const auto page = read_page(*read_query(with_query(row.query), {"limit", "after"}), "list");
    CHECK_EQ(page.has_value() ? page->limit : 0, row.limit);
  }
  const auto query = read_query(with_query("after=" + cursor_of("list", "c_1 ü")), {"after"});
  CHECK_EQ(read_page(*query, "list")->after, "c_1 ü");
  for (const char* key : {"\xff", "a\nb", "a\x01"}) {
    CHECK_FALSE(read_page(*read_query(with_query("after=" + cursor_of("list", key)), {"after"}), "list"));
  }
  CHECK_FALSE(read_page(*query, "another").has_value());  // the end of one list is no place in another
  CHECK_FALSE(read_page(*read_query(with_query("after=" + cursor_of("list", "")), {"after"}), "list").has_value());
  CHECK_FALSE(read_timed_page(*query, "list").has_value());
  base::SeededRandom random{1};
  const auto id = crypto::TokenIds{}.next({1'700'000'000'000}, random);
  CHECK_EQ(read_timed_page(*read_query(with_query("after=" + cursor_of("list", id.text())), {"after"}), "list")->after,
           id);
}

TEST_CASE("moments are whole seconds") {
  const auto moment = [](const char* text) { return read_moment(*read_query(with_query(text), {"since"}), "since"); };
  CHECK_FALSE(moment("")->has_value());
  CHECK_EQ(moment("since=1700000000")->value(), base::UnixTime{1'700'000'000'000});
  for (const char* text : {"since=-1", "since=1.5", "since=now", "since=253402300800"}) CHECK_FALSE(moment(text));
}

TEST_CASE("a body is one object of the members of the call, said to be JSON") {
  CHECK_EQ(*read_body(with_body(R"({"a":"x"})"), {"a"})->string_at("a"), "x");
  CHECK(read_body(with_body("{}", "Application/JSON; charset=utf-8"), {}).has_value());
  struct Row {
    std::string body;
    const char* type;
    int status;
  };
  const Row rows[] = {
      {"", "application/json", 400},
      {"[]", "application/json", 400},
      {R"({"b":1})", "application/json", 400},
      {R"({"a":1,"a":1})", "application/json", 400},
      {R"({"a":1} x)", "application/json", 400},
      {R"({"a":[[[[[[[[[1]]]]]]]]]})", "application/json", 400},
      {R"({"a":")" + std::string(70'000, 'x') + "\"}", "application/json", 400},
      {R"({"a":1})", "text/json", 415},
      {R"({"a":1})", "application/merge-patch+json", 415},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body.substr(0, 40));
    CHECK_EQ(read_body(with_body(row.body, row.type), {"a"}).error().status, row.status);
  }
  CHECK(read_body(with_body("{}", "application/merge-patch+json"), {}, BodyType::merge_patch).has_value());
  CHECK_EQ(read_body({.body = "{}"}, {}).error().status, 415);
}

TEST_CASE("segments of the path are counted from its beginning") {
  const web::Request http{.path = "/admin/v1/clients/c_1/secrets"};
  CHECK_EQ(segment(http, 0), "admin");
  CHECK_EQ(segment(http, 3), "c_1");
  CHECK_EQ(segment(http, 4), "secrets");
  CHECK_EQ(segment(http, 5), "");
}

}  // namespace
}  // namespace troupe::oauth::admin
