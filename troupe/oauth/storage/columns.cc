// See columns.h.
#include "troupe/oauth/storage/columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::oauth {
namespace {

[[noreturn]] void throw_wrong(int column, const char* expected) {
  throw store::Error{store::Failure::wrong_schema, 0, fmt::format("column {} holds no {}", column, expected)};
}

crypto::TokenId parsed(const std::string& name) {
  const auto id = crypto::TokenId::parse(name);
  INVARIANT(id, "families and sessions are named by time-ordered ids");
  return *id;
}

}  // namespace

crypto::TokenId bytes_of(const FamilyId& family) { return parsed(family.value()); }
crypto::TokenId bytes_of(const SessionId& session) { return parsed(session.value()); }

crypto::TokenId id_in(const store::Row& row, int column) {
  const auto id = crypto::TokenId::from_bytes(row.blob(column));
  if (!id) throw_wrong(column, "id");
  return *id;
}

std::optional<crypto::TokenId> maybe_id_in(const store::Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional{id_in(row, column)};
}

crypto::Digest hash_in(const store::Row& row, int column) {
  const std::string bytes = row.blob(column);
  crypto::Digest digest;
  if (bytes.size() != digest.bytes.size()) throw_wrong(column, "SHA-256");
  std::ranges::copy(bytes, digest.bytes.begin());
  return digest;
}

crypto::Algorithm algorithm_in(const store::Row& row, int column) {
  const auto algorithm = crypto::algorithm_named(row.text(column));
  if (!algorithm) throw_wrong(column, "algorithm");
  return *algorithm;
}

// A request may name only so many words, but what is kept may have more: what was agreed to adds up, and so do scopes
// and the claims that stand for scopes. So it is read in pieces, each of which a request could have named.
ScopeSet scope_in(const store::Row& row, int column) {
  const std::string text = row.text(column);
  ScopeSet all;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    for (std::size_t words = 0; words < ScopeSet::tokens_max && end < text.size(); ++words)
      end = std::min(text.find(' ', end + 1), text.size());
    const auto piece = ScopeSet::parse(std::string_view{text}.substr(begin, end - begin));
    if (!piece || end + 1 == text.size()) throw_wrong(column, "scope");
    all = all.united_with(*piece);
    begin = end + 1;
  }
  return all;
}

base::UnixTime time_in(const store::Row& row, int column) { return {row.integer(column)}; }

std::optional<base::UnixTime> maybe_time_in(const store::Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional{time_in(row, column)};
}

std::int64_t generation_of(store::Transaction& transaction, std::string_view name) {
  return transaction
      .first("SELECT count FROM changes WHERE name = ?1", {name}, [](const store::Row& row) { return row.integer(0); })
      .value();
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += ' ';
    all += text;
  }
  return all;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> texts;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) texts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return texts;
}

GrantColumns::GrantColumns(const Grant& grant)
    : family_(bytes_of(grant.family)), scope_(grant.scope.text()), audience_(joined(grant.audience)) {
  values_ = {column_of(family_), column_of(grant.client), scope_, audience_, grant.nonce};
  if (!grant.authentication) return;
  session_ = bytes_of(grant.authentication->session);
  methods_ = joined(grant.authentication->methods);
  values_[5] = column_of(grant.authentication->user);
  values_[6] = column_of(session_);
  values_[7] = column_of(grant.authentication->time);
  values_[8] = methods_;
}

Grant GrantColumns::read(const store::Row& row, int first) {
  Grant grant{.family = FamilyId{id_in(row, first).text()},
              .client = ClientId{row.text(first + 1)},
              .scope = scope_in(row, first + 2),
              .audience = split(row.text(first + 3)),
              .nonce = row.text(first + 4)};
  if (row.is_null(first + 5)) return grant;
  grant.authentication = Authentication{.user = UserId{row.text(first + 5)},
                                        .session = SessionId{id_in(row, first + 6).text()},
                                        .time = time_in(row, first + 7),
                                        .methods = split(row.text(first + 8))};
  return grant;
}

}  // namespace troupe::oauth
