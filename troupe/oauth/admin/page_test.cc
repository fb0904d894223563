// Pages of lists: bounded by bytes as well as by rows, and never empty while there is a row.
#include "troupe/oauth/admin/page.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace troupe::oauth::admin {
namespace {

struct Row {
  int number = 0;
  std::size_t bytes = 0;
};

std::string key(const Row& row) { return fmt::format("{:04}", row.number); }
void write(wire::JsonWriter& writer, const Row& row) { writer.value(std::string(row.bytes, 'x')); }

std::vector<Row> rows(int count, std::size_t bytes) {
  std::vector<Row> made;
  for (int number = 0; number < count; ++number) made.push_back({number, bytes});
  return made;
}

struct Page {
  std::size_t rows = 0;
  std::string next;
};

Page page_of(const std::vector<Row>& rows, std::optional<std::string> last) {
  const web::Response response = answer_page("list", rows, std::move(last), key, write);
  const auto json = wire::parse_json(response.body.view(), {.bytes_max = 8 * page_bytes_max}).value();
  const std::string* next = json.string_at("next");
  return {json.find("list")->array()->size(), next != nullptr ? *next : ""};
}

TEST_CASE("a page ends where its bytes are spent, and goes on behind the last row that it has") {
  struct Case {
    const char* what;
    std::vector<Row> rows;
    std::optional<std::string> last;
    std::size_t has;
    std::string next;
  };
  const std::size_t half = page_bytes_max / 2;
  const Case cases[] = {
      {"nothing", {}, {}, 0, ""},
      {"nothing yet", {}, "0007", 0, cursor_of("list", "0007")},
      {"small rows, and no more", rows(1000, 900), {}, 1000, ""},
      {"small rows, and more", rows(100, 900), "0099", 100, cursor_of("list", "0099")},
      {"more than fits", rows(5, half), {}, 2, cursor_of("list", "0001")},
      {"more than fits, and more", rows(5, half), "0009", 2, cursor_of("list", "0001")},
      {"one that is larger than a page", rows(2, 3 * page_bytes_max), {}, 1, cursor_of("list", "0000")},
      {"one that is larger, and the last", rows(1, 3 * page_bytes_max), {}, 1, ""},
  };
  for (const Case& each : cases) {
    CAPTURE(each.what);
    const Page page = page_of(each.rows, each.last);
    CHECK_EQ(page.rows, each.has);
    CHECK_EQ(page.next, each.next);
  }
}

TEST_CASE("rows beyond the limit are let go, and their list goes on") {
  auto some = rows(5, 1);
  CHECK_EQ(cut(some, 5, key), std::nullopt);
  CHECK_EQ(cut(some, 4, key), "0003");
  CHECK_EQ(some.size(), 4);
}

}  // namespace
}  // namespace troupe::oauth::admin
