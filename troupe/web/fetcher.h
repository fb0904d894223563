// Fetcher: the actor that fetches for whoever asks (fetch.h), on threads of its own.
//
// So many requests are under way as it has threads; others wait in its mailbox, and who no longer waits for an answer
// is not served any more. libcurl's easy form is used, one thread a request, since resolving a name may block there.
#pragma once

#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/web/fetch.h"

namespace troupe::web {

struct FetcherOptions {
  FetchRules rules;
  std::shared_ptr<actor::Offload> threads{};  // none: the system's own
};

class Fetcher {
 public:
  static constexpr std::string_view actor_type = "Fetcher";
  static constexpr bool interleaves = true;
  static constexpr std::uint32_t threads_max = 6;  // a slow server holds one of them for `within`

  explicit Fetcher(FetcherOptions options) : options_(std::move(options)) {}

  actor::Task<std::expected<Fetched, FetchFault>> handle(Fetch message);
  void inspect(actor::Inspection& out) const;

 private:
  FetcherOptions options_;
  std::int64_t answered_ = 0;
  std::int64_t failed_ = 0;
};

/// What the system of a server gives a Fetcher that it spawns.
actor::ActorOptions fetcher_options();

}  // namespace troupe::web
