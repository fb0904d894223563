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

actor::Pool<PasswordHasher> start_hashers(actor::Context& context, const PasswordOptions& options) {
  std::vector<actor::Ref<PasswordHasher>> members;
  for (int i = 0; i < options.hashers; ++i)
    members.push_back(context.spawn<PasswordHasher>(
        {.name = "password_hasher", .mailbox = {.capacity = options.waiting, .overflow = actor::Overflow::drop_newest}},
        options.cost));
  return actor::Pool<PasswordHasher>{std::move(members)};
}

}  // namespace troupe::oauth
