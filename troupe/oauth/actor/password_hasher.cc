// See password_hasher.h.
#include "troupe/oauth/actor/password_hasher.h"

namespace troupe::oauth {

actor::Task<PasswordVerdict> PasswordHasher::handle(CheckPassword message, actor::Context& context) {
  const crypto::PasswordSalt salt = crypto::fresh_salt(context.random());
  auto verdict = co_await actor::blocking(
      [password = std::move(message.password), phc = std::move(message.phc), cost = cost_, salt] {
        PasswordVerdict made;
        made.is_right = crypto::verify_password(password, phc.empty() ? crypto::unmatchable_hash(cost) : phc);
        if (made.is_right && crypto::needs_rehash(phc, cost))
          made.better_hash = crypto::hash_password(password, cost, salt).value();
        return made;
      });
  co_return verdict;
}

actor::Task<std::string> PasswordHasher::handle(HashPassword message, actor::Context& context) {
  const crypto::PasswordSalt salt = crypto::fresh_salt(context.random());
  auto hash = co_await actor::blocking([password = std::move(message.password), cost = cost_, salt] {
    return crypto::hash_password(password, cost, salt).value_or("");
  });
  co_return hash;
}

actor::Ref<PasswordHasher> start_hashers(actor::Context& context, const PasswordOptions& options) {
  return actor::pool<PasswordHasher>(
      context,
      {.name = "password_hashers",
       .size = options.hashers,
       .route = actor::Route::least_loaded,
       .member = {.name = "hasher",
                  .mailbox = {.capacity = options.waiting, .overflow = actor::Overflow::drop_newest},
                  .restart = actor::Restart::permanent}},
      options.cost);
}

}  // namespace troupe::oauth
