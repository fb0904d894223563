// What is used again and again bears a number of its tenant; when the numbers end, it is not used again.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Number {
  using reply = int;
};
class Tenant {
 public:
  explicit Tenant(int number) : number_(number) {}
  int handle(Number) { return number_; }

 private:
  int number_;
};

struct Replace {
  using reply = Ref<Tenant>;
};
/// Has one tenant at a time, on its own core.
class Landlord {
 public:
  Ref<Tenant> handle(Replace, Context& ctx) {
    if (tenant_) ctx.stop(tenant_);
    tenant_ = ctx.spawn<Tenant>({}, ++tenants_);
    return tenant_;
  }

 private:
  Ref<Tenant> tenant_;
  int tenants_ = 0;
};

/// As if all tenants but the last one that its numbers allow had been there.
void use_up(Cell& cell) { cell.generation.store(UINT32_MAX - 1, std::memory_order_relaxed); }

}  // namespace

TEST_CASE("a cell whose generations are used up has no further tenant, whoever made it, and old references stay dead") {
  for (const bool remotely : {false, true}) {
    CAPTURE(remotely);
    test::World w{1, {.cores = 1}};
    const auto landlord = w.spawn<Landlord>({});
    int made = 100;
    const auto next = [&] {
      return remotely ? w.spawn<Tenant>({}, ++made) : w.block_on(landlord.ask(Replace{})).value();
    };
    const auto stop = [&](Ref<Tenant> tenant) {
      lifecycle::request_stop(nullptr, tenant.address());
      w.run_until_idle();
    };
    auto first = next();
    w.run_until_idle();
    Cell& cell = *first.address().cell;
    stop(first);
    use_up(cell);
    auto last = next();
    w.run_until_idle();
    REQUIRE_EQ(last.address().cell, &cell);
    CHECK_EQ(last.address().generation, UINT32_MAX - 1);
    CHECK(w.block_on(last.ask(Number{})).has_value());
    stop(last);
    for (int i = 0; i < 3; ++i) {
      auto later = next();
      w.run_until_idle();
      CHECK_NE(later.address().cell, &cell);
      stop(later);
    }
    for (const auto& gone : {first, last}) {
      const auto answer = w.block_on(gone.ask(Number{}));
      REQUIRE_FALSE(answer.has_value());
      CHECK_EQ(answer.error().outcome, Outcome::not_executed);
    }
  }
}

TEST_CASE("a place for answers whose generations are used up is not used again, and no late answer finds it") {
  test::World w{1, {.cores = 1}};
  Core& core = w.core(0);
  const Core::Scope scope{core};
  AskState ask;
  core.open_slot(ask);
  ReplyTo last = ask.id;
  for (ReplyTo id = last; id; id = id.next()) last = id;
  const std::uint32_t slot = ask.id.slot();
  core.close_ask(ask);
  core.open_slot(ask);
  REQUIRE_EQ(ask.id.slot(), slot);  // it was free again
  ask.id = last;
  core.close_ask(ask);
  AskState others[4];
  for (AskState& other : others) {
    core.open_slot(other);
    CHECK_NE(other.id.slot(), slot);
  }
  CHECK(core.find_ask(last) == nullptr);
  for (AskState& other : others) core.close_ask(other);
}
