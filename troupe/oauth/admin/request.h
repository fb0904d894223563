// Requests of the administration, read strictly: what is not known is refused by its name, so
// that a word that was mistyped never means "all of them".
#pragma once

#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/message.h"
#include "troupe/wire/form.h"
#include "troupe/wire/json.h"

namespace troupe::oauth::admin {

template <class Value>
using Read = std::expected<Value, web::Response>;

/// The parameters of the query, of these names, each once and with a value.
Read<wire::Form> read_query(const web::Request& http, std::initializer_list<std::string_view> names);

/// Which page of the list of this name is wanted: `limit`, 1 to 1000, and `after`, the `next` of the page before.
struct PageWanted {
  int limit = 100;
  std::optional<std::string> after;  // the key that the page before has ended with
};
Read<PageWanted> read_page(const wire::Form& query, std::string_view list);

/// The same where keys are ids that order by time.
struct TimedPageWanted {
  int limit = 100;
  std::optional<crypto::TokenId> after;
};
Read<TimedPageWanted> read_timed_page(const wire::Form& query, std::string_view list);

/// A key of the list as `next` has it.
std::string cursor_of(std::string_view list, std::string_view key);

/// A moment of the query in whole seconds since 1970; nothing where it is not said.
Read<std::optional<base::UnixTime>> read_moment(const wire::Form& query, std::string_view name);

/// As much a body has at most; more is 413.
inline constexpr std::size_t body_bytes_max = 64 * 1024;

/// The object in the body, with members of these names alone. At most 8 deep.
enum class BodyType : std::uint8_t { json, merge_patch };  // a patch may also call itself JSON
Read<wire::Json> read_body(const web::Request& http, std::initializer_list<std::string_view> names,
                           BodyType type = BodyType::json);

/// The segment of the path at that place, which the route has: 0 is "admin".
std::string segment(const web::Request& http, int place);

}  // namespace troupe::oauth::admin
