// The tables of the server's own keys; their twin in memory, and the same rows by SQL. See
// clients.h for what a table promises.
#pragma once

#include <map>
#include <vector>

#include "troupe/oauth/storage/key_seals.h"
#include "troupe/oauth/storage/records.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

/// Signing keys as far as this process can read them, oldest first.
struct ReadableKeys {
  struct Other {
    std::string id;
    std::string why;  // what an operator has to do
    KeyFault fault = KeyFault::damaged;
  };
  std::vector<SigningKeyRecord> keys;
  std::vector<Other> others;  // those that it cannot unseal, or whose rows are damaged
};

/// Throws UnsealError where one of them is sealed by another encryption key than those configured. That is a mistake
/// of the configuration, which new keys in its place would hide; one that is damaged is lost, and no reason to stop.
void refuse_other_seals(const ReadableKeys& keys);

class KeyTable {
 public:
  virtual ~KeyTable() = default;
  virtual void insert_signing(const SigningKeyRecord& key) = 0;
  /// All signing keys, oldest first. Throws where one of them cannot be read.
  virtual std::vector<SigningKeyRecord> signing() = 0;
  /// The same for who goes on with those that it can read.
  virtual ReadableKeys readable_signing() = 0;
  /// Their ids, algorithms and times alone, for which nothing else of a row need be readable. One that names no
  /// algorithm is given as of ES256.
  virtual std::vector<SigningKeyRecord> signing_times() = 0;
  /// Writes the times of a known key; whether it is known.
  virtual bool update_signing_times(const SigningKeyRecord& key) = 0;
  virtual bool remove_signing(std::string_view id) = 0;
  /// A number that rises whenever a signing key changes, by whichever process.
  virtual std::int64_t generation() = 0;

  virtual void insert_token_key(const TokenKeyRecord& key) = 0;
  /// All keys of opaque tokens, by id.
  virtual std::vector<TokenKeyRecord> token_keys() = 0;
  /// Seals anew what is not sealed by the current key, or no longer is to be sealed, as far as it can be read; gives
  /// how many keys that were.
  virtual int seal_anew() = 0;
  /// Whether `seal_anew` has nothing to do.
  virtual bool is_sealed_as_configured() = 0;
};

class MemoryKeys final : public KeyTable {
 public:
  void insert_signing(const SigningKeyRecord& key) override;
  std::vector<SigningKeyRecord> signing() override;
  ReadableKeys readable_signing() override { return {signing_, {}}; }
  std::vector<SigningKeyRecord> signing_times() override;
  bool update_signing_times(const SigningKeyRecord& key) override;
  bool remove_signing(std::string_view id) override;
  std::int64_t generation() override;
  void insert_token_key(const TokenKeyRecord& key) override;
  std::vector<TokenKeyRecord> token_keys() override;
  int seal_anew() override { return 0; }  // memory is no place that others copy
  bool is_sealed_as_configured() override { return true; }

 private:
  std::vector<SigningKeyRecord> signing_;
  std::int64_t generation_ = 0;
  std::map<std::uint8_t, TokenKeyRecord> token_keys_;
};

class SqlKeys final : public KeyTable {
 public:
  /// `seals` outlives it; null: keys stand in clear. What reads a key throws what KeySeals::unseal throws.
  explicit SqlKeys(store::Transaction& transaction, const KeySeals* seals = nullptr)
      : transaction_(transaction), seals_(seals != nullptr ? *seals : in_clear) {}
  void insert_signing(const SigningKeyRecord& key) override;
  std::vector<SigningKeyRecord> signing() override;
  ReadableKeys readable_signing() override;
  std::vector<SigningKeyRecord> signing_times() override;
  bool update_signing_times(const SigningKeyRecord& key) override;
  bool remove_signing(std::string_view id) override;
  std::int64_t generation() override;
  void insert_token_key(const TokenKeyRecord& key) override;
  std::vector<TokenKeyRecord> token_keys() override;
  int seal_anew() override;
  bool is_sealed_as_configured() override;

 private:
  static const KeySeals in_clear;

  store::Transaction& transaction_;
  const KeySeals& seals_;
};

}  // namespace troupe::oauth
