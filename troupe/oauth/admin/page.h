// A page of a list: rows up to a number, which the caller has read, and up to so many bytes, which are counted here as
// they are written. It always has a row where there is one, and `next` says where the list goes on, if it does.
#pragma once

#include <cstddef>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/request.h"
#include "troupe/wire/json.h"

namespace troupe::oauth::admin {

/// No row is begun behind so many bytes: a thousand rows as most are, and a few milliseconds of a core.
inline constexpr std::size_t page_bytes_max = 1024 * 1024;

/// Answers {"<list>": [...], "next": "..."}: `write(writer, row)` writes one row, and `key_of(row)` is the key behind
/// which its list goes on. `last` is the key behind which it does after all of these rows; nothing at the end.
/// `write_more(writer, last)` adds members, where it is known how far this page goes.
template <class Rows, class KeyOf, class Write, class WriteMore>
web::Response answer_page(std::string_view list, const Rows& rows, std::optional<std::string> last, KeyOf key_of,
                          Write write, WriteMore write_more) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().key(list).begin_array();
  auto row = std::ranges::begin(rows);
  for (; row != std::ranges::end(rows) && json.size() < page_bytes_max; ++row) write(writer, *row);
  if (row != std::ranges::end(rows)) last = key_of(*std::ranges::prev(row));
  writer.end_array();
  write_more(writer, last);
  if (last) writer.member("next", cursor_of(list, *last));
  writer.end_object();
  return answer(200, std::move(json));
}

template <class Rows, class KeyOf, class Write>
web::Response answer_page(std::string_view list, const Rows& rows, std::optional<std::string> last, KeyOf key_of,
                          Write write) {
  return answer_page(list, rows, std::move(last), key_of, write, [](wire::JsonWriter&, const auto&) {});
}

/// The key of a list in the order of time.
inline std::optional<std::string> key_text(const std::optional<crypto::TokenId>& last) {
  return last ? std::optional{last->text()} : std::nullopt;
}

/// Lets go of the rows beyond the limit. Gives the key of the last that stays, where there were any.
template <class Row, class KeyOf>
std::optional<std::string> cut(std::vector<Row>& rows, int limit, KeyOf key_of) {
  if (std::ssize(rows) <= limit) return std::nullopt;
  rows.resize(static_cast<std::size_t>(limit));
  return key_of(rows.back());
}

}  // namespace troupe::oauth::admin
