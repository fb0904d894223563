// See request.h.
#include "troupe/oauth/admin/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "troupe/oauth/admin/answer.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth::admin {
namespace {

using Names = std::initializer_list<std::string_view>;

constexpr std::size_t name_shown_max = 64;
constexpr int limit_max = 1000;

std::unexpected<web::Response> refused(std::string_view detail) {
  return std::unexpected(problem_of(errors::invalid_request, detail));
}

bool is_one_of(Names names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

/// The name in a sentence. What is too long to be a name of ours is not repeated.
std::string shown(std::string_view name) {
  return name.size() > name_shown_max ? std::string{"of that name"} : fmt::format("`{}`", name);
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool has_type(const web::Request& http, BodyType type) {
  if (http.headers.count("Content-Type") != 1) return false;
  std::string_view name = http.header("Content-Type");
  name = wire::trim(name.substr(0, name.find(';')));
  if (wire::equal_ignoring_case(name, "application/json")) return true;
  return type == BodyType::merge_patch && wire::equal_ignoring_case(name, "application/merge-patch+json");
}

}  // namespace

Read<wire::Form> read_query(const web::Request& http, Names names) {
  auto query = wire::parse_form(http.query);
  if (!query) return refused("The query cannot be read.");
  for (const auto& [name, value] : *query) {
    if (!is_one_of(names, name)) return refused(fmt::format("There is no parameter {} here.", shown(name)));
    if (query->count(name) > 1) return refused(fmt::format("The parameter {} comes twice.", shown(name)));
    if (value.empty()) return refused(fmt::format("The parameter {} has no value.", shown(name)));
  }
  return *std::move(query);
}

Read<PageWanted> read_page(const wire::Form& query, std::string_view list) {
  PageWanted wanted;
  if (const auto limit = query.get("limit")) {
    const auto number = number_in(*limit);
    if (!number || *number < 1 || *number > limit_max) return refused("The parameter `limit` is 1 to 1000.");
    wanted.limit = static_cast<int>(*number);
  }
  if (const auto after = query.get("after")) {
    const auto read = wire::from_base64url(*after);
    const auto of_list = fmt::format("{}:", list);
    if (!read || !read->starts_with(of_list) || read->size() == of_list.size() || !wire::is_plain_utf8(*read))
      return refused("The parameter `after` is the `next` of a page of this list.");
    wanted.after = read->substr(of_list.size());
  }
  return wanted;
}

Read<TimedPageWanted> read_timed_page(const wire::Form& query, std::string_view list) {
  auto wanted = read_page(query, list);
  if (!wanted) return std::unexpected(std::move(wanted.error()));
  if (!wanted->after) return TimedPageWanted{wanted->limit, std::nullopt};
  const auto id = crypto::TokenId::parse(*wanted->after);
  if (!id) return refused("The parameter `after` is the `next` of a page of this list.");
  return TimedPageWanted{wanted->limit, *id};
}

std::string cursor_of(std::string_view list, std::string_view key) {
  return wire::to_base64url(fmt::format("{}:{}", list, key));
}

Read<std::optional<base::UnixTime>> read_moment(const wire::Form& query, std::string_view name) {
  constexpr std::int64_t end_of_time = 253'402'300'800;  // the year 10000
  const auto text = query.get(name);
  if (!text) return std::nullopt;
  const auto seconds = number_in(*text);
  if (!seconds || *seconds < 0 || *seconds >= end_of_time) {
    return refused(fmt::format("The parameter `{}` is a number of seconds since 1970.", name));
  }
  return base::UnixTime{*seconds * 1000};
}

Read<wire::Json> read_body(const web::Request& http, Names names, BodyType type) {
  if (!has_type(http, type)) {
    OauthError error = errors::invalid_request;
    error.status = 415;
    return std::unexpected(problem_of(error, type == BodyType::json
                                                 ? "The content type must be application/json."
                                                 : "The content type must be application/merge-patch+json."));
  }
  auto body = wire::parse_json(http.body, {.bytes_max = body_bytes_max, .depth_max = 8});
  if (!body) return refused(wire::sentence(body.error()));
  if (body->object() == nullptr) return refused("The body must be a JSON object.");
  for (const auto& member : *body->object()) {
    if (!is_one_of(names, member.name)) return refused(fmt::format("There is no member {} here.", shown(member.name)));
  }
  return *std::move(body);
}

std::string segment(const web::Request& http, int place) {
  std::string_view path{http.path};
  for (int passed = 0; passed < place; ++passed) path.remove_prefix(std::min(path.find('/', 1), path.size()));
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  return std::string{path.substr(0, path.find('/'))};
}

}  // namespace troupe::oauth::admin
