// See key_schedule.h.
#include "troupe/oauth/actor/key_schedule.h"

#include <stdexcept>

#include "troupe/crypto/digest.h"

namespace troupe::oauth {
namespace {

bool signs_at(const SigningKeyRecord& key, base::UnixTime now) {
  return key.signs_from <= now && now < key.signs_until;
}

/// The key of that algorithm that signs at `now`: of several the one that began last; null when there is none.
const SigningKeyRecord* signer_at(const std::vector<SigningKeyRecord>& keys, crypto::Algorithm algorithm,
                                  base::UnixTime now) {
  const SigningKeyRecord* newest = nullptr;
  for (const SigningKeyRecord& key : keys) {
    if (key.algorithm != algorithm || !signs_at(key, now)) continue;
    if (newest == nullptr || key.signs_from >= newest->signs_from) newest = &key;
  }
  return newest;
}

/// The key of the record; nothing where its bytes are none, or another one.
std::optional<crypto::PrivateKey> parse(const SigningKeyRecord& record) {
  auto key = crypto::PrivateKey::from_der(record.der);
  if (!key || key->algorithm() != record.algorithm || key->kid() != record.id) return std::nullopt;
  return *std::move(key);
}

}  // namespace

std::vector<KeyOrder> keys_to_make(const std::vector<SigningKeyRecord>& keys, base::UnixTime now,
                                   const KeyOptions& options) {
  std::vector<KeyOrder> orders;
  for (const crypto::Algorithm algorithm : options.algorithms) {
    const SigningKeyRecord* current = signer_at(keys, algorithm, now);
    if (current == nullptr) {
      orders.push_back({algorithm, now});
    } else if (current->signs_until <= now + options.announce &&
               signer_at(keys, algorithm, current->signs_until) == nullptr) {
      orders.push_back({algorithm, current->signs_until});
    }
  }
  return orders;
}

SigningKeyRecord make_key(const KeyOrder& order, base::UnixTime now, const KeyOptions& options) {
  const crypto::PrivateKey key = crypto::PrivateKey::generate(order.algorithm);
  return {.id = key.kid(),
          .algorithm = order.algorithm,
          .der = key.der(),
          .created_at = now,
          .signs_from = order.signs_from,
          .signs_until = order.signs_from + options.sign,
          .retired_at = order.signs_from + options.sign + options.retain};
}

TokenKeyRecord make_token_key(std::uint8_t id, base::UnixTime now, base::Random& random) {
  std::string secret(32, '\0');
  random.fill(std::as_writable_bytes(std::span{secret}));
  return {.id = id, .secret = base::Secret{std::move(secret)}, .created_at = now};
}

void replace_keys(Tables& tables, const std::vector<SigningKeyRecord>& fresh, base::UnixTime now,
                  const KeyOptions& options) {
  for (SigningKeyRecord old : tables.keys.signing_times()) {
    if (old.signs_until <= now) continue;
    old.signs_from = std::min(old.signs_from, now);  // one that was announced never gets its turn
    old.signs_until = now;
    old.retired_at = now + options.retain;
    tables.keys.update_signing_times(old);
  }
  for (const SigningKeyRecord& key : fresh) tables.keys.insert_signing(key);
}

bool revoke_key(Tables& tables, std::string_view id, base::UnixTime now) {
  for (SigningKeyRecord key : tables.keys.signing_times()) {
    if (key.id != id) continue;
    key.signs_from = std::min(key.signs_from, now);
    key.signs_until = std::min(key.signs_until, now);
    key.retired_at = std::min(key.retired_at, now);
    tables.keys.update_signing_times(key);
    tables.grants.append_ending({.at = now, .client = std::nullopt, .user = std::nullopt, .signing_key = key.id});
    return true;
  }
  return false;
}

std::string_view state_of(const SigningKeyRecord& key, base::UnixTime now) noexcept {
  if (now < key.signs_from) return "announced";
  if (now < key.signs_until) return "signing";
  return now < key.retired_at ? "retained" : "over";
}

int remove_retired(Tables& tables, base::UnixTime now) {
  int removed = 0;
  for (const SigningKeyRecord& key : tables.keys.signing_times())
    if (key.retired_at <= now && tables.keys.remove_signing(key.id)) ++removed;
  return removed;
}

std::vector<ReadableKeys::Other> take_out_damaged(std::vector<SigningKeyRecord>& keys, base::UnixTime now,
                                                  std::map<std::string, crypto::PrivateKey>& parsed) {
  std::vector<ReadableKeys::Other> damaged;
  std::erase_if(keys, [&](const SigningKeyRecord& record) {
    if (record.retired_at <= now || parsed.contains(record.id)) return false;
    if (auto key = parse(record)) {
      parsed.emplace(record.id, *std::move(key));
      return false;
    }
    damaged.push_back({.id = record.id,
                       .why = "signing_keys/" + record.id +
                              " in the database is damaged: restore it from a backup, or end it by `troupe keys rotate "
                              "--revoke " +
                              record.id + "`"});
    return true;
  });
  return damaged;
}

std::shared_ptr<KeySet> key_set_of(const std::vector<SigningKeyRecord>& keys,
                                   const std::vector<TokenKeyRecord>& token_keys, base::UnixTime now,
                                   std::map<std::string, crypto::PrivateKey>& parsed) {
  auto set = std::make_shared<KeySet>();
  std::string documents;
  for (const SigningKeyRecord& record : keys) {
    if (record.retired_at <= now) continue;
    auto known = parsed.find(record.id);
    if (known == parsed.end()) {
      auto read = parse(record);
      if (!read) throw std::runtime_error("the signing key " + record.id + " in the database cannot be read");
      known = parsed.emplace(record.id, *std::move(read)).first;
    }
    const crypto::PrivateKey& key = known->second;
    if (signer_at(keys, record.algorithm, now) == &record) set->signing.push_back(key);
    set->verifying.push_back(key.public_key());
    if (!documents.empty()) documents += ',';
    documents += key.public_key().jwk();
  }
  set->jwks = R"({"keys":[)" + documents + "]}";
  set->jwks_etag = '"' + crypto::hex(crypto::sha256(set->jwks).view().substr(0, 16)) + '"';
  for (const TokenKeyRecord& key : token_keys) {
    set->token_keys.by_id.insert_or_assign(key.id, key.secret);
    set->token_key = key.id;  // listed by id: the newest is the last
  }
  return set;
}

}  // namespace troupe::oauth
