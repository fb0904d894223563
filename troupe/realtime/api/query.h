// Query: the parameters of a GET request, taken one by one; what was wrong first is what the
// client is told. Parameters that nobody asks for are skipped, as fields of a frame are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/realtime/protocol/error.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/wire/form.h"

namespace troupe::realtime::api {

class Query {
 public:
  /// `text`: the query of a URL, as it came.
  explicit Query(std::string_view text);

  /// A text of at most `bytes_max`; nothing when it did not come.
  std::optional<std::string> text(std::string_view name, std::size_t bytes_max);
  /// The topic, which must come.
  std::optional<TopicName> topic();
  /// From 1 to `most`.
  std::size_t limit(std::size_t otherwise, std::size_t most);
  /// "<epoch>:<offset>".
  std::optional<Position> position(std::string_view name);

  void fail(std::string_view name, std::string_view what);
  bool failed() const noexcept { return !problem_.empty(); }
  ClientError error() const { return {ErrorCode::bad_request, problem_, {}}; }

 private:
  wire::Form form_;
  std::string problem_;
};

/// The whole of `text` as a decimal number.
std::optional<std::uint64_t> number_of(std::string_view text);

}  // namespace troupe::realtime::api
