// The tables of grants.h by SQL; their memory twin is in grants_memory.cc.
#include "troupe/oauth/storage/grants.h"

#include <fmt/format.h>

#include <type_traits>

#include "troupe/oauth/storage/columns.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view code_columns = "hash, redirect_uri, code_challenge, expires_at, is_used, id_token_claims";
constexpr std::string_view family_columns = "expires_at, revoked_at, revoked_because, id_token_claims";
constexpr std::string_view refresh_columns = "id, family, hash, expires_at, rotated_at, successor, access";
constexpr std::string_view access_columns = "hash, is_opaque, alg, issued_at, expires_at, revoked_at";

/// The grant of a row that also says, in a column of its own, which claims its ID tokens are to have.
Grant whole_grant_in(const store::Row& row, int first_column, int claims_column) {
  Grant grant = GrantColumns::read(row, first_column);
  grant.id_token_claims = row.text(claims_column);
  return grant;
}

AuthCode code_in(const store::Row& row) {
  constexpr int own = 1 + GrantColumns::count;
  return {.id = id_in(row, 0),
          .hash = hash_in(row, own),
          .grant = whole_grant_in(row, 1, own + 5),
          .redirect_uri = row.text(own + 1),
          .code_challenge = row.text(own + 2),
          .expires_at = time_in(row, own + 3),
          .state = row.integer(own + 4) != 0 ? CodeState::used : CodeState::live};
}

FamilyRecord family_in(const store::Row& row) {
  constexpr int own = GrantColumns::count;
  return {.grant = whole_grant_in(row, 0, own + 3),
          .expires_at = time_in(row, own),
          .revoked_at = maybe_time_in(row, own + 1),
          .revoked_because = row.text(own + 2)};
}

RefreshRecord refresh_in(const store::Row& row) {
  return {.id = id_in(row, 0),
          .family = FamilyId{id_in(row, 1).text()},
          .hash = hash_in(row, 2),
          .expires_at = time_in(row, 3),
          .rotated_at = maybe_time_in(row, 4),
          .successor = maybe_id_in(row, 5),
          .access = maybe_id_in(row, 6)};
}

AccessRecord access_in(const store::Row& row) {
  constexpr int own = 1 + GrantColumns::count;
  return {.id = id_in(row, 0),
          .grant = GrantColumns::read(row, 1),
          .hash = hash_in(row, own),
          .format = row.integer(own + 1) != 0 ? AccessTokenFormat::opaque : AccessTokenFormat::jwt,
          .algorithm = algorithm_in(row, own + 2),
          .issued_at = time_in(row, own + 3),
          .expires_at = time_in(row, own + 4),
          .revoked_at = maybe_time_in(row, own + 5)};
}

EndingRecord ending_in(const store::Row& row) {
  EndingRecord record{.number = row.integer(0),
                      .ending = {.at = time_in(row, 1), .client = std::nullopt, .user = std::nullopt}};
  if (!row.is_null(2)) record.ending.client = ClientId{row.text(2)};
  if (!row.is_null(3)) record.ending.user = UserId{row.text(3)};
  record.ending.signing_key = row.maybe_text(4);
  if (const auto family = maybe_id_in(row, 5)) record.ending.family = FamilyId{family->text()};
  record.ending.token = maybe_id_in(row, 6);
  return record;
}

std::string select_families(std::string_view rest) {
  return fmt::format("SELECT {}, {} FROM families {}", GrantColumns::names, family_columns, rest);
}

/// The rows that `sql` gives for ?1, the id before the first, and ?2, how many at most.
template <class Read>
auto page_of(store::Transaction& transaction, std::string_view sql, const crypto::TokenId& after, int count,
             Read read) {
  std::vector<std::invoke_result_t<Read, const store::Row&>> page;
  transaction.each(sql, {column_of(after), count}, [&](const store::Row& row) { page.push_back(read(row)); });
  return page;
}

/// "DELETE" of the oldest rows of `table` whose `key` is before ?1, at most ?2 of them.
std::string delete_oldest(std::string_view table, std::string_view key) {
  return fmt::format("DELETE FROM {0} WHERE {1} IN (SELECT {1} FROM {0} WHERE {1} < ?1 ORDER BY {1} LIMIT ?2)", table,
                     key);
}

int remove_with(store::Transaction& transaction, std::string_view sql, const crypto::TokenId& end, int count) {
  return static_cast<int>(transaction.run(sql, {column_of(end), count}));
}

}  // namespace

