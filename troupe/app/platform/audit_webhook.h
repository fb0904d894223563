// AuditWebhook: posts the events of the audit trail to a server that the operator has named.
//
// One in the system. Each event is sent until it has been taken (2xx), in the order of the trail, at
// least once: how far it has come is kept in the database, behind the answer. A receiver that
// fails is asked again after a pause that grows; meanwhile the trail itself is the queue, so nothing
// piles up here and nobody waits. It begins with what happens after its first start.
//
// A request bears `Troupe-Signature: t=<seconds>,v1=<hex>`, the HMAC-SHA-256 of "<seconds>.<body>"
// under the secret, so that a receiver can tell whose it is, and how old.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/metrics.h"
#include "troupe/base/strong.h"
#include "troupe/oauth/actor/change_actor.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::app {

struct AuditWebhookOptions {
  std::string url;
  base::Secret<std::string> secret;
  std::vector<std::string> kinds;    // empty: all
  int events_a_request = 100;        // about 40 KB
  base::Metrics* metrics = nullptr;  // outlives the actor
  base::Duration pause_min = std::chrono::seconds{1};
  base::Duration pause_max = std::chrono::minutes{5};
  /// Sends a body with that signature and says what went wrong, on a blocking thread; empty: post_json of http_post.h.
  std::function<std::string(const std::string& body, const std::string& signature)> post;
};

/// The value of the header `Troupe-Signature`.
std::string webhook_signature(const base::Secret<std::string>& secret, base::UnixTime now, std::string_view body);

class AuditWebhook {
 public:
  AuditWebhook(oauth::Storage storage, AuditWebhookOptions options);

  actor::Task<void> handle(oauth::AuditSeen message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  actor::Task<void> hand_on(crypto::TokenId newest, actor::Context& context);
  actor::Task<bool> deliver(std::vector<oauth::AuditRow> rows, actor::Context& context);
  actor::Task<void> keep_place(crypto::TokenId last);
  bool is_wanted(const oauth::AuditEvent& event) const;
  void failed(std::string_view why, actor::Context& context);

  oauth::Storage storage_;
  AuditWebhookOptions options_;
  std::optional<crypto::TokenId> told_;  // nothing: it has not looked yet
  base::Instant not_before_{};
  base::Duration pause_{};
  base::Counter& delivered_;
  base::Counter& failures_;
};

}  // namespace troupe::app
