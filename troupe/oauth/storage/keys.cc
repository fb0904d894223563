// See keys.h.
#include "troupe/oauth/storage/keys.h"

#include "troupe/oauth/storage/columns.h"
#include "troupe/oauth/storage/rows.h"

namespace troupe::oauth {
namespace {

auto same_id(std::string_view id) {
  return [id](const SigningKeyRecord& key) { return key.id == id; };
}

// What a sealed key is bound to, so that no row can stand in another one's place.
std::string signing_place(const std::string& id) { return "signing_keys/" + id; }
std::string token_place(int id) { return "token_keys/" + std::to_string(id); }

/// Shows `visit(key, kept, algorithm)` each signing key without its private part, that as it is kept, and the name of
/// its algorithm; oldest first.
template <class F>
void each_signing(store::Transaction& transaction, F visit) {
  transaction.each(
      "SELECT id, alg, der, created_at, signs_from, signs_until, retired_at, sealed_by FROM signing_keys "
      "ORDER BY created_at, id",
      {}, [&](const store::Row& row) {
        visit(SigningKeyRecord{.id = row.text(0),
                               .der = {},
                               .created_at = time_in(row, 3),
                               .signs_from = time_in(row, 4),
                               .signs_until = time_in(row, 5),
                               .retired_at = time_in(row, 6)},
              SealedSecret{row.blob(2), row.maybe_text(7)}, row.text(1));
      });
}

/// Throws UnsealError.
void complete(SigningKeyRecord& key, const SealedSecret& kept, std::string_view algorithm, const KeySeals& seals) {
  const auto named = crypto::algorithm_named(algorithm);
  if (!named)
    throw UnsealError(KeyFault::damaged, signing_place(key.id) + " in the database names no algorithm: restore it");
  key.algorithm = *named;
  key.der = seals.unseal(kept, signing_place(key.id));
}

struct KeptKey {
  std::string id, place;
  SealedSecret secret;
};

/// Of the keys that `select` gives those that do not stand as `seals` would have it.
template <class Place>
std::vector<KeptKey> keys_to_seal(store::Transaction& transaction, const KeySeals& seals, const char* select,
                                  Place place_of) {
  std::vector<KeptKey> keys;
  transaction.each(select, {}, [&](const store::Row& row) {
    KeptKey key{row.text(0), place_of(row.text(0)), {row.blob(1), row.maybe_text(2)}};
    if (!seals.is_current(key.secret)) keys.push_back(std::move(key));
  });
  return keys;
}

std::vector<KeptKey> signing_keys_to_seal(store::Transaction& transaction, const KeySeals& seals) {
  return keys_to_seal(transaction, seals, "SELECT id, der, sealed_by FROM signing_keys", signing_place);
}

std::vector<KeptKey> token_keys_to_seal(store::Transaction& transaction, const KeySeals& seals) {
  return keys_to_seal(transaction, seals, "SELECT CAST(id AS TEXT), secret, sealed_by FROM token_keys",
                      [](const std::string& id) { return token_place(std::stoi(id)); });
}

/// Whether nobody can read it, so that no start of the server will seal it anew.
bool is_lost(const KeptKey& key, const KeySeals& seals) {
  try {
    (void)seals.unseal(key.secret, key.place);
    return false;
  } catch (const UnsealError& error) {
    return error.fault == KeyFault::damaged;
  }
}

bool all_lost(const std::vector<KeptKey>& keys, const KeySeals& seals) {
  return std::ranges::all_of(keys, [&](const KeptKey& key) { return is_lost(key, seals); });
}

}  // namespace

void refuse_other_seals(const ReadableKeys& keys) {
  for (const ReadableKeys::Other& each : keys.others)
    if (each.fault == KeyFault::sealed_otherwise) throw UnsealError(each.fault, each.why);
}

void MemoryKeys::insert_signing(const SigningKeyRecord& key) {
  if (std::ranges::any_of(signing_, same_id(key.id))) throw_conflict("a key of this id");
  signing_.push_back(key);
  ++generation_;
  std::ranges::sort(signing_, {}, [](const auto& each) { return std::pair{each.created_at, each.id}; });
}

std::vector<SigningKeyRecord> MemoryKeys::signing() { return signing_; }

std::vector<SigningKeyRecord> MemoryKeys::signing_times() {
  std::vector<SigningKeyRecord> keys = signing_;
  for (SigningKeyRecord& key : keys) key.der = {};
  return keys;
}

bool MemoryKeys::update_signing_times(const SigningKeyRecord& key) {
  const auto found = std::ranges::find_if(signing_, same_id(key.id));
  if (found == signing_.end()) return false;
  ++generation_;
  found->signs_from = key.signs_from;
  found->signs_until = key.signs_until;
  found->retired_at = key.retired_at;
  return true;
}

bool MemoryKeys::remove_signing(std::string_view id) {
  ++generation_;
  return std::erase_if(signing_, same_id(id)) == 1;
}

std::int64_t MemoryKeys::generation() { return generation_; }

void MemoryKeys::insert_token_key(const TokenKeyRecord& key) { insert_into(token_keys_, key.id, key); }

std::vector<TokenKeyRecord> MemoryKeys::token_keys() {
  std::vector<TokenKeyRecord> keys;
  for (const auto& [id, key] : token_keys_) keys.push_back(key);
  return keys;
}

const KeySeals SqlKeys::in_clear{};

void SqlKeys::insert_signing(const SigningKeyRecord& key) {
  const SealedSecret der = seals_.seal(key.der, signing_place(key.id));
  transaction_.run(
      "INSERT INTO signing_keys (id, alg, der, created_at, signs_from, signs_until, retired_at, sealed_by) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      {key.id, crypto::name_of(key.algorithm), store::Blob{der.bytes}, column_of(key.created_at),
       column_of(key.signs_from), column_of(key.signs_until), column_of(key.retired_at), der.sealed_by});
}

