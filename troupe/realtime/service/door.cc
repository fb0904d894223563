// Door: the answers to those who are not let in, and the question to who knows tokens.
#include "troupe/realtime/service/door.h"

#include <fmt/format.h>

#include "troupe/realtime/connection/shared_limits.h"
#include "troupe/realtime/protocol/random_id.h"

namespace troupe::realtime {

namespace {

web::Response unavailable(const RealtimeOptions& options, std::string_view why) {
  auto response = web::problem(503, why);
  response.headers.set("Retry-After", fmt::format("{}", options.retry_after.count()));
  return response;
}

std::string_view describe(const actor::Failure<AdmitRefusal>& failure) {
  if (failure.domain == AdmitRefusal::full) return "All places are taken.";
  if (failure.domain == AdmitRefusal::too_many_from_address) return "Too many connections from this address.";
  if (failure.domain == AdmitRefusal::too_many_of_user) return "Too many connections of this user.";
  if (failure.domain == AdmitRefusal::draining) return "The server is going away.";
  return "The server does not answer.";
}

}  // namespace

web::Response unauthorized() {
  auto response = web::problem(401, "The access token is not valid.");
  response.headers.set("WWW-Authenticate", "Bearer error=\"invalid_token\"");  // RFC 6750, 3
  return response;
}

web::Response token_needed() {
  auto response = web::problem(401, "An access token is needed.");
  response.headers.set("WWW-Authenticate", "Bearer");  // who showed nothing is told no error (RFC 6750, 3.1)
  return response;
}

web::Response turned_away(const RealtimeOptions& options, const actor::Failure<AdmitRefusal>& failure) {
  auto response = unavailable(options, describe(failure));
  if (!failure.domain) return response;
  const bool drains = failure.domain == AdmitRefusal::draining;
  response.refusal = drains ? web::Refusal::draining : web::Refusal::limit;
  return response;
}

Identity anonymous(base::Random& random) {
  constexpr std::string_view prefix = "anon:";
  auto user = std::string{prefix} + random_id(random_id_characters_max - prefix.size(), random);
  return {UserId{std::move(user)}, {}, {}, {}};
}

std::optional<ClientError> over_rates(const net::IpAddress& address, const UserId* user, std::size_t bytes,
                                      Door& door) {
  auto& site = *door.site;
  auto now = door.core.read_clock();
  SharedRates<UserId>::Rate of_user;
  if (user != nullptr) of_user = site.user_rates.find(*user, site.options.user, now);
  auto of_address = site.address_rates.find(counted_address(address), site.options.address, now);
  auto excess = over_shared_rates(site.options, of_user.get(), *of_address, bytes, now);
  if (excess) ++site.figures.frames_limited;
  return excess;
}

actor::Task<std::expected<Identity, web::Response>> identify(std::string token, DoorPtr door) {
  auto verified = co_await door->verifier.ask(VerifyToken{base::Secret<std::string>{std::move(token)}});
  if (verified) co_return *std::move(verified);
  if (verified.error().domain == TokenRefusal::invalid) co_return std::unexpected(unauthorized());
  co_return std::unexpected(unavailable(*door->options.read(), "The token cannot be verified now."));
}

}  // namespace troupe::realtime
