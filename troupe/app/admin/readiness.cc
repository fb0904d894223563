// See readiness.h.
#include "troupe/app/admin/readiness.h"

#include <fmt/format.h>

#include "troupe/base/log.h"
#include "troupe/store/migration.h"

namespace troupe::app {

void Readiness::handle(GetReadiness, actor::Reply<DatabaseFault> reply, actor::Context& ctx) {
  if (ctx.now() < holds_until_) return reply.set(fault_);
  const bool is_first = waiting_.empty();
  waiting_.push_back(std::move(reply));
  if (is_first) ctx.self(this).tell(TryDatabase{});
}

actor::Task<void> Readiness::handle(TryDatabase, actor::Context& ctx) {
  const DatabaseFault fault = co_await find_fault();
  fault_ = fault;
  holds_until_ = ctx.now() + holds_for;
  for (auto& reply : std::exchange(waiting_, {})) reply.set(fault_);
}

actor::Task<DatabaseFault> Readiness::find_fault() const {
  std::string_view trouble = "does not answer";
  try {
    co_await database_.read([](store::Transaction& transaction) { transaction.run("SELECT 1", {}); });
    trouble = "takes no writes";
    co_await database_.write([](store::Transaction& transaction) { store::try_writing(transaction); });
  } catch (const store::Error& error) {
    base::log::warning("admin", fmt::format("the database {}", trouble), {{"error", error.what()}});
    co_return trouble;
  }
  co_return std::nullopt;
}

}  // namespace troupe::app
