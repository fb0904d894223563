// InboxLimit: what may wait of what foreign threads send, and how that shrinks once their system ends.
#include "troupe/actor/runtime/inbox_limit.h"

#include <doctest/doctest.h>

using namespace troupe::actor;

namespace {

constexpr Handler normal_message{.invoke = nullptr, .destroy = nullptr};
constexpr Handler control_message{.invoke = nullptr, .destroy = nullptr, .message_class = MessageClass::control};
constexpr Handler own_message{
    .invoke = nullptr, .destroy = nullptr, .message_class = MessageClass::control, .runtime = true};

/// How many of these have room at once, of a hundred thousand.
std::size_t room(InboxLimit limit, const Handler& handler, bool is_publication) {
  std::size_t taken = 0;
  for (; taken < 100'000 && limit.has_room(handler, is_publication); ++taken) limit.note(is_publication);
  return taken;
}

}  // namespace

TEST_CASE("so many messages wait, and from the shutdown on so many publications as are a turn's work") {
  struct Row {
    const char* what;
    const Handler& handler;
    bool is_publication;
    std::size_t usually;
    std::size_t in_phases;
    std::size_t stopping;
  };
  const Row rows[] = {
      {"a message", normal_message, false, 65'536, 65'536, 65'536},
      {"a publication", normal_message, true, 65'536, 40, 40},
      {"a control message", control_message, false, 100'000, 100'000, 65'536},
      {"a control message that is published", control_message, true, 100'000, 100'000, 40},
      {"the runtime's own", own_message, false, 100'000, 100'000, 100'000},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    InboxLimit limit;
    limit.learn(3, 300);
    CHECK_EQ(room(limit, row.handler, row.is_publication), row.usually);
    limit.narrow(InboxLimit::Ending::phases);
    CHECK_EQ(room(limit, row.handler, row.is_publication), row.in_phases);
    limit.narrow(InboxLimit::Ending::stopping);
    CHECK_EQ(room(limit, row.handler, row.is_publication), row.stopping);
    limit.narrow(InboxLimit::Ending::phases);  // an end that has begun goes on
    CHECK_EQ(room(limit, row.handler, row.is_publication), row.stopping);
    CHECK(limit.is_open());
    limit.narrow(InboxLimit::Ending::closed);
    CHECK_FALSE(limit.is_open());
  }
}

TEST_CASE("how much work a publication is, is known from the last that were taken") {
  InboxLimit limit;
  limit.narrow(InboxLimit::Ending::phases);
  CHECK_EQ(room(limit, normal_message, true), 4000);
  limit.learn(10, 0);  // to nobody
  CHECK_EQ(room(limit, normal_message, true), 40'000);
  limit.learn(1, 1'000'000);
  CHECK_EQ(room(limit, normal_message, true), 1);
  limit.note(true);
  limit.note(false);
  CHECK_FALSE(limit.has_room(normal_message, true));
  CHECK_EQ(limit.take(), 1);
  CHECK(limit.has_room(normal_message, true));
}
