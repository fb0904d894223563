// FrameReader: the one walk over the JSON text of a client's frame. It checks every byte
// and keeps the fields that we know, each with its value or with what is wrong about it.
//
// A field of the wrong shape is no error yet: whether anybody wants it depends on `type`,
// which may come last. Texts are not copied: they stand in the frame as it was read, until the next one is. That
// memory is kept from frame to frame, but not after a large one, whose fields own it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/base/shared_text.h"
#include "troupe/realtime/protocol/decoder.h"

namespace troupe::realtime {

/// What stood in a field: nothing, a value, or a sentence that says what is wrong with it.
template <class T>
struct Field {
  std::optional<T> value;
  base::SharedText wrong;  // "must be a string"

  bool came() const noexcept { return value.has_value() || !wrong.empty(); }
};

struct Fields {
  Field<std::string_view> type, id, topic, user, target, token, overflow, idempotency_key, after, priority, epoch;
  Field<std::string_view> payload, timestamp;  // JSON text
  Field<std::vector<TopicPattern>> topics;
  Field<std::vector<std::pair<TopicPattern, RecoverFrom>>> recover, positions;
  Field<Position> since, before;
  Field<std::uint64_t> offset, limit;
  Field<bool> exclude_self, presence;
  std::shared_ptr<const void> memory;  // of the texts, where no reader keeps it
};

class FrameReader {
 public:
  explicit FrameReader(const DecoderLimits& limits);
  ~FrameReader();
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;

  /// Reads the object that `text` is. The fields hold until the next is read. Gives what makes it no acceptable JSON;
  /// nothing when all is well. The fields read before a mistake was met are kept, so that the answer can bear the id.
  std::optional<std::string> read(std::string_view text, Fields& fields);

 private:
  struct Parser;
  DecoderLimits limits_;
  std::shared_ptr<Parser> parser_;
};

}  // namespace troupe::realtime
