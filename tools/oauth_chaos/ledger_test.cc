// The judge of a server under kills: what it must complain about, and what it must let pass.
#include "tools/oauth_chaos/ledger.h"

#include <doctest/doctest.h>

#include <functional>

using namespace troupe::oauth_chaos;

namespace {

/// A code that was granted at its only use, with one token.
Ledger granted_once() {
  Ledger ledger;
  ledger.begin_burst("first");
  ledger.code_sent("code", 1);
  ledger.code_answered("code", Outcome::granted);
  ledger.issued("token", "code");
  return ledger;
}

}  // namespace

TEST_CASE("what a server may do under kills is let pass") {
  struct {
    const char* name;
    std::function<void(Ledger&)> story;
  } rows[] = {
      {"a token that was given is known", [](Ledger& l) { l.seen("token", true); }},
      {"a code shown again ends its family",
       [](Ledger& l) {
         l.begin_burst("again");
         l.code_sent("code", 1);
         l.code_answered("code", Outcome::refused);
         l.seen("token", false);
       }},
      {"nobody knows whether an unanswered revocation was done",
       [](Ledger& l) {
         l.token_ending("token");
         l.seen("token", true);
         l.seen("token", false);
       }},
      {"nobody knows whether an unanswered replay was seen",
       [](Ledger& l) {
         l.code_sent("code", 1);
         l.code_answered("code", Outcome::unknown);
         l.seen("token", false);
       }},
      {"of redemptions at once the refusals may be read before the grant",
       [](Ledger& l) {
         l.code_sent("other", 3);
         l.code_answered("other", Outcome::refused);
         l.code_answered("other", Outcome::granted);
       }},
      {"a repeated refresh gives the same",
       [](Ledger& l) {
         l.successor_told("r1", "r2", "a2");
         l.successor_told("r1", "r2", "a2");
       }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Ledger ledger = granted_once();
    row.story(ledger);
    CHECK(ledger.violations().empty());
  }
}

TEST_CASE("what a server must never do is found, with the event") {
  struct {
    const char* name;
    std::function<void(Ledger&)> story;
  } rows[] = {
      {"granted twice",
       [](Ledger& l) {
         l.code_sent("code", 1);
         l.code_answered("code", Outcome::granted);
       }},
      {"refused, and later granted",
       [](Ledger& l) {
         l.code_sent("other", 2);
         l.code_answered("other", Outcome::refused);
         l.begin_burst("after a kill");
         l.code_sent("other", 1);
         l.code_answered("other", Outcome::granted);
       }},
      {"refused at the first use",
       [](Ledger& l) {
         l.code_sent("other", 1);
         l.code_answered("other", Outcome::refused);
       }},
      {"forgotten", [](Ledger& l) { l.seen("token", false); }},
      {"a revoked token is back",
       [](Ledger& l) {
         l.token_ended("token");
         l.seen("token", true);
       }},
      {"a token of a replayed code is alive",
       [](Ledger& l) {
         l.code_sent("code", 1);
         l.code_answered("code", Outcome::refused);
         l.seen("token", true);
       }},
      {"a family that was ended is back",
       [](Ledger& l) {
         l.family_ended("code", "reuse");
         l.seen("token", true);
       }},
      {"another successor",
       [](Ledger& l) {
         l.successor_told("r1", "r2", "a2");
         l.successor_told("r1", "r3", "a2");
       }},
      {"another access token",
       [](Ledger& l) {
         l.successor_told("r1", "r2", "a2");
         l.successor_told("r1", "r2", "a3");
       }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Ledger ledger = granted_once();
    row.story(ledger);
    REQUIRE_EQ(ledger.violations().size(), 1);
    CHECK(ledger.last_events().at(ledger.violations().front().event - 1).contains("VIOLATION"));
  }
}

TEST_CASE("of the events the last ones are kept") {
  Ledger ledger{3};
  for (int i = 0; i < 10; ++i) ledger.note("something");
  CHECK_EQ(ledger.last_events().size(), 3);
  CHECK_EQ(ledger.event_count(), 10);
}
