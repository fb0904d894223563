// The schedule of signing keys: which sign now, which are still shown, which are to be made
// and which are over. A key is shown to verifiers before it signs, signs for its time, and
// stays until the last token signed with it has expired.
//
// Pure functions of the records and the time, so that the command line in a process of its
// own rotates keys by the same rules as the Key Actor.
#pragma once

#include <chrono>
#include <map>
#include <string_view>
#include <vector>

#include "troupe/base/random.h"
#include "troupe/oauth/model/key_set.h"
#include "troupe/oauth/storage/records.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

struct KeyOptions {
  std::vector<crypto::Algorithm> algorithms = {crypto::Algorithm::es256, crypto::Algorithm::rs256,
                                               crypto::Algorithm::eddsa};
  std::chrono::hours announce{14 * 24};  // verifiers that fetch our keys rarely still have the next one in time
  std::chrono::hours sign{90 * 24};
  std::chrono::hours retain{14 * 24};  // longer than any token lives, so that a slow clock finds the key
};

/// A key that is to be made: from when it shall sign.
struct KeyOrder {
  crypto::Algorithm algorithm = crypto::Algorithm::es256;
  base::UnixTime signs_from;
};

/// What has to be made so that every algorithm can sign now, and has a successor announced in time.
std::vector<KeyOrder> keys_to_make(const std::vector<SigningKeyRecord>& keys, base::UnixTime now,
                                   const KeyOptions& options);

/// The record of a new key. Generating one takes tens of milliseconds and more.
SigningKeyRecord make_key(const KeyOrder& order, base::UnixTime now, const KeyOptions& options);

/// 32 random bytes for the HMACs of opaque tokens.
TokenKeyRecord make_token_key(std::uint8_t id, base::UnixTime now, base::Random& random);

/// Puts `fresh` in the place of the keys that sign now: those stop signing and are shown for a while longer.
void replace_keys(Tables& tables, const std::vector<SigningKeyRecord>& fresh, base::UnixTime now,
                  const KeyOptions& options);

/// Ends a key that somebody else may have: from now on it neither signs nor is shown, so nothing that it has signed is
/// accepted here any more, and connections that such a token has opened are closed. Verifiers elsewhere learn of it
/// when they fetch the keys again (`max-age`). Another key must sign in its place: call replace_keys before. False:
/// there is no such key.
bool revoke_key(Tables& tables, std::string_view id, base::UnixTime now);

/// Where a key is in its life: "announced", "signing", "retained" or "over".
std::string_view state_of(const SigningKeyRecord& key, base::UnixTime now) noexcept;

/// Removes keys that are no longer shown; gives how many.
int remove_retired(Tables& tables, base::UnixTime now);

/// Takes out of `keys` those that cannot be used, though they are still to be shown or to sign: their bytes are no key,
/// or another one than their rows say. Gives them with what to do. Those that can are in `parsed` afterwards, by kid.
std::vector<ReadableKeys::Other> take_out_damaged(std::vector<SigningKeyRecord>& keys, base::UnixTime now,
                                                  std::map<std::string, crypto::PrivateKey>& parsed);

/// What everybody needs of the keys at this moment. `parsed` keeps keys that were read before, by kid.
std::shared_ptr<KeySet> key_set_of(const std::vector<SigningKeyRecord>& keys,
                                   const std::vector<TokenKeyRecord>& token_keys, base::UnixTime now,
                                   std::map<std::string, crypto::PrivateKey>& parsed);

}  // namespace troupe::oauth
