// See password_hasher.h.
#include "troupe/oauth/actor/password_hasher.h"

#include <algorithm>

#include "troupe/base/log.h"
#include "troupe/crypto/breached_passwords.h"
#include "troupe/crypto/password_calibration.h"

namespace troupe::oauth {
namespace {

/// What a hasher does for one login.
PasswordVerdict verdict_on(const CheckPassword& shown, const PresentCost& present, const crypto::PasswordSalt& salt) {
  const auto& [password, phc, least] = shown;
  const crypto::PasswordCost refusal = crypto::dearer(present.cost, least);
  PasswordVerdict made;
  made.is_right = crypto::verify_password(password, phc.empty() ? crypto::unmatchable_hash(refusal) : phc);
  if (!made.is_right && !phc.empty()) crypto::spend_difference(phc, refusal);
  // Before the cost is settled nothing is hashed anew: it would be again a moment later.
  if (made.is_right && present.is_settled && crypto::needs_rehash(phc, present.cost))
    made.better_hash = crypto::hash_password(password, present.cost, salt).value();
  return made;
}

/// How many may wait at each hasher, so that the last one does not wait much longer than two seconds.
std::uint32_t waiting_at_each(const PasswordOptions& options) {
  constexpr std::int64_t longest_ms = 2000;
  if (options.time.count() == 0) return options.waiting;
  const auto fitting = static_cast<std::uint32_t>(std::max<std::int64_t>(longest_ms / options.time.count(), 4));
  return std::min(options.waiting, fitting);
}

}  // namespace

actor::Task<PasswordVerdict> PasswordHasher::handle(CheckPassword message, actor::Context& context) {
  const crypto::PasswordSalt salt = crypto::fresh_salt(context.random());
  // Held here too: threads end when the last who knows them is gone, and must not end under a job.
  const std::shared_ptr<actor::Offload> threads = options_.threads;
  auto verdict = co_await off_core(
      [shown = std::move(message), present = *reader_.read(), salt] { return verdict_on(shown, present, salt); });
  co_return verdict;
}

actor::Task<std::expected<std::string, HashError>> PasswordHasher::handle(HashPassword message,
                                                                          actor::Context& context) {
  const crypto::PasswordSalt salt = crypto::fresh_salt(context.random());
  const std::shared_ptr<actor::Offload> threads = options_.threads;
  auto hash = co_await off_core([password = std::move(message.password), cost = reader_.read()->cost, salt,
                                 breached = options_.breached]() -> std::expected<std::string, HashError> {
    if (breached && breached->has(password)) return std::unexpected(HashError::breached);
    return crypto::hash_password(password, cost, salt).value_or("");
  });
  co_return hash;
}

actor::Task<void> PasswordHasher::handle(Calibrate) {
  const std::shared_ptr<actor::Offload> threads = options_.threads;
  const auto cost = co_await off_core(
      [least = options_.cost, time = options_.time] { return crypto::calibrated(least, time, crypto::time_of_hash); });
  present_.publish(PresentCost{.cost = cost, .is_settled = true});
  base::log::info("oauth", "the cost of passwords is calibrated",
                  {{"memory_kib", cost.memory_kib}, {"passes", cost.passes}, {"target_ms", options_.time.count()}});
}

actor::Ref<PasswordHasher> start_hashers(actor::Context& context, const PasswordOptions& options) {
  const bool is_calibrated = options.time.count() > 0;
  const base::Published<PresentCost> present{PresentCost{.cost = options.cost, .is_settled = !is_calibrated}};
  auto hashers = actor::pool<PasswordHasher>(
      context,
      {.name = "password_hashers",
       .size = options.hashers,
       .route = actor::Route::least_loaded,
       .member = {.name = "hasher",
                  .mailbox = {.capacity = waiting_at_each(options), .overflow = actor::Overflow::drop_newest},
                  .restart = actor::Restart::permanent}},
      options, present);
  if (is_calibrated) hashers.tell(PasswordHasher::Calibrate{});
  return hashers;
}

}  // namespace troupe::oauth
