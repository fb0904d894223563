// See query.h.
#include "troupe/realtime/api/query.h"

#include <fmt/format.h>

#include <charconv>

namespace troupe::realtime::api {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Query::Query(std::string_view text) {
  auto form = wire::parse_form(text);
  if (form) {
    form_ = *std::move(form);
  } else {
    problem_ = fmt::format("the query cannot be read: {}", wire::text(form.error()));
  }
}

std::optional<std::string> Query::text(std::string_view name, std::size_t bytes_max) {
  auto count = form_.count(name);
  if (count == 0) return std::nullopt;
  auto value = *form_.get(name);
  if (count > 1) fail(name, "is given twice");
  if (value.empty()) fail(name, "is empty");
  if (value.size() > bytes_max) fail(name, fmt::format("is longer than {} bytes", bytes_max));
  return std::string{value};
}

std::optional<TopicName> Query::topic() {
  auto said = text("topic", base::topic_bytes_max);
  if (!said) {
    fail("topic", "is missing");
    return std::nullopt;
  }
  auto topic = TopicName::parse(*said);
  if (!topic) fail("topic", describe(topic.error()));
  if (topic && topic->is_reserved()) fail("topic", "is the server's own");
  return topic && !failed() ? std::optional{*std::move(topic)} : std::nullopt;
}

std::size_t Query::limit(std::size_t otherwise, std::size_t most) {
  auto said = text("limit", 32);
  if (!said) return otherwise;
  auto number = number_of(*said);
  if (!number || *number == 0 || *number > most) {
    fail("limit", fmt::format("must be from 1 to {}", most));
    return otherwise;
  }
  return static_cast<std::size_t>(*number);
}

std::optional<Position> Query::position(std::string_view name) {
  auto said = text(name, epoch_bytes_max + 32);
  if (!said) return std::nullopt;
  auto colon = said->rfind(':');
  auto offset = colon == std::string::npos ? std::nullopt : number_of(std::string_view{*said}.substr(colon + 1));
  if (!offset || *offset > offset_max || colon > epoch_bytes_max) {
    fail(name, "must be `epoch:offset`");
    return std::nullopt;
  }
  return Position{Epoch{said->substr(0, colon)}, *offset};
}

void Query::fail(std::string_view name, std::string_view what) {
  if (problem_.empty()) problem_ = fmt::format("`{}` {}", name, what);
}

}  // namespace troupe::realtime::api