void SqlGrants::insert_code(const AuthCode& code) {
  static const std::string sql = fmt::format(
      "INSERT INTO codes (id, {}, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
      GrantColumns::names, code_columns);
  const GrantColumns grant{code.grant};
  transaction_.send(sql,
                    {column_of(code.id), grant[0], grant[1], grant[2], grant[3], grant[4], grant[5], grant[6], grant[7],
                     grant[8], column_of(code.hash), code.redirect_uri, code.code_challenge, column_of(code.expires_at),
                     column_of_truth(code.state == CodeState::used), code.grant.id_token_claims});
}

std::optional<AuthCode> SqlGrants::find_code(const crypto::TokenId& id) {
  static const std::string sql =
      fmt::format("SELECT id, {}, {} FROM codes WHERE id = ?1", GrantColumns::names, code_columns);
  return transaction_.first(sql, {column_of(id)}, code_in);
}

bool SqlGrants::use_code(const crypto::TokenId& id) {
  return transaction_.run("UPDATE codes SET is_used = 1 WHERE id = ?1 AND is_used = 0", {column_of(id)}) == 1;
}

int SqlGrants::use_codes_of(const UserId& user, const ClientId& client, base::UnixTime since) {
  // Ids order by time, so this looks at the end of the table only.
  const crypto::TokenId first = crypto::TokenId::first_at(since);
  return static_cast<int>(
      transaction_.run("UPDATE codes SET is_used = 1 WHERE id >= ?1 AND user = ?2 AND client = ?3 AND is_used = 0",
                       {column_of(first), column_of(user), column_of(client)}));
}

int SqlGrants::use_codes_of(const ClientId& client, base::UnixTime since) {
  const crypto::TokenId first = crypto::TokenId::first_at(since);
  return static_cast<int>(
      transaction_.run("UPDATE codes SET is_used = 1 WHERE id >= ?1 AND client = ?2 AND is_used = 0",
                       {column_of(first), column_of(client)}));
}

