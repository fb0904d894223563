// Writing responses: fields that belong to the connection are its own alone.
#include "troupe/web/response_text.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "troupe/web/guard.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/http1.h"

namespace troupe::web {
namespace {

constexpr std::size_t head_bytes = 160;  // of status line, date, length and the empty line, at most

bool belongs_to_connection(std::string_view name) {
  constexpr std::string_view names[] = {"content-length", "transfer-encoding", "date", "keep-alive"};
  return std::ranges::any_of(names, [&](std::string_view ours) { return wire::equal_ignoring_case(name, ours); });
}

}  // namespace

bool is_writable(const Response& response) noexcept {
  return std::ranges::all_of(response.headers, [](const wire::HttpField& field) {
    return wire::is_token(field.name) && wire::is_field_value(field.value);
  });
}

void append_response(std::string& out, Response response, const ResponseFrame& frame) {
  bool may_have_body = response.status >= 200 && response.status != 204 && response.status != 304;
  bool has_length = may_have_body && !frame.body_follows;
  if (response.status >= 200) add_security_headers(response, frame.secure);
  if (!frame.request_id.empty()) response.headers.set("X-Request-Id", std::string{frame.request_id});

  std::span<const wire::HttpField> fields = response.headers.fields();
  std::vector<wire::HttpField> without_ours;  // made for the few responses that have some of them
  const auto is_ours = [](const wire::HttpField& field) { return belongs_to_connection(field.name); };
  if (std::ranges::any_of(fields, is_ours)) {
    std::ranges::remove_copy_if(fields, std::back_inserter(without_ours), is_ours);
    fields = without_ours;
  }
  std::size_t bytes = head_bytes + (has_length && frame.with_body ? response.body.size() : 0);
  for (const wire::HttpField& field : fields) bytes += field.name.size() + field.value.size() + 4;
  out.reserve(out.size() + bytes);
  wire::append_response_head(out, {.status = response.status,
                                   .fields = fields,
                                   .content_length = has_length ? std::optional{response.body.size()} : std::nullopt,
                                   .keep_alive = frame.keep_alive,
                                   .tells_keep_alive = frame.tells_keep_alive,
                                   .date = frame.date});
  if (has_length && frame.with_body) out += response.body.view();
}

}  // namespace troupe::web
