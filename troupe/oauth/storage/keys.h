// The tables of the server's own keys; their twin in memory, and the same rows by SQL. See
// clients.h for what a table promises.
#pragma once

#include <map>
#include <vector>

#include "troupe/oauth/storage/records.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

class KeyTable {
 public:
  virtual ~KeyTable() = default;
  virtual void insert_signing(const SigningKeyRecord& key) = 0;
  /// All signing keys, oldest first.
  virtual std::vector<SigningKeyRecord> signing() = 0;
  /// Writes the times of a known key; whether it is known.
  virtual bool update_signing_times(const SigningKeyRecord& key) = 0;
  virtual bool remove_signing(std::string_view id) = 0;
  /// A number that rises whenever a signing key changes, by whichever process.
  virtual std::int64_t generation() = 0;

  virtual void insert_token_key(const TokenKeyRecord& key) = 0;
  /// All keys of opaque tokens, by id.
  virtual std::vector<TokenKeyRecord> token_keys() = 0;
};

class MemoryKeys final : public KeyTable {
 public:
  void insert_signing(const SigningKeyRecord& key) override;
  std::vector<SigningKeyRecord> signing() override;
  bool update_signing_times(const SigningKeyRecord& key) override;
  bool remove_signing(std::string_view id) override;
  std::int64_t generation() override;
  void insert_token_key(const TokenKeyRecord& key) override;
  std::vector<TokenKeyRecord> token_keys() override;

 private:
  std::vector<SigningKeyRecord> signing_;
  std::int64_t generation_ = 0;
  std::map<std::uint8_t, TokenKeyRecord> token_keys_;
};

class SqlKeys final : public KeyTable {
 public:
  explicit SqlKeys(store::Transaction& transaction) : transaction_(transaction) {}
  void insert_signing(const SigningKeyRecord& key) override;
  std::vector<SigningKeyRecord> signing() override;
  bool update_signing_times(const SigningKeyRecord& key) override;
  bool remove_signing(std::string_view id) override;
  std::int64_t generation() override;
  void insert_token_key(const TokenKeyRecord& key) override;
  std::vector<TokenKeyRecord> token_keys() override;

 private:
  store::Transaction& transaction_;
};

}  // namespace troupe::oauth