void SqlGrants::insert_family(const FamilyRecord& family) {
  static const std::string sql =
      fmt::format("INSERT INTO families ({}, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                  GrantColumns::names, family_columns);
  const GrantColumns grant{family.grant};
  transaction_.send(sql, {grant[0], grant[1], grant[2], grant[3], grant[4], grant[5], grant[6], grant[7], grant[8],
                          column_of(family.expires_at), column_of(family.revoked_at), family.revoked_because,
                          family.grant.id_token_claims});
}

std::optional<FamilyRecord> SqlGrants::find_family(const FamilyId& id) {
  static const std::string sql = select_families("WHERE family = ?1");
  const crypto::TokenId key = bytes_of(id);
  return transaction_.first(sql, {column_of(key)}, family_in);
}

bool SqlGrants::revoke_family(const FamilyId& id, base::UnixTime now, std::string_view because) {
  const crypto::TokenId key = bytes_of(id);
  return transaction_.run(
             "UPDATE families SET revoked_at = ?2, revoked_because = ?3 WHERE family = ?1 AND revoked_at IS NULL",
             {column_of(key), column_of(now), because}) == 1;
}

std::vector<FamilyRecord> SqlGrants::families_of(const SessionId& session, const crypto::TokenId& after, int count) {
  static const std::string sql = select_families("WHERE session = ?1 AND family > ?2 ORDER BY family LIMIT ?3");
  const crypto::TokenId key = bytes_of(session);
  std::vector<FamilyRecord> families;
  transaction_.each(sql, {column_of(key), column_of(after), count},
                    [&](const store::Row& row) { families.push_back(family_in(row)); });
  return families;
}

std::vector<FamilyRecord> SqlGrants::families_of(const UserId& user, const crypto::TokenId& after, int count) {
  static const std::string sql = select_families("WHERE user = ?1 AND family > ?2 ORDER BY family LIMIT ?3");
  std::vector<FamilyRecord> families;
  transaction_.each(sql, {column_of(user), column_of(after), count},
                    [&](const store::Row& row) { families.push_back(family_in(row)); });
  return families;
}

void SqlGrants::insert_refresh(const RefreshRecord& token) {
  static const std::string sql =
      fmt::format("INSERT INTO refresh_tokens ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", refresh_columns);
  const crypto::TokenId family = bytes_of(token.family);
  transaction_.send(sql, {column_of(token.id), column_of(family), column_of(token.hash), column_of(token.expires_at),
                          column_of(token.rotated_at), column_of(token.successor), column_of(token.access)});
}

std::optional<RefreshRecord> SqlGrants::find_refresh(const crypto::TokenId& id) {
  static const std::string sql = fmt::format("SELECT {} FROM refresh_tokens WHERE id = ?1", refresh_columns);
  return transaction_.first(sql, {column_of(id)}, refresh_in);
}

bool SqlGrants::update_refresh(const RefreshRecord& token) {
  const crypto::TokenId family = bytes_of(token.family);
  return transaction_.run(
             "UPDATE refresh_tokens SET family = ?2, hash = ?3, expires_at = ?4, rotated_at = ?5, successor = ?6, "
             "access = ?7 WHERE id = ?1",
             {column_of(token.id), column_of(family), column_of(token.hash), column_of(token.expires_at),
              column_of(token.rotated_at), column_of(token.successor), column_of(token.access)}) == 1;
}

void SqlGrants::insert_access(const AccessRecord& token) {
  static const std::string sql = fmt::format(
      "INSERT INTO access_tokens (id, {}, {}) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
      GrantColumns::names, access_columns);
  const GrantColumns grant{token.grant};
  transaction_.send(sql, {column_of(token.id), grant[0], grant[1], grant[2], grant[3], grant[4], grant[5], grant[6],
                          grant[7], grant[8], column_of(token.hash),
                          column_of_truth(token.format == AccessTokenFormat::opaque), crypto::name_of(token.algorithm),
                          column_of(token.issued_at), column_of(token.expires_at), column_of(token.revoked_at)});
}

std::optional<AccessRecord> SqlGrants::find_access(const crypto::TokenId& id) {
  static const std::string sql =
      fmt::format("SELECT id, {}, {} FROM access_tokens WHERE id = ?1", GrantColumns::names, access_columns);
  return transaction_.first(sql, {column_of(id)}, access_in);
}

bool SqlGrants::revoke_access(const crypto::TokenId& id, base::UnixTime now) {
  return transaction_.run("UPDATE access_tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                          {column_of(id), column_of(now)}) == 1;
}

std::vector<FamilyRecord> SqlGrants::families_after(const crypto::TokenId& after, int count) {
  static const std::string sql = select_families("WHERE family > ?1 ORDER BY family LIMIT ?2");
  return page_of(transaction_, sql, after, count, family_in);
}

std::vector<RefreshRecord> SqlGrants::refresh_after(const crypto::TokenId& after, int count) {
  static const std::string sql =
      fmt::format("SELECT {} FROM refresh_tokens WHERE id > ?1 ORDER BY id LIMIT ?2", refresh_columns);
  return page_of(transaction_, sql, after, count, refresh_in);
}

std::vector<AccessRecord> SqlGrants::access_after(const crypto::TokenId& after, int count) {
  static const std::string sql = fmt::format("SELECT id, {}, {} FROM access_tokens WHERE id > ?1 ORDER BY id LIMIT ?2",
                                             GrantColumns::names, access_columns);
  return page_of(transaction_, sql, after, count, access_in);
}

void SqlGrants::append_ending(const Ending& ending) {
  std::optional<crypto::TokenId> family;
  if (ending.family) family = bytes_of(*ending.family);
  transaction_.send(
      "INSERT INTO endings (at, client, user, signing_key, family, token) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      {column_of(ending.at), column_of(ending.client), column_of(ending.user), ending.signing_key, column_of(family),
       column_of(ending.token)});
}

std::vector<EndingRecord> SqlGrants::endings_after(std::int64_t number, int count) {
  std::vector<EndingRecord> found;
  transaction_.each(
      "SELECT number, at, client, user, signing_key, family, token FROM endings WHERE number > ?1 ORDER BY number "
      "LIMIT ?2",
      {number, count}, [&](const store::Row& row) { found.push_back(ending_in(row)); });
  return found;
}

int SqlGrants::remove_codes_before(const crypto::TokenId& end, int count) {
  static const std::string sql = delete_oldest("codes", "id");
  return remove_with(transaction_, sql, end, count);
}

int SqlGrants::remove_families_before(const crypto::TokenId& end, int count) {
  static const std::string sql = delete_oldest("families", "family");
  return remove_with(transaction_, sql, end, count);
}

int SqlGrants::remove_refresh_before(const crypto::TokenId& end, int count) {
  static const std::string sql = delete_oldest("refresh_tokens", "id");
  return remove_with(transaction_, sql, end, count);
}

int SqlGrants::remove_access_expired(base::UnixTime end, int count) {
  return static_cast<int>(transaction_.run(
      "DELETE FROM access_tokens WHERE id IN (SELECT id FROM (SELECT id, expires_at FROM access_tokens ORDER BY id "
      "LIMIT ?3) AS oldest WHERE expires_at <= ?1 ORDER BY id LIMIT ?2)",
      {column_of(end), count, 4 * count}));
}

int SqlGrants::remove_endings_before(base::UnixTime end, int count) {
  return static_cast<int>(transaction_.run(
      "DELETE FROM endings WHERE number IN (SELECT number FROM endings WHERE at < ?1 ORDER BY number LIMIT ?2)",
      {column_of(end), count}));
}

}  // namespace troupe::oauth
