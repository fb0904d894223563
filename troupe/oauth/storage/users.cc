// See users.h.
#include "troupe/oauth/storage/users.h"

#include <fmt/format.h>

#include <set>

#include "troupe/oauth/storage/columns.h"
#include "troupe/oauth/storage/rows.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view user_columns =
    "id, name, email, is_disabled, created_at, password_hash, password_changed_at";
constexpr std::string_view session_columns =
    "id, hash, user, signed_in_at, amr, created_at, seen_at, expires_at, ended_at, user_agent, address";

UserRecord user_in(const store::Row& row) {
  return {.user = {.id = UserId{row.text(0)},
                   .name = UserName{row.text(1)},
                   .email = row.maybe_text(2),
                   .state = row.integer(3) != 0 ? UserState::disabled : UserState::enabled,
                   .created_at = time_in(row, 4)},
          .password_hash = row.text(5),
          .password_changed_at = time_in(row, 6)};
}

// Salt, '$' and hash of the passwords' PHC texts, whose lengths never change.
constexpr int behind_beginning = 22 + 1 + 43;

SessionRecord session_in(const store::Row& row) {
  const SessionId id{id_in(row, 0).text()};
  return {.session = {.id = id,
                      .authentication = {.user = UserId{row.text(2)},
                                         .session = id,
                                         .time = time_in(row, 3),
                                         .methods = split(row.text(4))},
                      .created_at = time_in(row, 5),
                      .seen_at = time_in(row, 6),
                      .place = {.user_agent = row.text(9), .address = row.text(10)}},
          .hash = hash_in(row, 1),
          .expires_at = time_in(row, 7),
          .ended_at = maybe_time_in(row, 8)};
}

/// Runs `sql`, whose ?1 to ?7 are the user's columns in their order.
std::int64_t run_with(store::Transaction& transaction, std::string_view sql, const UserRecord& record) {
  const User& user = record.user;
  return transaction.run(
      sql, {column_of(user.id), column_of(user.name), user.email, column_of_truth(user.state == UserState::disabled),
            column_of(user.created_at), record.password_hash, column_of(record.password_changed_at)});
}

/// Runs `sql`, whose ?1 to ?11 are the session's columns in their order.
std::int64_t run_with(store::Transaction& transaction, std::string_view sql, const SessionRecord& record) {
  const Session& session = record.session;
  const crypto::TokenId id = bytes_of(session.id);
  const std::string methods = joined(session.authentication.methods);
  return transaction.run(
      sql, {column_of(id), column_of(record.hash), column_of(session.authentication.user),
            column_of(session.authentication.time), methods, column_of(session.created_at), column_of(session.seen_at),
            column_of(record.expires_at), column_of(record.ended_at), session.place.user_agent, session.place.address});
}

std::string select_user(std::string_view rest) { return fmt::format("SELECT {} FROM users {}", user_columns, rest); }

}  // namespace

bool MemoryUsers::has_other_of_name(const UserRecord& user) const {
  return std::ranges::any_of(users_, [&](const auto& entry) {
    return entry.second.user.name == user.user.name && entry.second.user.id != user.user.id;
  });
}

void MemoryUsers::insert(const UserRecord& user) {
  if (has_other_of_name(user)) throw_conflict("a user of this name");
  insert_into(users_, user.user.id, user);
}

std::optional<UserRecord> MemoryUsers::find(const UserId& id) { return found_in(users_, id); }

std::optional<UserRecord> MemoryUsers::find_by_name(const UserName& name) {
  for (const auto& [id, user] : users_)
    if (user.user.name == name) return user;
  return std::nullopt;
}

std::vector<UserRecord> MemoryUsers::list(const UserId& after, int count) { return page_of(users_, after, count); }

bool MemoryUsers::update(const UserRecord& user) {
  if (has_other_of_name(user)) throw_conflict("a user of this name");
  return update_in(users_, user.user.id, user);
}

bool MemoryUsers::remove(const UserId& id) { return users_.erase(id) == 1; }

std::vector<std::string> MemoryUsers::password_beginnings() {
  std::set<std::string> beginnings;
  for (const auto& [id, user] : users_) {
    const std::string& hash = user.password_hash;
    if (hash.size() > behind_beginning) beginnings.insert(hash.substr(0, hash.size() - behind_beginning));
  }
  return {beginnings.begin(), beginnings.end()};
}

void MemoryUsers::insert_session(const SessionRecord& session) {
  insert_into(sessions_, bytes_of(session.session.id), session);
}
std::optional<SessionRecord> MemoryUsers::find_session(const SessionId& id) {
  return found_in(sessions_, bytes_of(id));
}
bool MemoryUsers::update_session(const SessionRecord& session) {
  return update_in(sessions_, bytes_of(session.session.id), session);
}

