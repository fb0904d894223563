// See keys.h.
#include "troupe/oauth/storage/keys.h"

#include "troupe/oauth/storage/columns.h"
#include "troupe/oauth/storage/rows.h"

namespace troupe::oauth {
namespace {

auto same_id(std::string_view id) {
  return [id](const SigningKeyRecord& key) { return key.id == id; };
}

}  // namespace

void MemoryKeys::insert_signing(const SigningKeyRecord& key) {
  if (std::ranges::any_of(signing_, same_id(key.id))) throw_conflict("a key of this id");
  signing_.push_back(key);
  ++generation_;
  std::ranges::sort(signing_, {}, [](const auto& each) { return std::pair{each.created_at, each.id}; });
}

std::vector<SigningKeyRecord> MemoryKeys::signing() { return signing_; }

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

void SqlKeys::insert_signing(const SigningKeyRecord& key) {
  transaction_.run(
      "INSERT INTO signing_keys (id, alg, der, created_at, signs_from, signs_until, retired_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      {key.id, crypto::name_of(key.algorithm), store::Blob{key.der.expose()}, column_of(key.created_at),
       column_of(key.signs_from), column_of(key.signs_until), column_of(key.retired_at)});
}

std::vector<SigningKeyRecord> SqlKeys::signing() {
  std::vector<SigningKeyRecord> keys;
  transaction_.each(
      "SELECT id, alg, der, created_at, signs_from, signs_until, retired_at FROM signing_keys ORDER BY created_at, id",
      {}, [&](const store::Row& row) {
        keys.push_back({.id = row.text(0),
                        .algorithm = algorithm_in(row, 1),
                        .der = base::Secret{row.blob(2)},
                        .created_at = time_in(row, 3),
                        .signs_from = time_in(row, 4),
                        .signs_until = time_in(row, 5),
                        .retired_at = time_in(row, 6)});
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
  transaction_.run("INSERT INTO token_keys (id, secret, created_at) VALUES (?1, ?2, ?3)",
                   {int{key.id}, store::Blob{key.secret.expose()}, column_of(key.created_at)});
}

std::vector<TokenKeyRecord> SqlKeys::token_keys() {
  std::vector<TokenKeyRecord> keys;
  transaction_.each("SELECT id, secret, created_at FROM token_keys ORDER BY id", {}, [&](const store::Row& row) {
    keys.push_back({.id = static_cast<std::uint8_t>(row.integer(0)),
                    .secret = base::Secret{row.blob(1)},
                    .created_at = time_in(row, 2)});
  });
  return keys;
}

}  // namespace troupe::oauth