std::vector<SigningKeyRecord> SqlKeys::signing() {
  std::vector<SigningKeyRecord> keys;
  each_signing(transaction_, [&](SigningKeyRecord key, const SealedSecret& kept, std::string_view algorithm) {
    complete(key, kept, algorithm, seals_);
    keys.push_back(std::move(key));
  });
  return keys;
}

ReadableKeys SqlKeys::readable_signing() {
  ReadableKeys readable;
  each_signing(transaction_, [&](SigningKeyRecord key, const SealedSecret& kept, std::string_view algorithm) {
    try {
      complete(key, kept, algorithm, seals_);
      readable.keys.push_back(std::move(key));
    } catch (const UnsealError& error) {
      readable.others.push_back({std::move(key.id), error.what(), error.fault});
    }
  });
  return readable;
}

std::vector<SigningKeyRecord> SqlKeys::signing_times() {
  std::vector<SigningKeyRecord> keys;
  each_signing(transaction_, [&](SigningKeyRecord key, const SealedSecret&, std::string_view algorithm) {
    key.algorithm = crypto::algorithm_named(algorithm).value_or(key.algorithm);
    keys.push_back(std::move(key));
  });
  return keys;
}

bool SqlKeys::update_signing_times(const SigningKeyRecord& key) {
  return transaction_.run("UPDATE signing_keys SET signs_from = ?2, signs_until = ?3, retired_at = ?4 WHERE id = ?1",
                          {key.id, column_of(key.signs_from), column_of(key.signs_until), column_of(key.retired_at)}) ==
         1;
}

bool SqlKeys::remove_signing(std::string_view id) {
  return transaction_.run("DELETE FROM signing_keys WHERE id = ?1", {id}) == 1;
}

std::int64_t SqlKeys::generation() { return generation_of(transaction_, "keys"); }

void SqlKeys::insert_token_key(const TokenKeyRecord& key) {
  const SealedSecret secret = seals_.seal(key.secret, token_place(key.id));
  transaction_.run("INSERT INTO token_keys (id, secret, created_at, sealed_by) VALUES (?1, ?2, ?3, ?4)",
                   {int{key.id}, store::Blob{secret.bytes}, column_of(key.created_at), secret.sealed_by});
}

std::vector<TokenKeyRecord> SqlKeys::token_keys() {
  std::vector<TokenKeyRecord> keys;
  transaction_.each("SELECT id, secret, created_at, sealed_by FROM token_keys ORDER BY id", {},
                    [&](const store::Row& row) {
                      const auto id = static_cast<std::uint8_t>(row.integer(0));
                      keys.push_back({.id = id,
                                      .secret = seals_.unseal({row.blob(1), row.maybe_text(3)}, token_place(id)),
                                      .created_at = time_in(row, 2)});
                    });
  return keys;
}

int SqlKeys::seal_anew() {
  int sealed = 0;
  const auto rewrite = [&](const std::vector<KeptKey>& old_ones, const char* update) {
    for (const KeptKey& old : old_ones) {
      try {
        const SealedSecret fresh = seals_.seal(seals_.unseal(old.secret, old.place), old.place);
        transaction_.run(update, {old.id, store::Blob{fresh.bytes}, fresh.sealed_by});
        ++sealed;
      } catch (const UnsealError&) {
        // Whoever reads the keys tells of it, and this one must not keep the others from being sealed.
      }
    }
  };
  rewrite(signing_keys_to_seal(transaction_, seals_), "UPDATE signing_keys SET der = ?2, sealed_by = ?3 WHERE id = ?1");
  rewrite(token_keys_to_seal(transaction_, seals_),
          "UPDATE token_keys SET secret = ?2, sealed_by = ?3 WHERE CAST(id AS TEXT) = ?1");
  return sealed;
}

bool SqlKeys::is_sealed_as_configured() {
  return all_lost(signing_keys_to_seal(transaction_, seals_), seals_) &&
         all_lost(token_keys_to_seal(transaction_, seals_), seals_);
}

}  // namespace troupe::oauth