std::vector<SessionRecord> MemoryUsers::open_sessions_of(const UserId& user) {
  std::vector<SessionRecord> open;
  for (const auto& [id, record] : sessions_)
    if (!record.ended_at && record.session.authentication.user == user) open.push_back(record);
  return open;
}

std::vector<SessionRecord> MemoryUsers::open_sessions_beyond(const UserId& user, std::size_t kept, int count) {
  std::vector<SessionRecord> open = open_sessions_of(user);
  std::ranges::reverse(open);
  open.erase(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(std::min(kept, open.size())));
  if (std::ssize(open) > count) open.resize(static_cast<std::size_t>(count));
  return open;
}

std::vector<SessionRecord> MemoryUsers::sessions_over(base::UnixTime now, base::UnixTime unused_since, int count) {
  std::vector<SessionRecord> old, unused;
  for (const auto& [id, record] : sessions_) {
    if (record.ended_at) continue;
    if (record.expires_at <= now) {
      old.push_back(record);
    } else if (record.session.seen_at <= unused_since) {
      unused.push_back(record);
    }
  }
  const auto first_of = [count](std::vector<SessionRecord>& records, auto time) {
    std::ranges::sort(records, {}, [&](const SessionRecord& each) { return std::pair{time(each), each.session.id}; });
    if (std::ssize(records) > count) records.resize(static_cast<std::size_t>(count));
  };
  first_of(old, [](const SessionRecord& each) { return each.expires_at; });
  first_of(unused, [](const SessionRecord& each) { return each.session.seen_at; });
  std::ranges::move(unused, std::back_inserter(old));
  return old;
}

int MemoryUsers::remove_sessions_before(const crypto::TokenId& end, int count) {
  return remove_before(sessions_, end, count);
}

std::optional<ConsentRecord> MemoryUsers::find_consent(const UserId& user, const ClientId& client) {
  return found_in(consents_, std::pair{user, client});
}

void MemoryUsers::put_consent(const ConsentRecord& consent) {
  consents_.insert_or_assign(std::pair{consent.user, consent.client}, consent);
}

bool MemoryUsers::remove_consent(const UserId& user, const ClientId& client) {
  return consents_.erase(std::pair{user, client}) == 1;
}

std::vector<ConsentRecord> MemoryUsers::consents_of(const UserId& user) {
  std::vector<ConsentRecord> found;
  for (auto it = consents_.lower_bound({user, ClientId{}}); it != consents_.end() && it->first.first == user; ++it)
    found.push_back(it->second);
  return found;
}

void MemoryUsers::remove_consents_of(const ClientId& client) {
  std::erase_if(consents_, [&](const auto& entry) { return entry.first.second == client; });
}

void SqlUsers::insert(const UserRecord& user) {
  static const std::string sql =
      fmt::format("INSERT INTO users ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", user_columns);
  run_with(transaction_, sql, user);
}

std::optional<UserRecord> SqlUsers::find(const UserId& id) {
  static const std::string sql = select_user("WHERE id = ?1");
  return transaction_.first(sql, {column_of(id)}, user_in);
}

std::optional<UserRecord> SqlUsers::find_by_name(const UserName& name) {
  static const std::string sql = select_user("WHERE name = ?1");
  return transaction_.first(sql, {column_of(name)}, user_in);
}

std::vector<UserRecord> SqlUsers::list(const UserId& after, int count) {
  static const std::string sql = select_user("WHERE id > ?1 ORDER BY id LIMIT ?2");
  std::vector<UserRecord> page;
  transaction_.each(sql, {column_of(after), count}, [&](const store::Row& row) { page.push_back(user_in(row)); });
  return page;
}

bool SqlUsers::update(const UserRecord& user) {
  return run_with(transaction_,
                  "UPDATE users SET name = ?2, email = ?3, is_disabled = ?4, created_at = ?5, password_hash = ?6, "
                  "password_changed_at = ?7 WHERE id = ?1",
                  user) == 1;
}

bool SqlUsers::remove(const UserId& id) {
  return transaction_.run("DELETE FROM users WHERE id = ?1", {column_of(id)}) == 1;
}

std::vector<std::string> SqlUsers::password_beginnings() {
  static const std::string sql = fmt::format(
      "SELECT DISTINCT substr(password_hash, 1, length(password_hash) - {0}) FROM users WHERE length(password_hash) > "
      "{0}",
      behind_beginning);
  std::vector<std::string> beginnings;
  transaction_.each(sql, {}, [&](const store::Row& row) { beginnings.push_back(row.text(0)); });
  return beginnings;
}

