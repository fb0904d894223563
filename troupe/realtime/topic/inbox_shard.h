// InboxShard: the inboxes of the users whose home is one core, and on which cores those
// users are connected.
//
// An inbox exists while something waits in it or its user is connected anywhere; a later
// one of the same user goes on where it was, as long as that is known, and else has a new epoch.
// Until its first message it is that place alone. Whoever
// writes to users who are not there may do so to a part of them only, and of the bytes that wait
// in all inboxes nobody may have sent more than a part: no single user can fill the shard for all others.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "troupe/realtime/topic/core_set.h"
#include "troupe/realtime/topic/inbox.h"
#include "troupe/realtime/topic/past_inboxes.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/topic_shard.h"

namespace troupe::realtime {

struct InboxOptions {
  InboxLimits limits{};
  std::size_t inboxes_max = 100'000;   // on one core: past them only who is connected gets one. Places alone: as many
  std::size_t by_sender_max = 50'000;  // of those, of users who have not come since one user began to write to them
  std::size_t bytes_of_all_max = 256 * 1024 * 1024;    // of what waits on one core: as much as history
  std::size_t bytes_by_sender_max = 64 * 1024 * 1024;  // of that, of what one user has sent
};

/// A direct message that is kept and ready to go.
struct DirectPublication {
  MessageId message;
  Position position;
  base::Bytes frame;
  std::vector<CoreIndex> cores;  // where the user is connected, ascending
};

class InboxShard {
 public:
  explicit InboxShard(InboxOptions options) : options_(options), past_(options.inboxes_max) {}
  InboxShard(const InboxShard&) = delete;  // the inboxes refer to the ledger
  InboxShard& operator=(const InboxShard&) = delete;

  std::expected<DirectPublication, DirectError> send(const SendDirect& direct, const Moment& moment);
  /// The user has a connection on `core`; gives what waits for it.
  InboxContents open(const UserId& user, CoreIndex core, const Moment& moment);
  /// The user has no connection on `core` any more.
  void close(const UserId& user, CoreIndex core);
  /// No user has a connection on `core`, until open() says so.
  void close_all(CoreIndex core);
  /// He has all up to `offset`. What he says of an `epoch` that is over says nothing of the inbox as it is.
  void received(const UserId& user, Offset offset, const std::optional<Epoch>& epoch = {});
  /// Looks at the inboxes alone in which something is too old now, however many users are here.
  void expire(base::Instant now);

  std::size_t size() const noexcept { return boxes_.size(); }
  /// Of what waits in all inboxes.
  std::size_t bytes() const noexcept { return ledger_.bytes(); }

 private:
  using Senders = std::map<UserId, std::size_t>;
  using Due = std::multimap<base::Instant, UserId>;
  struct Mail : Inbox {
    using Inbox::Inbox;
    std::optional<Due::iterator> due;           // while it is not idle, and perhaps a little longer
    std::optional<Senders::iterator> begun_by;  // while its user has not come
  };
  struct Box {
    Position begins;
    CoreSet cores;               // where its user is connected
    std::unique_ptr<Mail> mail;  // null until the first message

    const Position& top() const noexcept { return mail ? mail->top() : begins; }
    bool is_idle() const noexcept { return cores.empty() && (!mail || mail->is_idle()); }
  };
  using Boxes = std::unordered_map<UserId, Box>;

  Box* find(const UserId& user);
  /// The user has none; it begins where top_of() said.
  Box& make(const UserId& user, Position begins);
  /// Of the inbox he has, or of the next that is made for him.
  Position top_of(const UserId& user, base::Random& random) const;
  bool may_begin(const UserId& sender, const UserId& user) const;
  std::optional<DirectError> no_room_for(const UserId& sender, std::size_t bytes) const;
  void release_sender(Box& box);
  void forget_if_idle(Boxes::iterator place);

  InboxOptions options_;
  ByteLedger ledger_;
  Boxes boxes_;
  PastInboxes past_;
  base::Instant now_;               // when something came last that said so
  Senders senders_;                 // inboxes of users who have not come, by who began them
  Due due_;                         // when expire() is to look at whose inbox: once for each
  std::vector<UserId> left_alone_;  // whose inboxes are idle since a core has ended; some may have come back
};

}  // namespace troupe::realtime
