// RealtimeSettings: what an operator decides by namespace, which is a topic's first segment:
// how much is kept, who may do what, what happens to a slow reader; and by which rules
// publications are routed.
//
// One immutable value, shared by all cores and replaced as a whole while the service runs
// (UseSettings). Whoever works by it asks again each time and keeps no part of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/message.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/protocol/permission.h"
#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/realtime/topic/history.h"
#include "troupe/realtime/topic/routing_rule.h"

namespace troupe::realtime {

/// Who says what happens to a subscription's messages when its reader is too slow.
enum class OverflowChoice : std::uint8_t {
  client,  // `overflow` of the subscription; the namespace's own where it says nothing
  server,  // the namespace's own; a client that asks for another is refused
};

/// Where what is kept of a topic lies.
enum class Durability : std::uint8_t {
  memory,  // a later process begins new epochs
  disk,    // and on the disk: it outlives the process; a publication is there before anybody gets it
};

enum class Presence : std::uint8_t { off, on };

enum class Anonymous : std::uint8_t {
  refused,  // a connection needs a token, at the latest in its first frame
  allowed,  // who brings no token is let in with the anonymous grants
};

struct NamespaceOptions {
  HistoryLimits history{};
  Durability durability = Durability::memory;  // not everybody waits for a disk before each acknowledgement
  Overflow overflow = Overflow::drop_oldest;   // late news is worth less than fresh news
  OverflowChoice overflow_choice = OverflowChoice::client;
  base::Duration block_time = std::chrono::seconds{5};  // that an ack waits for a reader under `block`
  std::size_t payload_bytes_max = 64 * 1024 * 1024;     // no frame may be larger, so the frame's limit holds alone
  Presence presence = Presence::on;
  std::vector<Grant> default_grants{};    // for everybody who is let in
  std::vector<Grant> anonymous_grants{};  // besides them, for those without a token
};

class RealtimeSettings {
 public:
  using Namespaces = std::map<std::string, NamespaceOptions, std::less<>>;  // by a topic's first segment

  /// `defaults` hold where no namespace says otherwise; its grants hold everywhere, beside those of the namespaces.
  explicit RealtimeSettings(NamespaceOptions defaults = {}, Namespaces namespaces = {},
                            Anonymous anonymous = Anonymous::refused, std::vector<RoutingRule> rules = {});

  /// The options of a topic. A pattern whose first segment is a wildcard has the defaults. Allocates nothing.
  const NamespaceOptions& of(std::string_view topic) const noexcept;
  const NamespaceOptions& of(const TopicName& topic) const noexcept { return of(std::string_view{topic.text()}); }
  const NamespaceOptions& of(const TopicPattern& topic) const noexcept { return of(std::string_view{topic.text()}); }

  const NamespaceOptions& defaults() const noexcept { return defaults_; }
  const Namespaces& namespaces() const noexcept { return namespaces_; }

  /// In the order in which they are looked at. None has a fault_of().
  std::span<const RoutingRule> rules() const noexcept { return rules_; }

  Anonymous anonymous() const noexcept { return anonymous_; }
  /// What somebody may do whose token does not say so: the grants of all namespaces together.
  const Grants& grants_with_token() const noexcept { return default_grants_; }
  const Grants& grants_without_token() const noexcept { return anonymous_grants_; }

 private:
  NamespaceOptions defaults_;
  Namespaces namespaces_;
  Anonymous anonymous_;
  std::vector<RoutingRule> rules_;
  Grants default_grants_;
  Grants anonymous_grants_;  // the default ones too
};

/// How long a publication to such a topic may go unanswered; longer than the home takes at worst.
inline base::Duration publish_within(const NamespaceOptions& options) noexcept {
  constexpr base::Duration usual = std::chrono::seconds{5};
  return options.overflow == Overflow::block ? options.block_time + usual : usual;
}

using SettingsPtr = std::shared_ptr<const RealtimeSettings>;

inline SettingsPtr default_settings() { return std::make_shared<const RealtimeSettings>(); }

/// From now on these hold. Told to each core's router and ConnectionSupervisor.
struct UseSettings {
  static constexpr auto message_class = actor::MessageClass::control;
  SettingsPtr settings;
};

}  // namespace troupe::realtime
