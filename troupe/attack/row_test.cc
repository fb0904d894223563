// Rows judge a small server that is right, and the same one with a hole in it: what a hole makes fail, and that nothing
// passes without a check.
#include "troupe/attack/row.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "troupe/attack/report.h"
#include "troupe/attack/testing/toy_server.h"

using namespace troupe;
using namespace troupe::attack;
using troupe::attack::testing::Extras;
using troupe::attack::testing::Holes;
using troupe::attack::testing::ToyServer;

namespace {

Row row_of(std::string_view id) {
  const auto rows = all_rows();
  const auto row = std::ranges::find(rows, id, &Row::id);
  REQUIRE(row != rows.end());
  return *row;
}

Verdict judged(std::string_view id, Holes holes = {}, TargetOptions options = ToyServer::options(),
               Extras extras = Extras::none) {
  ToyServer server{holes, extras};
  const auto target = find_target(server, std::move(options));
  REQUIRE(target);
  return judge(row_of(id), *target, server);
}

}  // namespace

TEST_CASE("a hole makes the row fail that looks for it, and without the hole it passes") {
  struct {
    std::string_view id;
    Holes holes;
    std::string_view said;
  } rows[] = {
      {"T2", {.redirects_by_prefix = true}, "callback/x"},
      {"T12", {.spends_codes_twice = true}, "the second redemption"},
      {"T12", {.keeps_tokens_of_replayed_codes = true}, "must be revoked"},
      {"T13", {.spends_codes_twice = true}, "1000 succeeded, not one"},
      {"T13", {.keeps_tokens_of_replayed_codes = true}, "must be revoked"},
      {"T15", {.fails = true}, "the server failed"},
      {"T18", {.forgets_pkce = true}, "no verifier"},
      {"T25", {.logs_out_anywhere = true}, "post_logout_redirect_uri"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    const Verdict bad = judged(row.id, row.holes);
    CHECK(bad.outcome == Outcome::failed);
    CHECK(std::ranges::any_of(bad.reasons, [&row](const std::string& one) { return one.contains(row.said); }));
    const Verdict good = judged(row.id);
    CAPTURE(text_of(good));
    CHECK(good.outcome == Outcome::passed);
    CHECK(good.checks > 0);
  }
}

TEST_CASE("rows about registration and assertions find holes where the server offers those") {
  struct {
    std::string_view id;
    Holes holes;
    std::string_view said;
  } rows[] = {
      {"T5", {.registers_anything = true}, "javascript:alert(1)"},
      {"T51", {.registers_anything = true}, "jwks_uri file:///etc/passwd must be refused"},
      {"T62", {.registers_anything = true}, "as many clients as they like"},
      {"T62", {.shows_registrations = true}, "another's registration without its token"},
      {"T47", {.believes_unsigned = true}, "alg none"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    const auto extras = Extras::registration_and_assertions;
    const Verdict bad = judged(row.id, row.holes, ToyServer::options(), extras);
    CHECK(bad.outcome == Outcome::failed);
    CHECK(std::ranges::any_of(bad.reasons, [&row](const std::string& one) { return one.contains(row.said); }));
    const Verdict good = judged(row.id, {}, ToyServer::options(), extras);
    CAPTURE(text_of(good));
    CHECK(good.outcome == Outcome::passed);
  }
}

TEST_CASE("a row does not apply where the server or the one who runs it has not what it needs, and says what") {
  TargetOptions nothing;
  nothing.url = testing::toy_issuer;
  struct {
    std::string_view id;
    TargetOptions options;
    std::string_view said;
  } rows[] = {
      {"T13", nothing, "[client]"},
      {"T14", ToyServer::options(), "[other_client]"},
      {"T16", ToyServer::options(), "code_lifetime"},
      {"T50", ToyServer::options(), "userinfo_endpoint"},
      {"T62", ToyServer::options(), "registration_endpoint"},
      {"T47", ToyServer::options(), "private_key_jwt"},
      {"T76", ToyServer::options(), "machine"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    const Verdict verdict = judged(row.id, {}, row.options);
    CHECK(verdict.outcome == Outcome::not_applicable);
    REQUIRE(verdict.reasons.size() == 1);
    CHECK(verdict.reasons.front().contains(row.said));
  }
}

TEST_CASE("a row that checks nothing fails, and so does one whose way is barred") {
  ToyServer server;
  auto options = ToyServer::options();
  const auto target = find_target(server, options);
  CHECK(judge({"T0", "nothing", Need::nothing, [](Trial&) {}}, *target, server).outcome == Outcome::failed);

  options.user.password = Password{"wrong"};
  const Verdict barred = judged("T13", {}, options);
  CHECK(barred.outcome == Outcome::failed);
  CHECK(barred.reasons.front().contains("signing in did not lead to the client"));
  CHECK_FALSE(text_of(barred).contains("shop secret"));
}

TEST_CASE("a row that failed where the target limits who asks often says that this may be why") {
  class LimitedServer final : public Transport {
   public:
    std::vector<Answer> send_at_once(const std::vector<Request>& requests) override {
      return std::vector<Answer>(requests.size(), Answer{.status = 429, .fields = {}, .body = "", .failure = ""});
    }
    std::string send_raw(const std::string&, const std::string&) override { return {}; }
    void wait(base::Duration) override {}
  };
  ToyServer server;
  LimitedServer limited;
  const auto target = find_target(server, ToyServer::options());
  const Verdict verdict = judge(row_of("T13"), *target, limited);
  CHECK(verdict.outcome == Outcome::failed);
  CHECK(verdict.reasons.back().contains("429"));
  CHECK(verdict.reasons.back().contains("rate limits"));
}

TEST_CASE("each row has its own number, and runs unless it says why it cannot") {
  std::set<std::string_view> ids;
  for (const Row& row : all_rows()) {
    CAPTURE(row.id);
    CHECK(ids.insert(row.id).second);
    CHECK(row.title.size() > 5);
    CHECK((row.run != nullptr) != has(row.needs, Need::elsewhere));
    CHECK(row.why_elsewhere.empty() == (row.run != nullptr));
  }
  CHECK_EQ(ids.size(), 74);  // of 80, those of what is for later left out: T45, T46, T48, T60, T61 and T63
}

TEST_CASE("verdicts are told as lines, as a summary and as JSON") {
  const std::vector<Verdict> verdicts = {{"T1", "one", Outcome::passed, {}, 2},
                                         {"T2", "two", Outcome::failed, {"seen \"this\""}, 1},
                                         {"T3", "three", Outcome::not_applicable, {"not there"}, 0}};
  CHECK_EQ(text_of(verdicts[1]), "T2   FAIL            two\n       seen \"this\"\n");
  CHECK_EQ(summary_of(verdicts), "1 passed, 1 failed (T2), 1 not applicable");
  CHECK(has_failed(verdicts));
  CHECK_FALSE(has_failed({verdicts[0], verdicts[2]}));
  const auto json = wire::parse_json(json_of("https://a.example", verdicts));
  REQUIRE(json);
  CHECK_EQ(json->find("rows")->array()->size(), 3);
  CHECK_EQ(*json->find("rows")->array()->at(1).string_at("outcome"), "fail");
}
