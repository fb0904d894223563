// Key Actor: owns the signing keys: makes them before they are needed, announces them, signs
// with them, and keeps the public part until the last token signed with them has expired.
//
// At a first start it makes those that take no time and serves; RSA follows from the Key Maker. Until then the key
// set says that it is not complete.
//
// Whoever signs keeps a KeySet of its own, so that no signature waits for this actor: it
// subscribes to the topic of keys, then asks for those of the moment.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/actor/topic.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/key_maker.h"
#include "troupe/oauth/actor/key_schedule.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/key_set.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// The keys of this moment.
struct GetKeys {
  using reply = KeySetPtr;
};

/// The keys have changed. Published on `keys_topic`; who is busy hears it all the same.
struct KeysChanged {
  static constexpr auto message_class = actor::MessageClass::control;
  KeySetPtr keys;
};

/// Makes new keys of every algorithm the signing ones; the old ones stay good for verifying.
struct RotateKeys {
  Cause cause{};
  using reply = KeySetPtr;
};

/// The same, and ends the key of that id, which somebody else may have (revoke_key). Errors: not_found.
struct RevokeKey {
  std::string id;
  Cause cause{};
  using reply = KeySetPtr;
  using error = OauthError;
};

/// A signing key as those who administer see it: never its private part.
struct ListedKey {
  std::string id;
  crypto::Algorithm algorithm = crypto::Algorithm::es256;
  std::string state;  // as state_of has it
  std::string jwk;    // its public part, as JSON
  base::UnixTime created_at;
  base::UnixTime signs_from;
  base::UnixTime signs_until;
  base::UnixTime retired_at;
};

/// All signing keys that are kept, oldest first.
struct ListKeys {
  using reply = std::vector<ListedKey>;
};

inline constexpr std::string_view keys_topic = "oauth.keys";

/// Told twice a second by the Change Actor: the generation of the kept keys. Another process may have changed them, and
/// time alone makes another key the signing one.
struct KeysSeen {
  std::int64_t generation;
};

class KeyActor {
 public:
  KeyActor(Storage storage, KeyOptions options);

  /// Seals keys that are not sealed as they should be, makes those that are missing and orders the slow ones; messages
  /// wait until something can sign. A signing key that is damaged, or that another process has sealed so that it cannot
  /// be read here, is left out, now and later, and told in the log; where it was to sign, another one does.
  actor::Task<void> started(actor::Context& context);
  KeySetPtr handle(const GetKeys& message) const;
  actor::Task<KeySetPtr> handle(RotateKeys message, actor::Context& context);
  actor::Task<std::expected<KeySetPtr, OauthError>> handle(RevokeKey message, actor::Context& context);
  std::vector<ListedKey> handle(const ListKeys& message, actor::Context& context) const;

  actor::Task<void> handle(KeysSeen message, actor::Context& context);
  /// Told by itself: makes what will be needed, removes what is over.
  struct Maintain {};
  actor::Task<void> handle(Maintain message, actor::Context& context);
  /// Told by itself until nothing is missing: orders what is.
  struct Order {};
  void handle(Order message, actor::Context& context);
  /// Keeps what was ordered, as far as it is still wanted.
  actor::Task<void> handle(KeysMade message, actor::Context& context);

  void inspect(actor::Inspection& out) const;

 private:
  actor::Task<void> replace(std::optional<std::string> revoked, Cause cause, actor::Context& context);
  actor::Task<void> make(std::vector<KeyOrder> orders, actor::Context& context);
  actor::Task<void> keep(std::vector<SigningKeyRecord> fresh, actor::Context& context);
  actor::Task<void> make_missing(actor::Context& context);
  actor::Task<void> load(actor::Context& context);
  void leave_out(std::vector<ReadableKeys::Other> others);
  actor::Task<void> seal_anew(actor::Context& context);
  void publish(actor::Context& context);

  Storage storage_;
  KeyOptions options_;
  actor::Ref<KeyMaker> maker_;
  Auditor auditor_;
  std::vector<SigningKeyRecord> records_;
  std::set<std::string> left_out_;  // keys that cannot be read
  std::vector<TokenKeyRecord> token_keys_;
  std::int64_t generation_ = -1;
  std::map<std::string, crypto::PrivateKey> parsed_;
  KeySetPtr keys_;
};

}  // namespace troupe::oauth