void SqlUsers::insert_session(const SessionRecord& session) {
  static const std::string sql =
      fmt::format("INSERT INTO sessions ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", session_columns);
  run_with(transaction_, sql, session);
}

std::optional<SessionRecord> SqlUsers::find_session(const SessionId& id) {
  static const std::string sql = fmt::format("SELECT {} FROM sessions WHERE id = ?1", session_columns);
  const crypto::TokenId key = bytes_of(id);
  return transaction_.first(sql, {column_of(key)}, session_in);
}

bool SqlUsers::update_session(const SessionRecord& session) {
  return run_with(transaction_,
                  "UPDATE sessions SET hash = ?2, user = ?3, signed_in_at = ?4, amr = ?5, created_at = ?6, "
                  "seen_at = ?7, expires_at = ?8, ended_at = ?9, user_agent = ?10, address = ?11 WHERE id = ?1",
                  session) == 1;
}

std::vector<SessionRecord> SqlUsers::open_sessions_of(const UserId& user) {
  static const std::string sql =
      fmt::format("SELECT {} FROM sessions WHERE user = ?1 AND ended_at IS NULL ORDER BY id", session_columns);
  std::vector<SessionRecord> open;
  transaction_.each(sql, {column_of(user)}, [&](const store::Row& row) { open.push_back(session_in(row)); });
  return open;
}

std::vector<SessionRecord> SqlUsers::open_sessions_beyond(const UserId& user, std::size_t kept, int count) {
  // Few are: so a sign-in goes through ids in the index, and reads the rows of those alone that are beyond.
  static const std::string sql = fmt::format(
      "SELECT {} FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user = ?1 AND ended_at IS NULL "
      "ORDER BY id DESC LIMIT ?2 OFFSET ?3) ORDER BY id DESC",
      session_columns);
  std::vector<SessionRecord> beyond;
  transaction_.each(sql, {column_of(user), count, static_cast<std::int64_t>(kept)},
                    [&](const store::Row& row) { beyond.push_back(session_in(row)); });
  return beyond;
}

std::vector<SessionRecord> SqlUsers::sessions_over(base::UnixTime now, base::UnixTime unused_since, int count) {
  // Each by its own index, which has the sessions alone that nobody has ended.
  static const std::string of_age =
      fmt::format("SELECT {} FROM sessions WHERE ended_at IS NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
                  session_columns);
  static const std::string unused = fmt::format(
      "SELECT {} FROM sessions WHERE ended_at IS NULL AND seen_at <= ?2 AND expires_at > ?1 ORDER BY seen_at LIMIT ?3",
      session_columns);
  std::vector<SessionRecord> over;
  const auto take = [&](const store::Row& row) { over.push_back(session_in(row)); };
  transaction_.each(of_age, {column_of(now), count}, take);
  transaction_.each(unused, {column_of(now), column_of(unused_since), count}, take);
  return over;
}

int SqlUsers::remove_sessions_before(const crypto::TokenId& end, int count) {
  return static_cast<int>(
      transaction_.run("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE id < ?1 ORDER BY id LIMIT ?2)",
                       {column_of(end), count}));
}

std::optional<ConsentRecord> SqlUsers::find_consent(const UserId& user, const ClientId& client) {
  return transaction_.first(
      "SELECT scope, granted_at FROM consents WHERE user = ?1 AND client = ?2", {column_of(user), column_of(client)},
      [&](const store::Row& row) { return ConsentRecord{user, client, scope_in(row, 0), time_in(row, 1)}; });
}

void SqlUsers::put_consent(const ConsentRecord& consent) {
  const std::string scope = consent.scope.text();
  transaction_.send(
      "INSERT INTO consents (user, client, scope, granted_at) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (user, client) DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at",
      {column_of(consent.user), column_of(consent.client), scope, column_of(consent.granted_at)});
}

bool SqlUsers::remove_consent(const UserId& user, const ClientId& client) {
  return transaction_.run("DELETE FROM consents WHERE user = ?1 AND client = ?2",
                          {column_of(user), column_of(client)}) == 1;
}

std::vector<ConsentRecord> SqlUsers::consents_of(const UserId& user) {
  std::vector<ConsentRecord> found;
  transaction_.each("SELECT client, scope, granted_at FROM consents WHERE user = ?1 ORDER BY client", {column_of(user)},
                    [&](const store::Row& row) {
                      found.push_back({user, ClientId{row.text(0)}, scope_in(row, 1), time_in(row, 2)});
                    });
  return found;
}

void SqlUsers::remove_consents_of(const ClientId& client) {
  transaction_.send("DELETE FROM consents WHERE client = ?1", {column_of(client)});
}

}  // namespace troupe::oauth
