// See readiness.h.
#include "troupe/app/admin/readiness.h"

#include <fmt/format.h>

#include "troupe/base/log.h"
#include "troupe/store/migration.h"

namespace troupe::app {

namespace {

actor::Task<ReadinessFault> fault_of(NeededDatabase needed) {
  std::string_view trouble = "does not answer";
  try {
    co_await needed.database.read([](store::Transaction& transaction) { transaction.run("SELECT 1", {}); });
    trouble = "takes no writes";
    co_await needed.database.write([](store::Transaction& transaction) { store::try_writing(transaction); });
  } catch (const store::Error& error) {
    base::log::warning("admin", fmt::format("the {} {}", needed.name, trouble), {{"error", error.what()}});
    co_return DatabaseFault{needed.name, trouble};
  }
  co_return std::nullopt;
}

}  // namespace

void Readiness::handle(GetReadiness, actor::Reply<ReadinessFault> reply, actor::Context& ctx) {
  if (ctx.now() < holds_until_) return reply.set(fault_);
  const bool is_first = waiting_.empty();
  waiting_.push_back(std::move(reply));
  if (is_first) ctx.self(this).tell(TryDatabases{});
}

actor::Task<void> Readiness::handle(TryDatabases, actor::Context& ctx) {
  const ReadinessFault fault = co_await find_fault();
  fault_ = fault;
  holds_until_ = ctx.now() + holds_for;
  for (auto& reply : std::exchange(waiting_, {})) reply.set(fault_);
}

actor::Task<ReadinessFault> Readiness::find_fault() const {
  for (const auto& needed : needed_) {
    const ReadinessFault fault = co_await fault_of(needed);
    if (fault) co_return fault;
  }
  co_return std::nullopt;
}

}  // namespace troupe::app
