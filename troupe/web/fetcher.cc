// See fetcher.h.
#include "troupe/web/fetcher.h"

namespace troupe::web {

actor::Task<std::expected<Fetched, FetchFault>> Fetcher::handle(Fetch message) {
  const auto work = [request = std::move(message), rules = options_.rules] { return fetch_and_wait(request, rules); };
  // Held here too: threads end when the last who knows them is gone, and must not end under a job.
  const std::shared_ptr<actor::Offload> threads = options_.threads;
  std::expected<Fetched, FetchFault> fetched = std::unexpected(FetchFault::unreachable);
  if (threads) {
    fetched = co_await actor::blocking_on(*threads, work);
  } else {
    fetched = co_await actor::blocking(work);
  }
  ++(fetched ? answered_ : failed_);
  co_return fetched;
}

void Fetcher::inspect(actor::Inspection& out) const {
  out.add("answered", answered_);
  out.add("failed", failed_);
}

actor::ActorOptions fetcher_options() {
  return {.name = "fetcher",
          .mailbox = {.capacity = 256},
          .restart = actor::Restart::permanent,
          .in_flight_max = Fetcher::threads_max};
}

}  // namespace troupe::web
