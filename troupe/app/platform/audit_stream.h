// AuditStream: publishes the events of the audit trail on the topics `system.oauth.<kind>`.
//
// One in the system. The Change Actor tells it how far the trail goes; it reads what is new, which
// is committed, and publishes it in the order of the trail, one after the other. Nobody waits for
// it: where the real-time service is slow it falls behind, and what is a minute old is left out.
// It tells of what happens while it runs, not of what was before. Its place in the trail outlives
// a restart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/change_actor.h"
#include "troupe/oauth/storage/storage.h"
#include "troupe/realtime/service/system_supervisor.h"

namespace troupe::app {

/// Whom it publishes by. Said once, when the real-time service has started; until then everything waits.
struct ConnectAuditStream {
  actor::Ref<actor::Protocol<realtime::PublishOwn>> realtime;
};

/// What outlives a restart. Given to it when it is spawned and touched by it alone.
struct AuditStreamMemory {
  actor::Ref<actor::Protocol<realtime::PublishOwn>> realtime;
  std::optional<crypto::TokenId>
      told;  // up to and with this event; nothing: nobody has said yet how far the trail goes
};

class AuditStream {
 public:
  AuditStream(oauth::Storage storage, std::shared_ptr<AuditStreamMemory> memory)
      : storage_(std::move(storage)), memory_(std::move(memory)) {}

  void handle(ConnectAuditStream message) { memory_->realtime = message.realtime; }
  actor::Task<void> handle(oauth::AuditSeen message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  actor::Task<bool> publish(oauth::AuditEvent event);

  oauth::Storage storage_;
  std::shared_ptr<AuditStreamMemory> memory_;
  std::int64_t published_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace troupe::app
