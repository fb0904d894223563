// JoinedFrames: the same frames are one piece for the second who asks, and for nobody else.
#include "troupe/realtime/connection/joined_frames.h"

#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>
#include <vector>

#include "troupe/base/random.h"
#include "troupe/realtime/connection/outbox.h"

namespace troupe::realtime {
namespace {

struct Waiting {
  FrameRef frame;
};
using Queue = std::vector<Waiting>;

Waiting frame(std::string bytes) { return {FrameRef::control(base::Bytes{std::move(bytes)})}; }
std::string_view ask(JoinedFrames& joined, const Queue& queue) { return joined.of(std::span<const Waiting>{queue}); }

TEST_CASE("whoever is the second to write the same frames writes one piece, and so does everybody after it") {
  JoinedFrames joined;
  const Queue queue{frame("one "), frame("two "), frame("three")};
  CHECK_EQ(ask(joined, queue), "");
  const auto piece = ask(joined, queue);
  CHECK_EQ(piece, "one two three");
  CHECK_EQ(static_cast<const void*>(ask(joined, queue).data()), static_cast<const void*>(piece.data()));
}

TEST_CASE("another order, fewer, more, or frames that merely read alike are not the same") {
  const Queue queue{frame("a"), frame("b"), frame("c")};
  const Queue others[]{
      {queue[1], queue[0], queue[2]},
      {queue[0], queue[1]},
      {queue[0], queue[1], queue[2], queue[2]},
      {queue[0], queue[1], frame("c")},
  };
  for (const auto& other : others) {
    JoinedFrames joined;
    ask(joined, queue);
    CHECK_EQ(ask(joined, other), "");
  }
}

TEST_CASE("those who came by name and those who came by a pattern, turn about, write a piece each") {
  JoinedFrames joined;
  const Queue by_name{frame("n1"), frame("n2"), frame("n3")}, by_pattern{frame("p1"), frame("p2"), frame("p3")};
  ask(joined, by_name);
  ask(joined, by_pattern);
  CHECK_EQ(ask(joined, by_name), "n1n2n3");
  CHECK_EQ(ask(joined, by_pattern), "p1p2p3");
}

TEST_CASE("a turn's frames are forgotten with it") {
  JoinedFrames joined;
  const Queue queue{frame("a"), frame("b"), frame("c")};
  ask(joined, queue);
  joined.forget();
  CHECK_EQ(ask(joined, queue), "");
  CHECK_EQ(ask(joined, queue), "abc");
}

TEST_CASE("frames that are larger than a piece may be are written as they are") {
  JoinedFrames joined;
  const std::size_t third = JoinedFrames::bytes_max / 3;
  const Queue fits{frame(std::string(third, 'x')), frame(std::string(third, 'y')), frame(std::string(third, 'z'))};
  const Queue larger{fits[0], fits[1], fits[2], frame("xx")};
  for (int times = 0; times < 3; ++times) CHECK_EQ(ask(joined, larger), "");
  ask(joined, fits);
  CHECK_EQ(ask(joined, fits).size(), 3 * third);
}

TEST_CASE("whatever is asked for in whatever order, a piece is what the frames are") {
  base::SeededRandom random{7};
  std::vector<Waiting> frames;
  for (char c = 'a'; c < 'g'; ++c) frames.push_back(frame(std::string(1 + random.below(40), c)));
  JoinedFrames joined;
  int pieces = 0;
  for (int step = 0; step < 5000; ++step) {
    Queue queue;
    std::string plain;
    for (std::size_t count = 3 + random.below(2); queue.size() < count;) queue.push_back(frames[random.below(2)]);
    for (const auto& waiting : queue) plain += waiting.frame->bytes.view();
    const auto piece = ask(joined, queue);
    if (!piece.empty()) {
      REQUIRE_EQ(piece, plain);
      ++pieces;
    }
    // A frame that nobody holds any more makes room for another, where it stood or elsewhere.
    const auto place = random.below(2);
    if (random.below(8) == 0)
      frames[place] = frame(std::string(1 + random.below(40), static_cast<char>('a' + step % 26)));
    if (random.below(50) == 0) joined.forget();
  }
  CHECK(pieces > 100);
}

FrameRef message(Offset offset) {
  return FrameRef::message(base::Bytes{"message " + std::to_string(offset)}, "a", {Epoch{"e"}, offset});
}
std::string text_of(std::span<const iovec> parts) {
  std::string text;
  for (const auto& part : parts) text.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return text;
}

TEST_CASE("what others write in the same turn is one part, of which the socket may take some") {
  OutboxLimits limits;
  JoinedFrames joined;
  const FrameRef frames[]{message(1), message(2), message(3), message(4)};
  std::string all;
  for (const auto& frame : frames) all += frame->bytes.view();
  const auto cut = frames[0]->bytes.size() + 3;
  for (int turn = 0; turn < 3; ++turn) {
    CAPTURE(turn);
    Outbox outbox{limits};
    for (const auto& frame : frames) outbox.push(frame, Overflow::drop_oldest);
    std::array<iovec, 4> parts;
    REQUIRE_EQ(outbox.gather(parts, &joined), turn == 0 ? 4 : 1);
    CHECK_EQ(std::string_view(static_cast<const char*>(parts[0].iov_base), 3), all.substr(0, 3));
    outbox.written(cut);
    CHECK_EQ(outbox.messages(), 3);
    CHECK_EQ(outbox.gather(parts, &joined), 3);  // it has begun to be written, so it is no run of frames any more
    CHECK_EQ(text_of(std::span{parts}.first(3)), all.substr(cut));
  }
}

TEST_CASE("answers, gaps and frames that are coded never stand in a shared part in another's place") {
  OutboxLimits limits{.messages_max = 3};
  JoinedFrames joined;
  const FrameRef frames[]{message(1), message(2), message(3)};
  std::string all;
  for (const auto& frame : frames) all += frame->bytes.view();
  for (int turn = 0; turn < 4; ++turn) {
    CAPTURE(turn);
    Outbox outbox{limits}, slow{limits};
    for (const auto& frame : frames) outbox.push(frame, Overflow::drop_oldest), slow.push(frame, Overflow::drop_oldest);
    slow.push(message(4), Overflow::drop_newest);  // which is told
    std::array<iovec, 8> parts;
    CHECK_EQ(slow.gather(parts, &joined), 4);
    const auto used = outbox.gather(parts, &joined);
    CHECK_EQ(used, turn == 0 ? 3 : 1);
    CHECK_EQ(text_of(std::span{parts}.first(used)), all);
  }
}

}  // namespace
}  // namespace troupe::realtime
