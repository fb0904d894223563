// The one main() of every unit-test executable; it lets `explore` know which test runs and whether its checks hold.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "troupe/actor/sim/checks.h"

namespace {

struct Listener final : doctest::IReporter {
  explicit Listener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData& test) override {
    auto& checks = troupe::actor::test::checks();
    checks.test_name = test.m_name;
    checks.test_is_skipped = test.m_skip;
    checks.explorations = 0;
  }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& check) override {
    if (!check.m_failed) return;
    auto& checks = troupe::actor::test::checks();
    ++checks.failed;
    if (checks.on_failure != nullptr) checks.on_failure();
  }
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

}  // namespace

REGISTER_LISTENER("checks", 1, Listener);
