// Outbox: what answers count for where they are many, or large.
#include <doctest/doctest.h>

#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/protocol/answer.h"

namespace troupe::realtime {
namespace {

using Pushed = Outbox::Pushed;

base::Bytes answer_of(std::size_t bytes) {
  return finished(Pong{'"' + std::string(bytes, 'x') + '"'}, std::optional<RequestId>{});
}

/// The socket takes so many bytes, as far as there are any.
void write(Outbox& outbox, std::size_t bytes) {
  std::array<iovec, 16> parts;
  std::size_t there = 0;
  for (std::size_t i = 0, used = outbox.gather(parts); i < used; ++i) there += parts[i].iov_len;
  outbox.written(std::min(bytes, there));
}

TEST_CASE("an answer counts for a quarter of what may wait at most, so that none alone is too much") {
  OutboxLimits limits{.control_bytes_max = 1000};
  Outbox outbox{limits};
  const auto large = answer_of(5000), small = answer_of(1);
  for (int i = 0; i < 4; ++i) CHECK(outbox.push_control(large) == Pushed::accepted);
  CHECK_FALSE(outbox.is_overrun());
  CHECK(outbox.push_control(small) == Pushed::accepted);
  CHECK(outbox.is_overrun());
  write(outbox, large.size() + 1);
  CHECK_EQ(outbox.control_load(), 750 + small.size());
  CHECK_FALSE(outbox.is_overrun());
  write(outbox, 4 * large.size());
  CHECK_EQ(outbox.control_load(), 0);
  CHECK(outbox.empty());
}

}  // namespace
}  // namespace troupe::realtime
