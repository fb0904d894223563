// How the model's values stand in columns: ids as blobs, times as milliseconds, lists as one
// text. Shared by the SQL tables; internal to storage/.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/crypto/digest.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

// The Values made here are views: what they are made of must live until the statement has run.
inline store::Value column_of(const crypto::TokenId& id) { return store::Blob{id.view()}; }
inline store::Value column_of(const std::optional<crypto::TokenId>& id) {
  return id ? column_of(*id) : store::Value{std::nullopt};
}
template <class Tag>
store::Value column_of(const base::Strong<Tag, std::string>& id) {
  return id.value();
}
template <class Tag>
store::Value column_of(const std::optional<base::Strong<Tag, std::string>>& id) {
  return id ? column_of(*id) : store::Value{std::nullopt};
}
inline store::Value column_of(const crypto::Digest& hash) { return store::Blob{hash.view()}; }
inline store::Value column_of(base::UnixTime time) { return time.milliseconds; }
inline store::Value column_of(std::optional<base::UnixTime> time) {
  return time ? column_of(*time) : store::Value{std::nullopt};
}
/// 1 for true.
inline store::Value column_of_truth(bool truth) { return truth ? 1 : 0; }

/// The 16 bytes behind the name of a family or session; one that is no such name stops the process.
crypto::TokenId bytes_of(const FamilyId& family);
crypto::TokenId bytes_of(const SessionId& session);

/// The value in a column. Throws Error::wrong_schema when the column holds something else.
crypto::TokenId id_in(const store::Row& row, int column);
std::optional<crypto::TokenId> maybe_id_in(const store::Row& row, int column);
crypto::Digest hash_in(const store::Row& row, int column);
crypto::Algorithm algorithm_in(const store::Row& row, int column);
ScopeSet scope_in(const store::Row& row, int column);
base::UnixTime time_in(const store::Row& row, int column);
std::optional<base::UnixTime> maybe_time_in(const store::Row& row, int column);

/// How often the rows have changed that the table `changes` counts under this name.
std::int64_t generation_of(store::Transaction& transaction, std::string_view name);

/// Several texts without spaces in one, as OAuth writes lists.
std::string joined(const std::vector<std::string>& texts);
std::vector<std::string> split(std::string_view text);

/// A grant as it stands in nine columns, in this order. Made for one statement.
class GrantColumns {
 public:
  static constexpr int count = 9;
  static constexpr std::string_view names = "family, client, scope, audience, nonce, user, session, signed_in_at, amr";

  explicit GrantColumns(const Grant& grant);
  GrantColumns(const GrantColumns&) = delete;
  GrantColumns& operator=(const GrantColumns&) = delete;
  const store::Value& operator[](std::size_t column) const { return values_[column]; }

  static Grant read(const store::Row& row, int first_column);

 private:
  // What the grant does not keep as a text of its own; the values point at it.
  crypto::TokenId family_;
  std::optional<crypto::TokenId> session_;
  std::string scope_, audience_, methods_;
  std::array<store::Value, count> values_;
};

}  // namespace troupe::oauth
