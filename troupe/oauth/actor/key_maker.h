// KeyMaker: generates signing keys away from the cores, for the Key Actor, which does not wait for them: a key of RSA
// takes a hundred milliseconds and at times many of them, and a server is of use before that.
#pragma once

#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/key_schedule.h"

namespace troupe::oauth {

/// Keys that were ordered. They are kept nowhere yet.
struct KeysMade {
  std::vector<SigningKeyRecord> keys;
};

/// Make these, and tell `by`.
struct MakeKeys {
  std::vector<KeyOrder> orders;
  base::UnixTime now;
  KeyOptions options;
  actor::Ref<actor::Protocol<KeysMade>> by;
};

/// The keys of these orders, made on a blocking thread.
actor::Task<std::vector<SigningKeyRecord>> keys_for(std::vector<KeyOrder> orders, base::UnixTime now,
                                                    KeyOptions options);

class KeyMaker {
 public:
  actor::Task<void> handle(MakeKeys message);
};

}  // namespace troupe::oauth
